"""Standard components: the good ones are answered as they mean it, the others end by a rule."""

from pathlib import Path

import pytest

from oriel.engine.compile import parse
from oriel.engine.config import new_engine
from oriel.errors import InvalidInput
from runner.host.table import host_functions
from runner.sandbox import RunLimits, Sandbox
from runner.wasi.cli import MAX_RANDOM_BYTES
from tests.guests.build import artifact, guest
from tests.guests.standard import ANSWER_IMPORTS, answering, standard_guest

SUBSCRIBE = "clocks/monotonic-clock#subscribe-duration"
STDOUT = ("cli/stdout#get-stdout", "io/streams#[method]output-stream.write")
HOUR = 3_600_000_000_000  # nanoseconds
MEGABYTE = 1 << 20

SLEEP = standard_guest(
    f"(call $poll.pollable.block (call $monotonic-clock.subscribe-duration (i64.const {HOUR})))",
    imports=(SUBSCRIBE, "io/poll#[method]pollable.block"),
)
POLL_FOR_EVER = standard_guest(
    f"""(local.set $p (call $monotonic-clock.subscribe-duration (i64.const {HOUR})))
        (loop $again (drop (call $poll.pollable.ready (local.get $p))) (br $again))""",
    imports=(SUBSCRIBE, "io/poll#[method]pollable.ready"),
)
PRINT_FOR_EVER = standard_guest(
    """(local.set $p (call $stdout.get-stdout))
       (loop $again
         (call $streams.output-stream.write (local.get $p) (i32.const 1024) (i32.const 6) (i32.const 64))
         (br $again))""",
    imports=STDOUT,
)
HOARD = standard_guest(
    "(loop $again (drop (call $monotonic-clock.subscribe-duration (i64.const 1))) (br $again))",
    imports=(SUBSCRIBE,),
)


def random(size: int) -> bytes:
    return answering(
        f"(call $random.get-random-bytes (i64.const {size}) (i32.const 64))",
        imports=("random/random#get-random-bytes",),
    )


# -- what is answered


@pytest.mark.parametrize("version", ["0.2.0", "0.2.3", "0.2.10", "0.2.12", "0.2.99"])
def test_a_component_may_name_any_release_of_wasi_0_2(run, version):
    found = run(answering(version=version))
    assert (found.answer.status, found.answer.body) == (200, b"hello")


@pytest.mark.parametrize("version", ["0.2.0-rc-2023-11-10", "0.3.0", "1.0.0"])
def test_another_wasi_is_not_offered(sandbox, tmp_path, version):
    with pytest.raises(InvalidInput, match=r"is not offered by the platform|is missing"):
        sandbox.load(artifact_of_any(answering(version=version), tmp_path))


def artifact_of_any(wasm, folder):
    """An artifact of what the compiler refuses."""
    path = folder / "any.cwasm"
    path.write_bytes(bytes(parse(wasm, new_engine()).serialize()))
    return path


def test_a_sandbox_without_the_standard_interfaces_loads_no_standard_component(tmp_path):
    sandbox = Sandbox(host_functions())
    with pytest.raises(InvalidInput, match="is not offered by the platform"):
        sandbox.load(artifact(answering(), tmp_path))
    sandbox.close()


def test_a_component_with_oriels_own_handler_may_import_wasi_beside_it(run):
    clock = '(import "wasi:clocks/monotonic-clock@0.2.6" (instance (export "now" (func (result u64)))))'
    wasm = guest(
        "(call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1024) (i32.const 2))",
        data="ok",
        beside=clock,
    )
    assert run(wasm).answer.body == b"ok"


def test_the_parts_of_the_request_arrive(run):
    wasm = answering(
        """(call $types.incoming-request.path-with-query (local.get $request) (i32.const 64))
           (if (i32.ne (i32.load (i32.const 72)) (i32.const 14)) (then unreachable))
           (call $types.incoming-request.method (local.get $request) (i32.const 64))
           (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 2)) (then unreachable))
           (call $types.incoming-request.consume (local.get $request) (i32.const 64))
           (call $types.incoming-body.stream (i32.load (i32.const 68)) (i32.const 80))
           (call $streams.input-stream.read (i32.load (i32.const 84)) (i64.const 100) (i32.const 96))
           (if (i32.ne (i32.load (i32.const 104)) (i32.const 4)) (then unreachable))
           (call $streams.input-stream.read (i32.load (i32.const 84)) (i64.const 100) (i32.const 96))
           (if (i32.ne (i32.load8_u (i32.const 96)) (i32.const 1)) (then unreachable))""",
        imports=(
            "http/types#[method]incoming-request.path-with-query",
            "http/types#[method]incoming-request.method",
            "http/types#[method]incoming-request.consume",
            "http/types#[method]incoming-body.stream",
            "io/streams#[method]input-stream.read",
        ),
    )
    http = {"method": "POST", "path": "/reports/7", "query": "a=1", "body_b64": "Ym9keQ=="}
    assert run(wasm, http=http).failure is None


def test_a_short_sleep_is_slept(run):
    wasm = answering(
        "(call $poll.pollable.block (call $monotonic-clock.subscribe-duration (i64.const 20000000)))",
        imports=(SUBSCRIBE, "io/poll#[method]pollable.block"),
    )
    found = run(wasm)
    assert found.answer.body == b"hello"
    assert found.execution.elapsed_ms() >= 20


def test_what_is_printed_is_logged_line_by_line(run):
    write = "(call $streams.output-stream.write (local.get $p) (i32.const 1024) (i32.const {}) (i32.const 64))"
    writes = (write.format(6), write.format(3), write.format(6), write.format(2))
    found = run(answering("(local.set $p (call $stdout.get-stdout))" + "".join(writes), imports=STDOUT))
    assert [(line.level, line.message) for line in found.execution.lines] == [
        ("info", "hello"),
        ("info", "helhello"),
        ("info", "he"),
    ]
    assert found.execution.lines[0].fields == {"stream": "stdout"}


def test_handles_that_are_dropped_are_gone(run):
    wasm = answering(
        """(local.set $i (i32.const 20000))
           (loop $again
             (call $drop.pollable (call $monotonic-clock.subscribe-duration (i64.const 1)))
             (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))""",
        imports=(SUBSCRIBE,),
    )
    assert run(wasm).answer.body == b"hello"


# -- nothing is given


def test_there_are_no_arguments_no_environment_and_no_directories(run):
    calls = ("environment.get-environment", "environment.get-arguments", "preopens.get-directories")
    wasm = answering(
        "".join(f"(call ${call} (i32.const 64)) (if (i32.load (i32.const 68)) (then unreachable))" for call in calls),
        imports=(
            "cli/environment#get-environment",
            "cli/environment#get-arguments",
            "filesystem/preopens#get-directories",
        ),
    )
    assert run(wasm).failure is None


def test_standard_input_is_at_its_end(run):
    wasm = answering(
        """(call $streams.input-stream.read (call $stdin.get-stdin) (i64.const 1) (i32.const 64))
           (if (i32.ne (i32.load8_u (i32.const 68)) (i32.const 1)) (then unreachable))""",
        imports=("cli/stdin#get-stdin", "io/streams#[method]input-stream.read"),
    )
    assert run(wasm).failure is None


def test_a_socket_is_denied_and_the_denial_counted(run):
    wasm = answering(
        """(call $tcp-create-socket.create-tcp-socket (i32.const 0) (i32.const 64))
           (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1)) (then unreachable))""",
        imports=("sockets/tcp-create-socket#create-tcp-socket",),
    )
    found = run(wasm)
    assert (found.failure, found.used.denied_calls) == (None, 1)


def test_names_are_not_looked_up(run):
    wasm = answering(
        """(call $ip-name-lookup.resolve-addresses (call $instance-network.instance-network)
             (i32.const 1024) (i32.const 5) (i32.const 64))
           (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1)) (then unreachable))""",
        imports=("sockets/instance-network#instance-network", "sockets/ip-name-lookup#resolve-addresses"),
    )
    found = run(wasm)
    assert (found.failure, found.used.denied_calls) == (None, 1)


# -- hostile


def test_a_sleep_past_the_deadline_ends_at_the_deadline(run):
    found = run(SLEEP, limits={"timeout_ms": 150})
    assert found.failure.code == "deadline_exceeded"
    assert found.execution.elapsed_ms() >= 150


def test_polling_for_ever_ends_at_the_deadline(failure):
    assert failure(POLL_FOR_EVER, limits={"timeout_ms": 100}).code == "deadline_exceeded"


def test_polling_for_ever_ends_with_the_budget_of_calls(failure):
    ended = failure(POLL_FOR_EVER, limits={"max_host_calls": 5})
    assert (ended.code, "500 calls of standard interfaces" in ended.detail) == ("host_budget_exceeded", True)


def test_waiting_for_nothing_is_a_crash(failure):
    wasm = standard_guest("(call $poll.poll (i32.const 0) (i32.const 0) (i32.const 64))", imports=("io/poll#poll",))
    assert "waits for nothing" in failure(wasm).detail


def test_a_gigabyte_of_random_numbers_harms_nobody(failure, run):
    assert failure(random(1 << 30)).code == "host_budget_exceeded"
    assert failure(random(1 << 63)).code == "host_budget_exceeded"
    assert run(random(MAX_RANDOM_BYTES)).answer.body == b"hello"


def test_a_flood_of_output_is_dropped_and_counted(run):
    found = run(PRINT_FOR_EVER, limits={"max_host_calls": 50, "max_log_lines": 20})
    assert found.failure.code == "host_budget_exceeded"
    assert (found.used.log_lines, len(found.execution.lines)) == (20, 20)
    assert found.used.log_dropped >= 4_900


def test_output_without_a_newline_takes_no_more_than_a_line(run):
    wasm = answering(
        """(local.set $p (call $stdout.get-stdout))
           (local.set $n (call $alloc (i32.const 1000000)))
           (memory.fill (local.get $n) (i32.const 65) (i32.const 1000000))
           (call $streams.output-stream.write (local.get $p) (local.get $n) (i32.const 1000000) (i32.const 64))""",
        imports=STDOUT,
    )
    found = run(wasm)
    assert found.execution.printed == {}
    assert len(found.execution.lines[0].message) < 8_192


def test_a_million_handles_are_too_many(failure):
    ended = failure(HOARD)
    assert (ended.code, "4,096 resources" in ended.detail) == ("host_budget_exceeded", True)


def test_a_handle_that_was_dropped_is_no_handle(failure):
    wasm = standard_guest(
        """(local.set $p (call $monotonic-clock.subscribe-duration (i64.const 1)))
           (call $drop.pollable (local.get $p))
           (call $poll.pollable.block (local.get $p))""",
        imports=(SUBSCRIBE, "io/poll#[method]pollable.block"),
    )
    assert failure(wasm).code == "guest_trap"


def test_a_handle_of_another_resource_is_no_handle(failure):
    wasm = standard_guest(
        "(call $poll.pollable.block (local.get $request))", imports=("io/poll#[method]pollable.block",)
    )
    assert failure(wasm).code == "guest_trap"


def test_headers_without_end_are_refused(failure):
    wasm = standard_guest(
        """(local.set $p (call $types.fields))
           (loop $again
             (call $types.fields.append (local.get $p) (i32.const 1024) (i32.const 5) (i32.const 1024) (i32.const 5)
               (i32.const 64))
             (br $again))""",
        imports=("http/types#[constructor]fields", "http/types#[method]fields.append"),
    )
    assert "256 headers" in failure(wasm).detail


def test_an_answer_larger_than_it_may_be_is_refused_while_it_is_written(failure):
    ended = failure(answering(), limits={"max_response_bytes": 4})
    assert ended.code == "output_too_large"


@pytest.mark.parametrize("status", [0, 1])
def test_exit_ends_the_execution(failure, status):
    wasm = standard_guest(f"(call $exit.exit (i32.const {status}))", imports=("cli/exit#exit",))
    ended = failure(wasm)
    assert ended.code == "guest_trap"
    assert "wasi:cli/exit" in ended.detail


def test_no_answer_is_a_bad_answer(failure):
    ended = failure(standard_guest(""))
    assert (ended.code, "without an answer" in ended.detail) == ("bad_response", True)


def test_half_an_answer_is_a_bad_answer(failure):
    wasm = standard_guest(
        """(local.set $n (call $types.outgoing-response (call $types.fields)))
           (call $types.outgoing-response.body (local.get $n) (i32.const 64))
           (call $types.response-outparam.set (local.get $out) (i32.const 0) (local.get $n)
             (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
        imports=ANSWER_IMPORTS,
    )
    ended = failure(wasm)
    assert (ended.code, "before its answer was finished" in ended.detail) == ("bad_response", True)


def test_an_error_instead_of_an_answer_is_a_bad_answer(failure):
    wasm = standard_guest(
        """(call $types.response-outparam.set (local.get $out) (i32.const 1) (i32.const 0)
             (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
        imports=ANSWER_IMPORTS,
    )
    assert "the error DNS-timeout" in failure(wasm).detail


def test_many_runs_leave_nothing_behind(sandbox, tmp_path, make_execution):
    loaded = sandbox.load(artifact(answering(), tmp_path))
    request = {"method": "GET", "path": "/", "query": "", "headers": [], "body": ("empty", None)}

    def run(times):
        for _ in range(times):
            sandbox.run(loaded, request, state=make_execution(), limits=RunLimits(5, 1 << 26))
        return resident()

    assert run(500) + 4 * MEGABYTE > run(1_500)


def resident():
    """The process's resident memory in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
