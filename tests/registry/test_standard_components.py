"""Publishing standard components: WASI is no reason to refuse one, and gives it nothing."""

import pytest

from oriel.provenance import index_key, verify_index
from tests.guests.standard import answering
from tests.registry.stage import project

OUTGOING = ("http/outgoing-handler#handle",)
FETCH = [{"name": "http.fetch", "purpose": "To ask.", "hosts": ["api.acme.com"]}]


def index_of(stage, packed):
    envelope = stage.blobs.get(index_key(packed.content_hash))
    return verify_index(envelope, content_hash=packed.content_hash, keys=stage.registry.platform_keys)


def test_a_standard_component_becomes_ready_and_the_index_says_how_it_is_called(stage):
    packed = project(component=answering())
    assert stage.publish(packed).state == "ready"
    assert index_of(stage, packed).handler == "wasi-http"


def test_a_component_with_a_handler_of_its_own_is_called_by_that(stage):
    packed = project()
    stage.publish(packed)
    assert index_of(stage, packed).handler == "oriel"


@pytest.mark.parametrize("capabilities", [[], FETCH])
def test_the_outgoing_handler_may_be_imported_with_and_without_asking(stage, capabilities):
    upload = stage.publish(project(component=answering(imports=OUTGOING), capabilities=capabilities))
    assert (upload.state, upload.findings) == ("ready", ())


def test_a_release_candidate_of_wasi_is_rejected_with_each_function(stage):
    upload = stage.publish(project(component=answering(version="0.2.0-rc-2023-12-05")))
    assert upload.state == "rejected"
    assert upload.findings[0][0] == "invalid_component"
