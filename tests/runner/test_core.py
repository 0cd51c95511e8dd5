"""Executions of real guests: answers, receipts, and whose they are. The hostile guests are in `hostile`."""

import base64
import threading

import pytest

from runner.pool import Share
from tests.guests import hostile


@pytest.fixture
def execute(platform, make_request):
    """Publish a guest and execute it once."""
    runner = platform.runner()

    def run(wasm, **changes):
        context = {"content_hash": platform.publish(wasm), **changes.pop("context", {})}
        return runner.execute(make_request(context=context, **changes))

    return run


def body(data, content_type):
    return {
        "method": "POST",
        "headers": [["content-type", content_type]],
        "body_b64": base64.b64encode(data).decode(),
    }


def test_a_good_request_is_answered_with_a_receipt(execute):
    answer = execute(hostile.HELLO)
    assert (answer.status, answer.body(), answer.error) == (200, b"hello", None)
    receipt = answer.receipt
    assert receipt.duration_ms > 0
    assert receipt.peak_memory_bytes > 0
    assert receipt.reason is None


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"", "text/plain"),
        ("grüß".encode(), "text/plain; charset=utf-8"),
        (b"\x00\xff" * 1_000, "application/octet-stream"),
        (b"\xff\xfe", "application/json"),
        (b"\x00\xff" * 1_000_000, "image/png"),
    ],
)
def test_bodies_cross_both_ways_unchanged(execute, data, content_type):
    answer = execute(hostile.ECHO, http=body(data, content_type))
    assert answer.error is None
    assert answer.body() == data
    assert answer.headers == (("content-type", content_type),)


def test_only_the_first_request_is_cold(platform, make_request):
    runner, context = platform.runner(), {"content_hash": platform.publish(hostile.HELLO)}
    colds = [runner.execute(make_request(context=context)).receipt.cold for _ in range(3)]
    assert colds == [True, False, False]


@pytest.mark.parametrize("status", [302, 404, 503])
def test_a_guests_own_errors_pass_as_they_are(execute, status):
    answer = execute(hostile.status(status))
    assert (answer.status, answer.error) == (status, None)


def test_a_limit_of_the_response_is_exact_also_for_a_small_one(execute):
    limits = {"max_response_bytes": 5}
    assert execute(hostile.HELLO, limits=limits).body() == b"hello"
    assert execute(hostile.big_body(6), limits=limits).error.code == "output_too_large"


def test_a_granted_function_answers(execute):
    answer = execute(hostile.ASKS_FOR_THE_USER, user={"id": "u1"}, providers=["user.read"])
    assert answer.status == 200
    assert (answer.receipt.host_calls, answer.receipt.denied_calls) == (1, 0)


def test_storage_is_counted_in_the_receipt(execute):
    answer = execute(hostile.READS_STORAGE, providers=["storage.kv"])
    assert (answer.status, answer.receipt.kv_reads) == (200, 1)
    assert execute(hostile.READS_STORAGE).status == 400


def test_a_missing_timeout_is_the_default_and_no_trap(execute):
    assert execute(hostile.HELLO, limits={}).error is None


def test_a_deadline_that_has_passed_before_the_start_runs_nothing(platform, make_request):
    runner = platform.runner()
    asked = make_request(context={"content_hash": platform.publish(hostile.HELLO)})
    answer = runner.execute(asked, started_at=-1_000_000.0)
    assert answer.error.code == "deadline_exceeded"
    assert answer.receipt.cpu_ms == 0


def test_a_bundle_of_another_extension_is_refused(execute):
    answer = execute(hostile.HELLO, context={"extension_id": "com.evil.other"})
    assert answer.error.code == "malformed_request"


def test_a_bundle_that_is_not_there_is_unavailable_and_never_compiled(platform, make_request):
    answer = platform.runner().execute(make_request())
    assert (answer.status, answer.error.code) == (503, "artifact_unavailable")


def test_an_unexpected_failure_tells_nothing_of_the_inside(platform, make_request, monkeypatch, caplog):
    runner = platform.runner()

    def fails(*_args, **_more):
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(runner._components, "get", fails)
    answer = runner.execute(make_request())
    assert (answer.status, answer.error.code) == (500, "internal")
    assert b"hunter2" not in answer.to_json()
    assert "hunter2" in caplog.text


def test_a_looping_tenant_leaves_a_thread_for_a_quiet_one(platform, make_request):
    runner = platform.runner(Share.of(2))
    looping, good = platform.publish(hostile.LOOP), platform.publish(hostile.HELLO)
    noisy = [
        runner.submit(
            make_request(context={"tenant_id": "noisy", "content_hash": looping}, limits={"timeout_ms": 2_000})
        )
        for _ in range(4)
    ]
    quiet = [runner.submit(make_request(context={"tenant_id": "quiet", "content_hash": good})) for _ in range(5)]
    assert [answer.result(10).body() for answer in quiet] == [b"hello"] * 5
    assert not any(answer.done() for answer in noisy)
    assert {answer.result(20).error.code for answer in noisy} == {"deadline_exceeded"}


def test_a_closed_runner_leaves_no_thread(platform, make_request):
    before = set(threading.enumerate())
    runner = platform.runner()
    runner.execute(make_request(context={"content_hash": platform.publish(hostile.HELLO)}))
    begun = set(threading.enumerate()) - before
    runner.close()
    assert begun
    assert not any(thread.is_alive() for thread in begun if "process_request_thread" not in thread.name)
