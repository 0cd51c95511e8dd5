"""A platform key that is retired: what it signed is signed again, and then it need not be believed."""

import pytest
from msgspec.structs import replace

from oriel.bundle import content_hash
from oriel.engine.config import current_fingerprint
from oriel.errors import OrielError
from oriel.provenance import artifact_statement_key, index_key
from oriel.signing import generate_key
from registry.audits import Audits
from registry.resigning import Resigning
from registry.worker import PublishWorker
from runner.artifacts import Artifacts
from tests.guests import hostile
from tests.registry.stage import project

NEXT, COMPONENT = generate_key(), content_hash(hostile.HELLO)


@pytest.fixture
def published(stage):
    packed = project()
    stage.publish(packed)
    return packed


@pytest.fixture
def rotated(stage):
    """The registry after a rotation."""
    return replace(stage.registry, platform_key=NEXT, believed=(stage.registry.platform_key.public,))


@pytest.fixture
def runs(stage, tmp_path):
    """How a runner that believes the next key alone takes a bundle."""
    folders = iter(range(9))

    def ask(packed):
        cache = tmp_path / f"cache-{next(folders)}"
        artifacts = Artifacts(stage.blobs, (NEXT.public,), cache, fingerprint=current_fingerprint(), max_bytes=10**9)
        try:
            artifacts.path_for(packed.content_hash)
        except OrielError as error:
            return error.code
        return "runs"

    return ask


def test_what_the_former_key_signed_runs_without_it_when_it_is_signed_again(published, rotated, runs):
    assert runs(published) == "artifact_unavailable"
    worker = PublishWorker(rotated)
    while not worker.rebuild():
        pass
    assert runs(published) == "runs"


def test_a_version_that_was_yanked_is_signed_again_since_it_may_be_restored(stage, published, rotated, runs):
    stage.store.set_version_status(published.manifest.name, "1.0.0", "yanked")
    resigning = Resigning(rotated)
    while resigning.step():
        pass
    assert runs(published) == "runs"


def test_an_audit_that_did_not_grow_since_is_held_against_its_last_checkpoint(stage, published, rotated):
    assert Audits(stage.registry).leave_checkpoints()
    resigning = Resigning(rotated)
    while resigning.step():
        pass
    later = Audits(replace(rotated, believed=()))
    found = later.verify(None)
    assert (found.intact, found.checkpoints) == (True, 1)


def test_what_nobody_who_is_believed_signed_stays_as_it_is(stage, published, rotated):
    places = index_key(published.content_hash), artifact_statement_key(current_fingerprint(), COMPONENT)
    before = [stage.blobs.get(place) for place in places]
    resigning = Resigning(replace(rotated, believed=(generate_key().public,)))
    while resigning.step():
        pass
    assert [stage.blobs.get(place) for place in places] == before


def test_without_another_key_nothing_is_looked_at(stage, published):
    assert not Resigning(stage.registry).step()
