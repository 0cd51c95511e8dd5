"""Executions of real guests: good ones, and the hostile ones of the host APIs and of the answer."""

import base64
import threading

import pytest

from oriel.errors import CATALOGUE
from runner.pool import Share
from tests.guests import hostile
from tests.guests.build import BINARY, BYTES, TEXT, guest

EMPTY_ANSWER = "(call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"

CONFIG_LOOP = guest(
    """(loop $again (call $context.config (i32.const 1024) (i32.const 1) (i32.const 128)) (br $again)) unreachable""",
    imports=("context.config",),
    data="k",
)
LOGS_A_LOT = guest(
    f"""(local.set $n (i32.const 5000))
        (loop $again
          (call $log.emit (i32.const 1) (i32.const 1024) (i32.const 5) (i32.const 0) (i32.const 0))
          (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        {EMPTY_ANSWER}""",
    imports=("log.emit",),
    data="flood",
)


def telling_error(call: str, imported: str, payload: int) -> bytes:
    """Calls a host function whose result stands at 128; answers 400 and the error's case, or 200."""
    return guest(
        f"""{call} (call $respond
             (if (result i32) (i32.load8_u (i32.const 128))
               (then (i32.add (i32.const 400) (i32.load8_u (i32.const {payload})))) (else (i32.const 200)))
             (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
        imports=(imported,),
        data="k",
    )


ASKS_FOR_THE_USER = telling_error("(call $user.get (i32.const 128))", "user.get", 132)
READS_STORAGE = telling_error("(call $storage.get (i32.const 1024) (i32.const 1) (i32.const 128))", "storage.get", 136)


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


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("LOOP", "deadline_exceeded"),
        ("TRAP", "guest_trap"),
        ("RECURSION", "stack_overflow"),
        ("MEMORY_HOG", "memory_limit"),
        ("BAD_POINTER", "guest_trap"),
        ("LOG_HUGE", "host_budget_exceeded"),
    ],
)
def test_each_end_has_its_own_code_and_a_receipt(execute, name, code):
    answer = execute(getattr(hostile, name), limits={"timeout_ms": 300, "memory_mb": 64})
    assert answer.error.code == code
    assert answer.status == CATALOGUE[code].status
    assert answer.receipt.reason == code
    assert answer.receipt.duration_ms > 0


def test_after_each_hostile_guest_the_same_runner_serves_a_good_request(platform, make_request):
    runner = platform.runner()
    good = platform.publish(hostile.HELLO)
    for wasm in (
        hostile.TRAP,
        hostile.RECURSION,
        hostile.LOG_TRAP,
        hostile.MEMORY_HOG,
        hostile.status(99),
        CONFIG_LOOP,
    ):
        bad = platform.publish(wasm)
        assert runner.execute(make_request(context={"content_hash": bad}, limits={"memory_mb": 32})).error is not None
        assert runner.execute(make_request(context={"content_hash": good})).body() == b"hello"


@pytest.mark.parametrize("status", [0, 99, 600, 65_535])
def test_a_status_out_of_range_is_a_bad_response(execute, status):
    assert execute(hostile.status(status)).error.code == "bad_response"


@pytest.mark.parametrize("status", [302, 404, 503])
def test_a_guests_own_errors_pass_as_they_are(execute, status):
    answer = execute(hostile.status(status))
    assert (answer.status, answer.error) == (status, None)


@pytest.mark.parametrize(
    ("name", "value"), [("x-a\r\n", "1"), ("x-a", "1\r\nset-cookie: b=1"), ("x-a", "a\nb"), ("x-\x00", "1")]
)
def test_a_header_that_splits_the_response_is_a_bad_response(execute, name, value):
    answer = execute(hostile.header(name, value))
    assert answer.error.code == "bad_response"
    assert answer.headers == ()


@pytest.mark.parametrize("case", [TEXT, BYTES, BINARY])
def test_an_answer_of_100_mb_is_too_large_an_output(execute, case):
    answer = execute(hostile.big_body(100_000_000, case))
    assert answer.error.code in {"output_too_large", "guest_trap"}  # the engine itself refuses such a list
    assert answer.error.code == "output_too_large" or case == BYTES
    assert answer.body() == b""


def test_a_million_headers_are_too_large_an_output(execute):
    assert execute(hostile.many_headers(1_000_000)).error.code == "output_too_large"


def test_a_limit_of_the_response_is_exact_also_for_a_small_one(execute):
    limits = {"max_response_bytes": 5}
    assert execute(hostile.HELLO, limits=limits).body() == b"hello"
    assert execute(hostile.big_body(6), limits=limits).error.code == "output_too_large"


def test_a_host_call_in_a_tight_loop_uses_up_its_budget(execute):
    answer = execute(CONFIG_LOOP, limits={"max_host_calls": 100})
    assert answer.error.code == "host_budget_exceeded"
    assert answer.receipt.host_calls == 101


def test_the_deadline_ends_a_loop_of_host_calls(execute):
    answer = execute(CONFIG_LOOP, limits={"timeout_ms": 100, "max_host_calls": 10**9})
    assert answer.error.code == "deadline_exceeded"


def test_a_log_flood_is_dropped_and_counted_and_the_request_answered(execute):
    answer = execute(LOGS_A_LOT, limits={"max_log_lines": 20})
    assert (answer.status, answer.error) == (200, None)
    assert [line.message for line in answer.logs] == ["flood"] * 20
    receipt = answer.receipt
    assert (receipt.log_lines, receipt.log_bytes, receipt.log_dropped) == (20, 100, 4_980)


def test_lines_logged_before_a_trap_are_kept(execute):
    answer = execute(hostile.LOG_TRAP)
    assert answer.error.code == "guest_trap"
    assert [line.message for line in answer.logs] == ["hello"]


def test_an_ungranted_function_answers_denied_and_is_counted(execute):
    answer = execute(ASKS_FOR_THE_USER, user={"id": "u1"})
    assert (answer.status, answer.error) == (400, None)
    assert answer.receipt.denied_calls == 1


def test_a_granted_function_answers(execute):
    answer = execute(ASKS_FOR_THE_USER, user={"id": "u1"}, providers=["user.read"])
    assert answer.status == 200
    assert (answer.receipt.host_calls, answer.receipt.denied_calls) == (1, 0)


def test_storage_is_counted_in_the_receipt(execute):
    answer = execute(READS_STORAGE, providers=["storage.kv"])
    assert (answer.status, answer.receipt.kv_reads) == (200, 1)
    assert execute(READS_STORAGE).status == 400


def test_the_budget_of_key_value_operations_ends_the_execution(execute):
    answer = execute(READS_STORAGE, providers=["storage.kv"], limits={"max_kv_operations": 0})
    assert answer.error.code == "host_budget_exceeded"


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
    assert "hunter2" not in answer.model_dump_json()
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
    runner.close()
    assert set(threading.enumerate()) <= before
