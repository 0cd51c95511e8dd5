import pytest

from oriel.errors import OrielError
from runner.failures import INTERRUPT, OUT_OF_FUEL, STACK_OVERFLOW, UNREACHABLE, from_engine, from_host

MEGABYTE = 1 << 20
BACKTRACE = """error while executing at wasm backtrace:
    0:     0x29 - app!grow
    1:     0x31 - app!<wasm function 7>

Caused by:
    0: memory fault at wasm address 0x98967f in linear memory of size 0x10000
    1: wasm trap: {cause}
"""


UNREACHED = BACKTRACE.format(cause="wasm `unreachable` instruction executed")


def engine(code, message=UNREACHED, used=1, limit=64):
    return from_engine(code, message, memory_bytes=used * MEGABYTE, memory_limit=limit * MEGABYTE)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (INTERRUPT, "deadline_exceeded"),
        (OUT_OF_FUEL, "fuel_exhausted"),
        (STACK_OVERFLOW, "stack_overflow"),
        (UNREACHABLE, "guest_trap"),
        (1, "guest_trap"),
        (None, "guest_trap"),
    ],
)
def test_each_cause_has_its_code(code, expected):
    assert engine(code).code == expected


def test_a_crash_names_the_cause_and_the_place():
    failure = engine(1, BACKTRACE.format(cause="out of bounds memory access"))
    assert failure.detail == "out of bounds memory access (in grow), with 1.0 MiB of 64.0 MiB of memory in use."


@pytest.mark.parametrize(("used", "expected"), [(64, "memory_limit"), (57, "memory_limit"), (55, "guest_trap")])
def test_a_crash_close_under_the_memory_limit_is_the_memory_limit(used, expected):
    assert engine(UNREACHABLE, used=used).code == expected


def test_only_a_guest_that_ends_itself_can_be_out_of_memory():
    assert engine(1, used=64).code == "guest_trap"


@pytest.mark.parametrize(
    ("place", "expected"), [("", "output_too_large"), (BACKTRACE.format(cause="x"), "host_budget_exceeded")]
)
def test_what_the_engine_does_not_carry_is_too_large_on_the_side_it_came_from(place, expected):
    assert engine(None, f"{place}fuel allocated for hostcalls has been exhausted").code == expected


def test_a_message_of_the_engine_is_cut():
    assert len(engine(None, "x" * 100_000).detail) < 1_000


def test_what_a_host_function_raised_says_nothing_of_the_inside():
    failure = from_host(RuntimeError("password"))
    assert failure.code == "internal"
    assert "password" not in f"{failure.detail}{failure.hint}{failure.extra}"


def test_an_oriel_error_keeps_all_it_says():
    failure = from_host(OrielError("rate_limited", "slow", retry_after=3, extra={"a": 1}))
    assert (failure.code, failure.detail, failure.retry_after, failure.extra) == ("rate_limited", "slow", 3, {"a": 1})
