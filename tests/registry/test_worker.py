"""The publisher's thread: it finds what waits, survives outages, stops at once."""

import threading

import pytest

from oriel.store import StoreUnavailable
from oriel.store.guests import GuestWrite
from registry.worker import PublishWorker
from tests.guests import hostile
from tests.registry.faults import Plan, faulty_stage
from tests.registry.stage import project


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.05)
    pytest.fail("it did not happen in 30 seconds")


def test_a_session_that_waited_from_before_the_start_is_published(stage):
    upload = stage.finalized(project())
    worker = PublishWorker(stage.registry)
    worker.start()
    wait_for(lambda: stage.store.get_upload(upload.upload_id).state == "ready")
    worker.stop()


def test_a_finalized_session_is_published_when_the_worker_is_woken(stage):
    worker = PublishWorker(stage.registry)
    worker.start()
    upload = stage.finalized(project())
    worker.wake()
    wait_for(lambda: stage.store.get_upload(upload.upload_id).state == "ready")
    worker.stop()


def test_an_outage_does_not_end_the_worker(tmp_path):
    def down():
        raise StoreUnavailable

    plan = Plan(strike=down)
    stage = faulty_stage(tmp_path, plan)
    stage.add_publisher()
    upload = stage.finalized(project())
    plan.strike_at = len(plan.calls)
    worker = PublishWorker(stage.registry)
    worker.start()
    wait_for(lambda: stage.store.get_upload(upload.upload_id).state == "ready")
    worker.stop()
    stage.close()


def test_one_session_that_fails_does_not_hold_up_the_others(stage):
    bad = stage.finalized(project(component=hostile.HELLO[:-20]))
    good = stage.finalized(project("1.0.1"))
    PublishWorker(stage.registry).run_pending()
    states = [stage.store.get_upload(upload.upload_id).state for upload in (bad, good)]
    assert states == ["rejected", "ready"]


def test_stopping_ends_a_worker_that_was_never_started(stage):
    PublishWorker(stage.registry).stop()


def test_keeping_house_removes_expired_records_and_staged_bytes_nobody_needs(stage):
    stage.store.guest_put("t1", "i1", [GuestWrite(key="a", value=b"", text=False, expires_at=1)])
    stage.blobs.put_stream("staging/upl_unknown", [b"x"], limit=1)
    PublishWorker(stage.registry).keep_house()
    assert stage.store.purge_expired() == 0
    assert list(stage.blobs.list("staging/")) == []
