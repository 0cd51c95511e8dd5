"""Publishing under faults: killed at each step, and with a store or blob fault at each call."""

import multiprocessing
import signal

import pytest

from oriel.errors import OrielError
from oriel.provenance import component_key, index_key, signature_key
from oriel.store import StoreUnavailable
from registry.publish import MAX_ATTEMPTS
from tests.guests import hostile
from tests.registry.faults import Plan, faulty_stage, publish_and_die
from tests.registry.stage import NAME, RememberingCompiler, Stage, project, signed

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.registry.faults"])
WRITES = {"create_upload", "replace_upload", "create_version", "put_new", "put_stream", "delete"}


@pytest.fixture(scope="module")
def packed():
    return project(files={"index.html": b"<p>"})


@pytest.fixture(scope="module")
def calls(packed, tmp_path_factory):
    """The names of all calls that one publication makes, in order."""
    plan = Plan()
    stage = faulty_stage(tmp_path_factory.mktemp("calls"), plan)
    stage.add_publisher()
    plan.calls.clear()
    assert stage.publish(packed).state == "ready"
    stage.close()
    return tuple(plan.calls)


def assert_whole(stage, packed):
    """A version that can be seen is complete, and nothing is left in staging."""
    version = stage.store.get_version(NAME, "1.0.0")
    assert version.content_hash == packed.content_hash
    for key in (signature_key, component_key, index_key):
        assert stage.blobs.info(key(packed.content_hash)) is not None
    assert len(list(stage.blobs.list("artifacts/"))) == 2
    stage.uploads.sweep_staging()
    assert list(stage.blobs.list("staging/")) == []


def test_a_publication_killed_after_any_write_ends_ready_when_it_is_repeated(tmp_path, calls, packed):
    known = {hostile.HELLO: RememberingCompiler().compile(hostile.HELLO)}
    envelope = signed(packed)
    writes = [number for number, name in enumerate(calls) if name in WRITES]
    assert len(writes) > 12
    stage = new_stage(tmp_path)
    for number in writes:
        stage.reset()
        child = PROCESSES.Process(target=publish_and_die, args=(stage.folder, packed, envelope, known, number))
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL, (number, calls[number])
        seen = stage.store.get_version(NAME, "1.0.0")
        assert seen is None or stage.blobs.info(index_key(packed.content_hash)) is not None
        ended = stage.publish(packed, envelope)
        assert ended.state == "ready", (number, calls[number], ended)
        assert_whole(stage, packed)
    stage.close()


def new_stage(folder, plan=None):
    """A stage to be reset for each fault."""
    stage = faulty_stage(folder, plan) if plan else Stage(folder)
    stage.add_publisher()
    stage.remember()
    return stage


def outage():
    raise StoreUnavailable


def unforeseen():
    raise RuntimeError("unforeseen")


@pytest.mark.parametrize("strike", [outage, unforeseen])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_publication_with_a_fault_at_any_call_ends_ready_when_it_is_repeated(tmp_path, calls, packed, strike, before):
    envelope = signed(packed)
    # After a read, a fault is the same as one before the next call.
    struck = [number for number, name in enumerate(calls) if before or name in WRITES]
    plan = Plan()
    stage = new_stage(tmp_path, plan)
    for number in struck:
        stage.reset()
        plan.calls.clear()
        plan.strike_at, plan.strike, plan.before = number, strike, before
        for _ in range(MAX_ATTEMPTS):
            try:
                ended = stage.publish(packed, envelope)
            except (OrielError, RuntimeError):
                continue
            break
        assert ended.state == "ready", (number, calls[number], ended)
        assert_whole(stage, packed)
    stage.close()


def test_a_publication_that_always_kills_its_process_is_rejected_in_the_end(tmp_path, packed):
    stage = Stage(tmp_path)
    stage.add_publisher()
    upload = stage.publishing.step(stage.finalized(packed))
    states = []
    while upload.state == "verified":
        # What is left of a process that died in this step is the attempt that it counted before it began.
        stage.publishing._move(upload, attempts=upload.attempts + 1)
        upload = stage.store.get_upload(upload.upload_id)
        states.append(upload.attempts)
        if upload.attempts == MAX_ATTEMPTS:
            upload = stage.publishing.step(upload)
    assert (upload.state, states) == ("rejected", list(range(1, MAX_ATTEMPTS + 1)))
    stage.close()
