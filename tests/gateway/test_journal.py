"""The execution log beside the request path."""

import threading

import pytest

from gateway.journal import Journal
from oriel.store.records import Execution
from tests.support.gateway import NOW, Sink


def entry(number, log_bytes=0):
    return Execution(
        tenant_id="acme",
        execution_id=f"exe_{number}",
        request_id="req",
        extension_id="com.acme.notes",
        install_id="ins",
        version="1.0.0",
        content_hash="sha256:00",
        trigger="http",
        method="GET",
        path="/",
        status=200,
        error_code=None,
        started_at=NOW,
        receipt={"log_bytes": log_bytes},
    )


class Gate(Sink):
    """A sink that waits to be let go, so that what is queued stays queued."""

    def __init__(self):
        super().__init__()
        self.entered, self.go = threading.Event(), threading.Event()

    def record_executions(self, executions):
        self.entered.set()
        assert self.go.wait(5)
        super().record_executions(executions)


@pytest.fixture
def sink():
    return Gate()


def ids(sink):
    return [execution.execution_id for execution in sink.entries]


def test_entries_are_written_in_order_in_batches(sink):
    journal = Journal(sink)
    for number in range(500):
        journal.record(entry(number))
    sink.go.set()
    assert journal.flush()
    assert ids(sink) == [f"exe_{number}" for number in range(500)]
    journal.close()


def test_recording_does_not_wait_for_the_store_and_what_does_not_fit_is_counted(sink):
    journal = Journal(sink, max_queued=3)
    journal.record(entry("first"))
    assert sink.entered.wait(5)
    for number in range(5):
        journal.record(entry(number))
    assert journal.dropped == 2
    sink.go.set()
    journal.close()
    assert ids(sink) == ["exe_first", "exe_0", "exe_1", "exe_2"]


def test_long_logs_do_not_fill_the_memory(sink):
    journal = Journal(sink, max_queued_log_bytes=100)
    journal.record(entry("first"))
    assert sink.entered.wait(5)
    for number in range(3):
        journal.record(entry(number, log_bytes=60))
    assert journal.dropped == 2
    sink.go.set()
    journal.close()


def test_a_batch_is_written_when_the_store_is_back():
    sink = Sink()
    sink.away = True
    journal = Journal(sink, retry_seconds=0.01)
    journal.record(entry(1))
    assert sink.refused.wait(5)
    sink.away = False
    assert journal.flush()
    assert ids(sink) == ["exe_1"]
    journal.close()


def test_closing_writes_what_is_queued():
    sink = Sink()
    journal = Journal(sink)
    journal.record(entry(1))
    journal.close()
    journal.close()
    assert ids(sink) == ["exe_1"]


def test_closing_gives_up_on_a_store_that_stays_away():
    sink = Sink()
    sink.away = True
    journal = Journal(sink, retry_seconds=0.01)
    journal.record(entry(1))
    journal.close(timeout=0.05)
    assert journal.dropped == 1


def test_what_comes_after_the_end_is_counted():
    journal = Journal(Sink())
    journal.close()
    journal.record(entry(1))
    assert journal.dropped == 1


def test_observers_see_each_batch_once_and_harm_nobody():
    sink, seen = Sink(), []
    sink.away = True

    def broken(batch):
        raise ValueError("no")

    journal = Journal(sink, observers=(broken, seen.extend), retry_seconds=0.01)
    journal.record(entry(1))
    assert sink.refused.wait(5)
    sink.away = False
    assert journal.flush()
    journal.close()
    assert [item.execution_id for item in seen] == ids(sink) == ["exe_1"]


def test_what_comes_together_is_written_together(sink):
    journal = Journal(sink, linger_seconds=30)
    for number in range(3):
        journal.record(entry(number))
    assert not sink.entered.wait(0.05)
    sink.go.set()
    assert journal.flush()
    journal.close()
    assert ids(sink) == ["exe_0", "exe_1", "exe_2"]
