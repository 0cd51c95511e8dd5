"""The collector: what no version refers to goes, what one refers to stays, whoever publishes at the same moment."""

import pytest
from msgspec.structs import replace

from oriel.errors import OrielError
from registry.collecting import COLLECTOR, DAY_MS, MINUTE_MS, Collector, claim_names
from registry.publish import Publishing
from tests.registry.stage import NAME, OPERATOR, RememberingCompiler, project


def later(stage, milliseconds=2 * DAY_MS):
    now = stage.registry.now() + milliseconds
    stage.store._clock = lambda: now
    return replace(stage.registry, now=lambda: now)


@pytest.fixture
def packed():
    return project(files={"index.html": b"<p>"})


@pytest.fixture
def deposited(stage, packed):
    """The session of a publication that stopped before its version was written."""
    upload = stage.publishing.step(stage.publishing.step(stage.finalized(packed)))
    assert upload.state == "compiled"
    return upload


def keys(stage):
    return {blob.key for prefix in ("bundles/", "ext-ui/", "artifacts/") for blob in stage.blobs.list(prefix)}


def test_what_a_version_refers_to_stays_whatever_its_status(stage, packed):
    stage.publish(packed)
    stage.store.set_version_status(NAME, "1.0.0", "yanked")
    before = keys(stage)
    assert Collector(later(stage)).collect(dry_run=False).blobs == 0
    assert keys(stage) == before


def test_what_no_version_refers_to_goes_after_a_day_and_is_audited(stage, deposited):
    before = keys(stage)
    assert Collector(later(stage, 0)).collect(dry_run=False).blobs == 0
    found = Collector(later(stage)).collect(OPERATOR, dry_run=False)
    assert (set(found.keys), found.blobs, keys(stage)) == (before, len(before), set())
    entry = stage.store.list_audit(None).items[0]
    assert (entry.actor, entry.action, entry.after["blobs"]) == ("/op", "blobs.collect", len(before))


def test_a_dry_run_says_what_would_go_and_deletes_nothing(stage, deposited):
    before = keys(stage)
    found = Collector(later(stage)).collect(dry_run=True)
    assert (set(found.keys), found.dry_run, keys(stage)) == (before, True, before)


def test_a_component_that_another_version_has_too_stays(stage, deposited):
    stage.publish(project("2.0.0"))
    Collector(later(stage)).collect(dry_run=False)
    assert {key.partition("/")[0] for key in keys(stage)} == {"bundles", "artifacts"}
    assert len([key for key in keys(stage) if key.startswith("artifacts/")]) == 2


def test_the_same_bytes_published_after_a_collection_are_deposited_anew(stage, packed, deposited):
    before = keys(stage)
    Collector(later(stage)).collect(dry_run=False)
    assert stage.publishing.run(deposited).state == "ready"
    assert keys(stage) == before


def test_while_a_publisher_deposits_the_collector_leaves_its_bundle_and_component_alone(stage, packed, deposited):
    now = later(stage)
    Publishing(now, RememberingCompiler())._claim(stage.publishing._verifier.verify(deposited))
    before = keys(stage)
    assert Collector(now).collect(dry_run=False).blobs == 0
    assert keys(stage) == before


def test_while_the_collector_deletes_the_same_bytes_are_not_published(stage, packed, deposited):
    now = later(stage)
    names = claim_names(packed.content_hash, "")
    assert stage.store.claim(names[0], COLLECTOR, now.now() + MINUTE_MS)
    publishing = Publishing(now, RememberingCompiler())
    with pytest.raises(OrielError, match="being collected"):
        publishing.run(deposited)
    stage.store.release(names[0], COLLECTOR)
    assert publishing.run(stage.store.get_upload(deposited.upload_id)).state == "ready"


def test_a_version_that_was_written_between_looking_and_claiming_keeps_its_blobs(stage, packed, deposited, monkeypatch):
    now = later(stage)
    collector = Collector(now)
    original = stage.store.claim

    def published_first(name, holder, until):
        if holder == COLLECTOR:
            monkeypatch.undo()
            upload = stage.store.get_upload(deposited.upload_id)
            assert Publishing(now, RememberingCompiler()).run(upload).state == "ready"
            stage.store._clock = lambda: now.now() + DAY_MS  # the publisher's claim has ended
        return original(name, holder, until)

    before = keys(stage)
    monkeypatch.setattr(stage.store, "claim", published_first)
    assert collector.collect(dry_run=False).blobs == 0
    assert keys(stage) == before


def test_the_worker_collects_once_a_day(stage, deposited):
    now = later(stage)
    Collector(now).collect_daily()
    assert keys(stage) == set()
    assert not stage.store.claim("collection", "another", now.now() + 1)
