"""Traces: W3C trace context (Level 1), and spans as they are collected. Pure.

Rules kept here:

- Who is not sampled costs a look at a header. Spans are made for sampled executions alone.
- The runner collects its spans and hands them back with its answer: one process exports, and needs the network for it.
"""

import os
import re
from typing import Literal, NamedTuple

from msgspec import field

from oriel.messages import Message

HEADER = "traceparent"
MAX_SPANS = 200
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1


class TraceParent(NamedTuple):
    """A trace and the span in it that something happens under."""

    trace_id: str
    span_id: str
    sampled: bool

    @classmethod
    def parse(cls, text: str | None) -> "TraceParent | None":
        """What a `traceparent` header says; None where it is not one."""
        match = _FORM.fullmatch(text or "")
        if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
            return None
        if not int(match[2], 16) or not int(match[3], 16):
            return None
        return cls(match[2], match[3], bool(int(match[4], 16) & _SAMPLED))

    @classmethod
    def new(cls) -> "TraceParent":
        """A trace of its own, sampled."""
        return cls(os.urandom(16).hex(), new_span_id(), True)

    def child(self) -> "TraceParent":
        """A new span in the same trace."""
        return self._replace(span_id=new_span_id())

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


class Span(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of work. Times in Unix nanoseconds; `error` is empty where it went well."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    name: str
    kind: Literal["server", "client", "internal"] = "internal"
    start_ns: int
    end_ns: int
    attributes: dict[str, str] = field(default_factory=dict)
    error: str = ""


def new_span_id() -> str:
    return os.urandom(8).hex()
