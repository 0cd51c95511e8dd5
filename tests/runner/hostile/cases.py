"""The hostile guests that run, each with what it must come to.

A guest is published and executed once, with everything granted unless the case says otherwise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from oriel.contract import ExecuteResponse
from oriel.errors import CATALOGUE
from tests.guests import hostile
from tests.guests.build import BASE64, BYTES, TEXT
from tests.guests.standard import answering, standard_guest

Check = Callable[[ExecuteResponse], bool]
ENDLESS = {"timeout_ms": 100, "max_host_calls": 10**9}
PATIENT = {"timeout_ms": 60_000}
"""For a guest that comes to its end by itself, on a machine however busy."""
HUNDRED_MB = 100_000_000


@dataclass(frozen=True)
class Case:
    """A guest and its end.

    Attributes:
        code: of the failure; None where the guest answers.
        status: of its answer.
        changes: members of the request.
        check: what holds of the answer beside.
    """

    wasm: bytes
    code: str | None = None
    status: int = 200
    changes: Mapping[str, Any] = field(default_factory=dict)
    check: Check = lambda _: True


def ends(code: str, wasm: bytes, check: Check = lambda _: True, **changes: Any) -> Case:
    return Case(wasm, code, changes=changes, check=check)


def answers(status: int, wasm: bytes, check: Check = lambda _: True, **changes: Any) -> Case:
    return Case(wasm, status=status, changes=changes, check=check)


def _kept_before_dropping(answer: ExecuteResponse) -> bool:
    """However far the guest came in its time: lines are dropped when there are 200, and no sooner or later."""
    receipt = answer.receipt
    full = len(answer.logs) == 200 if receipt.log_dropped else len(answer.logs) <= 200
    return full and receipt.log_lines == len(answer.logs)


def random(size: int) -> bytes:
    return answering(
        f"(call $random.get-random-bytes (i64.const {size}) (i32.const 64))",
        imports=("random/random#get-random-bytes",),
    )


SLEEP_FOR_AN_HOUR = standard_guest(
    "(call $poll.pollable.block (call $monotonic-clock.subscribe-duration (i64.const 3600000000000)))",
    imports=("clocks/monotonic-clock#subscribe-duration", "io/poll#[method]pollable.block"),
)

COMPUTING = {
    "an endless loop": ends("deadline_exceeded", hostile.LOOP, limits={"timeout_ms": 100}),
    "endless recursion": ends("stack_overflow", hostile.RECURSION),
    "a crash": ends("guest_trap", hostile.TRAP),
    "a division by zero": ends("guest_trap", hostile.DIVISION_BY_ZERO),
    "a read outside its memory": ends("guest_trap", hostile.OUT_OF_BOUNDS),
}
TAKING = {
    "memory.grow to the limit, then a crash": ends("memory_limit", hostile.MEMORY_HOG, limits={"memory_mb": 16}),
    "memory.grow to the limit, and on": answers(
        200,
        hostile.MEMORY_MODEST,
        lambda answer: answer.receipt.peak_memory_bytes <= 16 << 20,
        limits={"memory_mb": 16},
    ),
    "256 MiB at the start": ends("memory_limit", hostile.LARGE_AT_START, limits={"memory_mb": 64}),
    "table.grow to the limit": answers(200, hostile.TABLE_HOG),
    "many tables": ends("memory_limit", hostile.MANY_TABLES),
    "many memories": ends("memory_limit", hostile.MANY_MEMORIES),
    "many instances": ends("memory_limit", hostile.MANY_INSTANCES),
}
ANSWERING = {
    **{
        f"100 MB as {name}": ends("output_too_large", hostile.big_body(HUNDRED_MB, case))
        for name, case in {"text": TEXT, "bytes": BYTES, "base64": BASE64}.items()
    },
    "more bytes than the engine carries": ends(
        "output_too_large", hostile.too_many_bytes(), limits={"max_response_bytes": 1_000_000}
    ),
    "a million headers": ends("output_too_large", hostile.many_headers(1_000_000)),
    **{f"status {code}": ends("bad_response", hostile.status(code)) for code in (0, 99, 600, 65_535)},
    **{
        f"a header {name!r}: {value!r}": ends(
            "bad_response", hostile.header(name, value), lambda answer: answer.headers == ()
        )
        for name, value in (
            ("x-a\r\n", "1"),
            ("x-a", "1\r\nset-cookie: b=1"),
            ("x-a", "a\nb"),
            ("x-a", "a\rb"),
            ("x-a", "\0"),
            ("x-\0", "1"),
        )
    },
    "a body outside its memory": ends("guest_trap", hostile.BAD_POINTER),
    "a text that is not UTF-8": ends("guest_trap", hostile.BAD_UTF8),
    "a case that there is not": ends("guest_trap", hostile.BAD_CASE),
}
CALLING = {
    "a log flood": answers(
        200,
        hostile.LOGS_A_LOT,
        lambda answer: (len(answer.logs), answer.receipt.log_lines, answer.receipt.log_dropped) == (20, 20, 4_980),
        limits={"max_log_lines": 20},
    ),
    "a log flood without end": ends(
        "deadline_exceeded",
        hostile.LOG_FLOOD,
        _kept_before_dropping,
        limits=ENDLESS,
    ),
    "20 MB in one log line": ends("host_budget_exceeded", hostile.LOG_HUGE),
    "a host call in a tight loop": ends(
        "host_budget_exceeded",
        hostile.CONFIG_LOOP,
        lambda answer: answer.receipt.host_calls == 101,
        limits={"max_host_calls": 100},
    ),
    "a host call in a tight loop, as many as it likes": ends("deadline_exceeded", hostile.CONFIG_LOOP, limits=ENDLESS),
    "an import of an interface that is not granted": answers(200, hostile.IMPORTS_STORAGE, providers=[]),
    "a call of an ungranted function": answers(
        400, hostile.ASKS_FOR_THE_USER, lambda answer: answer.receipt.denied_calls == 1, providers=[]
    ),
    "a trap after a host call": ends(
        "guest_trap", hostile.LOG_TRAP, lambda answer: [line.message for line in answer.logs] == ["hello"]
    ),
    "a trap inside a host call": ends(
        "memory_limit",
        hostile.FULL_WHEN_CALLED,
        limits={"memory_mb": 16},
        context={"config": {"k": "x" * 20_000}},
    ),
    "an argument outside its memory": ends("guest_trap", hostile.BAD_ARGUMENT),
    "nowhere for the host to answer": ends("guest_trap", hostile.NOWHERE_TO_ANSWER, context={"config": {"k": "x"}}),
    "random numbers of 1 GB": ends("host_budget_exceeded", random(1 << 30)),
    "a sleep of an hour": ends("deadline_exceeded", SLEEP_FOR_AN_HOUR, limits={"timeout_ms": 100}),
}
KEEPING = {
    "no key": answers(402, hostile.puts(b"")),
    "a key of 513 bytes": answers(403, hostile.puts(b"k" * 513)),
    "a key with a NUL": answers(402, hostile.puts(b"a\0b")),
    "a key with a line break": answers(402, hostile.puts(b"a\nb")),
    "a key that is not UTF-8": ends("guest_trap", hostile.puts(b"\xff\xfe")),
    "a key with half a surrogate pair": ends("guest_trap", hostile.puts(b"\xed\xa0\x80")),
    "a value over the limit": answers(403, hostile.puts(b"k", 256 * 1024 + 1)),
    "a value of 100 MB": ends("host_budget_exceeded", hostile.puts(b"k", HUNDRED_MB)),
    "more operations than it may": ends("host_budget_exceeded", hostile.READS_STORAGE, limits={"max_kv_operations": 0}),
}
GROUPS: Mapping[str, Mapping[str, Case]] = {
    "computing": COMPUTING,
    "taking": TAKING,
    "answering": ANSWERING,
    "calling": CALLING,
    "keeping": KEEPING,
}
ALL: Mapping[str, Case] = {name: case for group in GROUPS.values() for name, case in group.items()}
LONG = frozenset(
    name
    for name, case in ALL.items()
    if case.code == "deadline_exceeded" or "100 MB" in name or "million" in name or "20 MB" in name
)
"""Those that take a tenth of a second, or a hundred megabytes."""


def verdict(case: Case, answer: ExecuteResponse) -> str | None:
    """What is wrong with a case's answer; None where it came to the right end."""
    code = answer.error and answer.error.code
    status = CATALOGUE[case.code].status if case.code else case.status
    if (code, answer.status, answer.receipt.reason) != (case.code, status, case.code):
        return f"{answer.status} {answer.error}, and not {status} {case.code}"
    if case.code and (answer.headers or answer.body()):
        return "a failure has headers or a body"
    return None if case.check(answer) else f"the receipt is not right: {answer.receipt}"
