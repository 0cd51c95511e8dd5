"""The codec beside the stock binding: what a call of a component costs, and what a hundred thousand calls leave.

The component hands on what it is given to a host function and returns the answer, so that a value crosses the boundary
four times a call: in, out, in, out. Both sides run it in the same engine, with a host function of the same kind; each
calls it in turns. The values are records, lists, options and results as the WIT package has them, some hundred bytes.
"""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.measure import Result, in_turns, median
from oriel.engine.types import Function, ListOf, Record, Scalar
from oriel.engine.types import Result as ResultOf
from tests.runner.codec.harness import Passage

STRING, U8 = Scalar("string"), Scalar("u8")
HEADER = Record((("name", STRING), ("value", STRING)))
MESSAGE = Record((("status", Scalar("u16")), ("headers", ListOf(HEADER)), ("body", STRING), ("mark", ListOf(U8))))
TYPE = Function((("message", MESSAGE),), ResultOf(MESSAGE, STRING))
HEADERS = [{"name": f"x-header-{at}", "value": "some value"} for at in range(6)]
VALUE: dict[str, Any] = {"status": 200, "headers": HEADERS, "body": "text " * 40, "mark": bytes(64)}
CALLS, PART, A_STORE = 100_000, 5_000, 100


def run() -> Iterator[Result]:
    passage = Passage(TYPE)
    passage.answer = lambda value: ("ok", value)
    yield from _speed(passage)
    for _ in range(PART // A_STORE):
        _some(passage)
    before = _resident()
    for _ in range((CALLS - PART) // A_STORE):
        _some(passage)
    yield Result("codec.calls", CALLS, "count")
    yield Result("codec.rss_growth_ratio", _resident() / before, "ratio")


def _speed(ours: Passage) -> Iterator[Result]:
    stock = Passage(TYPE, stock_host=True)
    stock.answer = lambda value: value  # a result without a variant's tag is the case that fits
    works = {
        "codec": lambda: ours.call(VALUE),
        "stock": lambda: stock.stock_call(_as_the_binding_has_it(VALUE)),
    }
    taken = {side: median(times) for side, times in in_turns(works, rounds=40, in_a_row=11).items()}
    for passage in (ours, stock):
        passage.renew()
    yield Result("codec.call_us", taken["codec"] * 1_000, "us")
    yield Result("codec.stock_call_us", taken["stock"] * 1_000, "us")
    yield Result("codec.vs_stock", taken["codec"] / taken["stock"], "ratio")


def _as_the_binding_has_it(value: Any) -> Any:
    """The same value with the binding's records, which have attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _as_the_binding_has_it(member) for name, member in value.items()})
    return [_as_the_binding_has_it(member) for member in value] if isinstance(value, list) else value


def _some(passage: Passage) -> None:
    """Calls in a store of their own: the guest never frees its memory."""
    passage.renew()
    for _ in range(A_STORE):
        if passage.call(VALUE) != ("ok", VALUE):
            raise RuntimeError("the value that came back is another one")


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
