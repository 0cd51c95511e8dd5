import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from wasmtime.component import Component

from oriel.engine.config import new_engine
from oriel.engine.inspect import offered_types
from oriel.errors import InvalidInput, OrielError
from runner import epochs
from runner.linking import MAX_ARGUMENT_BYTES
from runner.sandbox import HostFunction, RunFailure, RunLimits, Sandbox
from tests.guests import hostile
from tests.guests.build import BASE64, BYTES, TEXT, artifact, guest

MEGABYTE = 1 << 20
TWO_PAGES = 2 * 65_536  # what a guest of these tests starts with
LIMITS = RunLimits(timeout_s=5.0, memory_bytes=64 * MEGABYTE, max_result_bytes=2 * MEGABYTE)
REQUEST = {
    "method": "POST",
    "path": "/reports/7",
    "query": "a=1&a=2",
    "route": "/reports/:id",
    "params": [{"name": "id", "value": "7"}],
    "headers": [{"name": "x-a", "value": "1"}, {"name": "x-a", "value": "2"}],
    "body": ("text", "héllo"),
}
LOG, CONTEXT = "oriel:extension/log@1.0.0", "oriel:extension/context@1.0.0"


class State:
    """What the host functions of these tests are called with: `on_log` says what a line does."""

    def __init__(self, on_log=lambda *_: None):
        self.lines = []
        self.on_log = on_log

    def log(self, *line):
        self.lines.append(line)
        return self.on_log(*line)


HOST = (HostFunction(LOG, "emit", State.log), HostFunction(CONTEXT, "now-ms", lambda _: 7))


@pytest.fixture(scope="module", params=[16 << 20, 0], ids=["kept", "given back"])
def sandbox(request):
    """What becomes of memory between runs is no matter of theirs."""
    sandbox = Sandbox(HOST, resident_bytes=request.param)
    yield sandbox
    sandbox.close()


@pytest.fixture
def run(sandbox, tmp_path):
    """Run a guest; the state, the limits and the request may be given."""

    def run(wasm, state=None, limits=LIMITS, **request):
        component = sandbox.load(artifact(wasm, tmp_path))
        return sandbox.run(component, {**REQUEST, **request}, state=state, limits=limits)

    return run


@pytest.fixture
def failure(run):
    """Run a guest that must fail; afterwards the same sandbox serves a good one."""

    def failure(wasm, **options):
        with pytest.raises(RunFailure) as caught:
            run(wasm, **options)
        assert run(hostile.HELLO).value["body"] == ("text", "hello")
        return caught.value

    return failure


def limits(**changes):
    values = {"timeout_s": 5.0, "memory_bytes": 64 * MEGABYTE, "max_result_bytes": 2 * MEGABYTE} | changes
    return RunLimits(**values)


# -- the way of a request


def test_the_handler_answers_what_it_was_asked(run):
    assert run(hostile.ECHO).value == {"status": 200, "headers": REQUEST["headers"], "body": ("text", "héllo")}


@pytest.mark.parametrize("body", [("empty", None), ("bytes", bytes(range(256)) * 400), ("base64", "AP8A" * 50_000)])
def test_every_form_of_a_body_goes_both_ways(run, body):
    assert run(hostile.ECHO, body=body).value["body"] == body


def test_a_run_is_measured(run):
    result = run(hostile.ECHO)
    assert result.cpu_ms > 0
    assert result.duration_ms > 0
    assert result.fuel is None


def test_the_memory_that_a_guest_took_is_measured(run):
    result = run(hostile.MEMORY_MODEST, limits=limits(memory_bytes=32 * MEGABYTE))
    assert 30 * MEGABYTE <= result.peak_memory_bytes <= 32 * MEGABYTE


def test_each_run_has_a_fresh_instance(run):
    counting = guest(
        """(global.set $n (i32.add (global.get $n) (i32.const 1)))
           (call $respond (i32.add (i32.const 200) (global.get $n)) (i32.const 0) (i32.const 0)
             (i32.const 0) (i32.const 0) (i32.const 0))""",
        functions="(global $n (mut i32) (i32.const 0))",
    )
    assert [run(counting).value["status"] for _ in range(3)] == [201, 201, 201]


def test_a_host_function_gets_the_state_and_the_codec_values(run):
    state = State()
    run(hostile.LOG_ONCE, state=state)
    assert state.lines == [("info", "hello", [])]


def test_a_request_of_another_type_is_the_callers_mistake(run):
    with pytest.raises(TypeError, match=r"argument request: \.method: expected str, not int"):
        run(hostile.ECHO, method=1)
    assert run(hostile.HELLO).value["status"] == 200


@pytest.mark.parametrize("status", [0, 99, 600, 65535])
def test_any_status_comes_out_for_the_caller_to_judge(run, status):
    assert run(hostile.status(status)).value["status"] == status


@pytest.mark.parametrize(("name", "value"), [("a\r\nb", "c"), ("a", "b\r\nset-cookie: x"), ("\0", "\0")])
def test_any_header_comes_out_for_the_caller_to_judge(run, name, value):
    assert run(hostile.header(name, value)).value["headers"] == [{"name": name, "value": value}]


# -- deadlines


@pytest.mark.parametrize(
    "wasm", [hostile.LOOP, hostile.LOG_FLOOD, hostile.CONTEXT_LOOP], ids=["pure", "log", "context"]
)
def test_an_endless_loop_ends_at_the_deadline_and_not_before(failure, wasm):
    error = failure(wasm, state=State(), limits=limits(timeout_s=0.1))
    assert error.code == "deadline_exceeded"
    assert error.duration_ms >= 100
    assert error.cpu_ms > 0


def test_time_in_a_host_function_counts(failure):
    error = failure(hostile.LOG_ONCE, state=State(lambda *_: time.sleep(0.06)), limits=limits(timeout_s=0.05))
    assert error.code == "deadline_exceeded"


def test_a_deadline_of_nothing_is_a_deadline(failure):
    assert failure(hostile.LOOP, limits=limits(timeout_s=0.0)).code == "deadline_exceeded"


@pytest.fixture
def jump(monkeypatch):
    """Move the clock of the epochs on, as if the ticker had been kept waiting that long."""
    ahead = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + ahead[0])
    monkeypatch.setattr(epochs, "time", clock)

    def jump(seconds):
        ahead[0] += seconds

    return jump


def test_a_ticker_that_was_kept_waiting_does_not_stretch_deadlines(tmp_path, jump):
    sandbox = Sandbox(HOST)
    component = sandbox.load(artifact(hostile.LOG_LOOP, tmp_path))
    state = State(lambda *_: jump(61))
    with pytest.raises(RunFailure) as caught:
        sandbox.run(component, REQUEST, state=state, limits=limits(timeout_s=60))
    assert caught.value.code == "deadline_exceeded"
    assert caught.value.duration_ms < 30_000
    sandbox.close()


# -- limits


def test_endless_recursion_is_a_stack_overflow(failure):
    assert failure(hostile.RECURSION).code == "stack_overflow"


def test_a_guest_that_runs_out_of_memory_is_told_so(failure):
    error = failure(hostile.MEMORY_HOG, limits=limits(memory_bytes=16 * MEGABYTE))
    assert error.code == "memory_limit"
    assert "16.0 MiB of 16.0 MiB" in error.detail
    assert 15 * MEGABYTE <= error.peak_memory_bytes <= 16 * MEGABYTE


def test_a_guest_that_minds_its_memory_goes_on_at_the_limit(run):
    assert run(hostile.MEMORY_MODEST, limits=limits(memory_bytes=4 * MEGABYTE)).value["status"] == 200


def test_a_guest_that_wants_too_much_at_the_start_is_told_so(failure):
    error = failure(hostile.LARGE_AT_START)
    assert error.code == "memory_limit"
    assert "64.0 MiB" in error.detail


def test_a_table_stops_growing_at_its_limit(run):
    assert run(hostile.TABLE_HOG).value["status"] == 200


MANY = " ".join("(core instance (instantiate $x))" for _ in range(250))


@pytest.mark.parametrize(
    "wasm",
    [
        hostile.MANY_TABLES,
        guest("unreachable", beside=f"(core module $x (memory 1)) {MANY}"),
        guest("unreachable", beside=f"(core module $x) {MANY}"),
    ],
    ids=["tables", "memories", "instances"],
)
def test_a_component_larger_than_a_lane_is_refused_when_loading(sandbox, tmp_path, wasm):
    with pytest.raises(OrielError, match="larger than the runner has room for") as caught:
        sandbox.load(artifact(wasm, tmp_path))
    assert caught.value.code == "memory_limit"


@pytest.mark.parametrize(
    ("wasm", "cause"),
    [
        (hostile.TRAP, "unreachable"),
        (hostile.DIVISION_BY_ZERO, "divide by zero"),
        (hostile.OUT_OF_BOUNDS, "out of bounds"),
        (hostile.BAD_POINTER, "out of bounds"),
        (hostile.BAD_UTF8, "utf-8"),
        (hostile.BAD_CASE, "discriminant"),
        (hostile.LOG_TRAP, "unreachable"),
    ],
    ids=["unreachable", "division", "memory", "pointer", "utf8", "case", "after a host call"],
)
def test_a_crash_is_told_with_its_cause(failure, wasm, cause):
    error = failure(wasm, state=State())
    assert error.code == "guest_trap"
    assert cause in error.detail


@pytest.mark.parametrize("case", [TEXT, BYTES, BASE64])
def test_an_answer_over_the_limit_is_refused(failure, case):
    assert failure(hostile.big_body(2_500_000, case)).code == "output_too_large"


def test_an_answer_of_100_megabytes_is_refused_without_unpacking_it(failure):
    error = failure(hostile.big_body(100_000_000), limits=limits(memory_bytes=128 * MEGABYTE))
    assert error.code == "output_too_large"


@pytest.mark.parametrize("count", [60_000, 1_000_000])
def test_an_answer_of_very_many_headers_is_refused(failure, count):
    assert failure(hostile.many_headers(count)).code == "output_too_large"


def test_more_bytes_than_the_engine_carries_are_refused(failure):
    assert failure(hostile.too_many_bytes()).code == "output_too_large"


def test_an_answer_within_the_limit_passes(run):
    assert len(run(hostile.big_body(2_000_000)).value["body"][1]) == 2_000_000


def test_a_host_call_with_too_much_to_hand_over_ends_the_run(failure):
    state = State()
    error = failure(hostile.LOG_HUGE, state=state)
    assert error.code == "host_budget_exceeded"
    assert f"{MAX_ARGUMENT_BYTES:,}" in error.detail
    assert not state.lines


# -- host functions that fail


@pytest.mark.parametrize(
    "error", [ValueError("secret"), SystemExit(1), KeyboardInterrupt(), GeneratorExit(), MemoryError()]
)
def test_an_exception_in_a_host_function_ends_the_run_and_nothing_else(failure, error):
    def fail(*_):
        raise error

    caught = failure(hostile.LOG_ONCE, state=State(fail))
    assert caught.code == "internal"
    assert caught.__cause__ is error
    assert "secret" not in caught.detail


def test_an_oriel_error_of_a_host_function_comes_out_as_it_is(failure):
    def fail(*_):
        raise OrielError("host_budget_exceeded", "one call too many", hint="call less", extra={"limit": 3})

    caught = failure(hostile.LOG_ONCE, state=State(fail))
    assert (caught.code, caught.detail, caught.hint) == ("host_budget_exceeded", "one call too many", "call less")
    assert caught.extra == {"limit": 3}
    assert caught.duration_ms > 0


def test_a_host_function_that_answers_another_type_ends_the_run(failure):
    caught = failure(hostile.LOG_ONCE, state=State(lambda *_: "not nothing"))
    assert caught.code == "internal"
    assert isinstance(caught.__cause__, TypeError)


def test_runs_in_parallel_keep_their_states_and_errors_apart(sandbox, tmp_path):
    component = sandbox.load(artifact(hostile.LOG_ONCE, tmp_path))
    start = threading.Barrier(4)

    def fail_as(name):
        def fail(*_):
            raise OrielError("conflict", name)

        return fail

    def work(number):
        start.wait()
        for at in range(100):
            good, bad, name = State(), State(fail_as(f"{number}.{at}")), f"{number}.{at}"
            sandbox.run(component, REQUEST, state=good, limits=LIMITS)
            with pytest.raises(RunFailure) as caught:
                sandbox.run(component, REQUEST, state=bad, limits=LIMITS)
            assert (caught.value.detail, len(good.lines), len(bad.lines)) == (name, 1, 1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_each_of_several_guests_at_once_has_its_own_memory_measured(sandbox, tmp_path):
    greedy, crash = (sandbox.load(artifact(wasm, tmp_path)) for wasm in (hostile.MEMORY_MODEST, hostile.TRAP))
    start = threading.Barrier(4)

    def work(megabytes):
        bounds = limits(memory_bytes=megabytes * MEGABYTE)
        most = bounds.memory_bytes - MEGABYTE + TWO_PAGES  # it grows by whole megabytes
        start.wait()
        for _ in range(25):
            assert sandbox.run(greedy, REQUEST, state=None, limits=bounds).peak_memory_bytes == most
            with pytest.raises(RunFailure) as caught:
                sandbox.run(crash, REQUEST, state=None, limits=bounds)
            assert (caught.value.code, caught.value.peak_memory_bytes) == ("guest_trap", TWO_PAGES)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, (8, 16, 32, 64)))


def test_a_run_that_never_started_has_no_memory_of_the_one_before(sandbox, tmp_path):
    greedy, large = (sandbox.load(artifact(wasm, tmp_path)) for wasm in (hostile.MEMORY_MODEST, hostile.LARGE_AT_START))
    sandbox.run(greedy, REQUEST, state=None, limits=LIMITS)
    with pytest.raises(RunFailure) as caught:
        sandbox.run(large, REQUEST, state=None, limits=LIMITS)
    assert caught.value.peak_memory_bytes == 0


def test_lanes_are_made_for_runs_at_once_and_used_again(tmp_path):
    sandbox = Sandbox(HOST)
    path = artifact(hostile.LOG_ONCE, tmp_path)
    component = sandbox.load(path)
    path.unlink()  # what was loaded once is mapped in further lanes also when the file was evicted
    together = threading.Barrier(3)

    def meet(*_):
        together.wait(10)

    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(sandbox.run, component, REQUEST, state=State(meet), limits=LIMITS) for _ in range(3)]
        assert [run.result(10).value["status"] for run in runs] == [200] * 3
    for _ in range(5):
        sandbox.run(component, REQUEST, state=State(), limits=LIMITS)
    assert len(sandbox._free) == 3
    sandbox.close()


def test_a_guest_that_computes_does_not_hold_up_another(tmp_path, jump):
    sandbox = Sandbox(HOST)
    busy, quick = (sandbox.load(artifact(wasm, tmp_path)) for wasm in (hostile.LOG_LOOP, hostile.HELLO))
    computing = threading.Event()
    state = State(lambda *_: computing.set())
    with ThreadPoolExecutor(1) as pool:
        endless = pool.submit(sandbox.run, busy, REQUEST, state=state, limits=limits(timeout_s=60))
        assert computing.wait(10)
        assert sandbox.run(quick, REQUEST, state=None, limits=LIMITS).value["status"] == 200
        assert not endless.done()
        jump(61)
        assert endless.exception(10).code == "deadline_exceeded"
    sandbox.close()


# -- loading


def test_an_import_without_a_host_function_is_refused_when_loading(tmp_path):
    sandbox = Sandbox(HOST[1:])
    with pytest.raises(InvalidInput, match=r"log@1.0.0.emit: is not offered") as refused:
        sandbox.load(artifact(hostile.LOG_ONCE, tmp_path))
    assert refused.value.code == "invalid_component"


def test_a_component_of_another_world_is_refused_when_loading(sandbox, tmp_path):
    path = tmp_path / "other.cwasm"
    path.write_bytes(Component(new_engine(), '(component (import "a:b/c" (instance (export "f" (func)))))').serialize())
    with pytest.raises(InvalidInput) as refused:
        sandbox.load(path)
    assert [finding.at for finding in refused.value.findings] == ["imports.a:b/c.f", "exports.handler"]


def test_an_artifact_of_another_engine_is_refused_when_loading(sandbox, tmp_path):
    with pytest.raises(OrielError) as refused:
        sandbox.load(artifact(hostile.HELLO, tmp_path, fuel=True))
    assert refused.value.code == "artifact_unavailable"


def test_a_missing_artifact_is_a_missing_file(sandbox, tmp_path):
    with pytest.raises(FileNotFoundError):
        sandbox.load(tmp_path / "none.cwasm")


def test_every_function_of_the_wit_package_can_be_linked():
    everything = [HostFunction(i, n, lambda *_: None) for i, group in offered_types().items() if i for n in group]
    assert Sandbox(everything).fingerprint == Sandbox(()).fingerprint


@pytest.mark.parametrize(("interface", "name"), [(LOG, "nothing"), ("oriel:extension/nothing@1.0.0", "emit")])
def test_a_host_function_outside_the_wit_package_is_a_mistake(interface, name):
    with pytest.raises(ValueError, match="not in the WIT package"):
        Sandbox([HostFunction(interface, name, print)])


def test_a_host_function_given_twice_is_a_mistake():
    with pytest.raises(ValueError, match="twice"):
        Sandbox([HOST[0], HostFunction(LOG, "emit", print)])


# -- fuel


def test_fuel_is_counted_and_runs_out(tmp_path):
    sandbox = Sandbox(HOST, fuel=True)
    hello = sandbox.load(artifact(hostile.HELLO, tmp_path, fuel=True))
    used = [sandbox.run(hello, REQUEST, state=None, limits=limits(fuel=100_000)).fuel for _ in range(2)]
    assert used[0] == used[1] > 0
    loop = sandbox.load(artifact(hostile.LOOP, tmp_path, fuel=True))
    with pytest.raises(RunFailure) as caught:
        sandbox.run(loop, REQUEST, state=None, limits=limits(fuel=100_000))
    assert caught.value.code == "fuel_exhausted"
    assert caught.value.fuel == 100_000
    sandbox.close()


def test_a_fuel_limit_where_none_is_counted_is_refused(run):
    with pytest.raises(OrielError) as refused:
        run(hostile.HELLO, limits=limits(fuel=1))
    assert refused.value.code == "unavailable"


# -- over time


def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_thousands_of_good_and_hostile_runs_leave_nothing_behind(sandbox, tmp_path):
    guests = [
        (hostile.ECHO, None),
        (hostile.TRAP, "guest_trap"),
        (hostile.LOG_ONCE, None),
        (hostile.MEMORY_HOG, "memory_limit"),
        (hostile.big_body(500_000), "output_too_large"),
        (hostile.RECURSION, "stack_overflow"),
        (hostile.LOG_TRAP, "guest_trap"),
    ]
    loaded = [(sandbox.load(artifact(wasm, tmp_path)), code) for wasm, code in guests]
    strict = limits(memory_bytes=4 * MEGABYTE, max_result_bytes=100_000)

    def rounds(count):
        for _ in range(count):
            for component, code in loaded:
                expected = pytest.raises(RunFailure) if code else nullcontext()
                with expected as caught:
                    sandbox.run(component, REQUEST, state=State(), limits=strict)
                assert code is None or caught.value.code == code
        return resident()

    before = rounds(20)
    threads, files = threading.active_count(), open_files()
    assert rounds(300) - before < 2_000_000
    assert threading.active_count() <= threads  # one of another test may end meanwhile
    assert open_files() <= files
    assert not any(lane._runs for lane in sandbox._free)


def test_the_ticker_starts_with_the_first_run_and_stops_when_closed(tmp_path):
    def tickers():
        return sum(thread.name == "epoch-ticker" for thread in threading.enumerate())

    before = tickers()
    sandbox = Sandbox(HOST)
    component = sandbox.load(artifact(hostile.HELLO, tmp_path))
    assert tickers() == before
    sandbox.run(component, REQUEST, state=None, limits=LIMITS)
    sandbox.run(component, REQUEST, state=None, limits=LIMITS)
    assert tickers() == before + 1
    sandbox.close()
    assert tickers() == before
