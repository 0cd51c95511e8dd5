"""What authors write and what was published are read by two readers; they say the same of every manifest."""

import copy
import json
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from oriel import published
from oriel.errors import InvalidInput, OrielError
from oriel.manifest import Manifest, model, parts
from oriel.published import Published
from tests.manifest.test_model import FULL
from tests.manifest.test_properties import PLACES, VALUES, with_value
from tests.support.bundles import manifest_document

EXAMPLES = sorted(Path("examples").glob("*/manifest.json"))
CANONICAL = Manifest.parse(FULL).to_json()
PAIRS = [(Manifest, Published)] + [
    (found, getattr(published, name))
    for name in ("Api", "CapabilityRequest", "Endpoint", "EventHandler", "Hook", "LimitsRequest", "Schedule", "Ui")
    if (found := getattr(parts, name))
]
REQUIRED = [name for name in CANONICAL if name not in {"ui", "sbom", "settings"}]


def same(manifest):
    """Both readers' whole content, as JSON."""
    read = Published.read(manifest.to_json())
    return json.loads(read.to_json()) == manifest.model_dump(mode="json")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_is_read_the_same(path):
    assert same(Manifest.parse(path.read_bytes()))


@pytest.mark.parametrize("document", [FULL, manifest_document()], ids=["full", "small"])
def test_a_manifest_with_everything_and_one_with_little_are_read_the_same(document):
    assert same(Manifest.parse(document))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(place=st.sampled_from(PLACES), value=VALUES)
def test_whatever_can_be_published_is_read_the_same(place, value):
    try:
        manifest = Manifest.parse(with_value(place, value))
    except InvalidInput:
        return
    assert same(manifest)


@pytest.mark.parametrize(("written", "read"), PAIRS, ids=lambda kind: kind.__module__.rpartition(".")[2])
def test_both_readers_know_the_same_fields(written, read):
    assert issubclass(written, BaseModel)
    assert list(written.model_fields) == list(read.__struct_fields__)


def test_both_readers_know_the_same_methods():
    assert get_args(published.Method) == get_args(parts.Method)
    assert (
        model.Manifest.model_fields["manifest_version"].annotation
        == published.Published.__annotations__["manifest_version"]
    )


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_not_said_is_not_guessed(name):
    stored = copy.deepcopy(CANONICAL)
    del stored[name]
    assert unreadable(stored)


@pytest.mark.parametrize("name", ["method", "path", "roles", "internal"])
def test_an_endpoint_that_does_not_say_who_may_call_it_is_not_open(name):
    stored = copy.deepcopy(CANONICAL)
    del stored["api"]["endpoints"][0][name]
    assert unreadable(stored)


@pytest.mark.parametrize("at", ["", "api", "limits"])
def test_what_is_not_known_is_not_left_aside(at):
    stored = copy.deepcopy(CANONICAL)
    (stored[at] if at else stored)["surplus"] = 1
    assert unreadable(stored)


def unreadable(stored):
    with pytest.raises(OrielError) as caught:
        Published.read(stored)
    assert isinstance(caught.value.__context__, msgspec.ValidationError)
    return caught.value.code == "unavailable"
