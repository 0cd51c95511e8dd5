"""Who is asking, for whom, with which settings; the clock and randomness of the host. Always there."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from oriel_guest._host import interface

T = TypeVar("T")

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # base 32 without i, l, o and u


@dataclass(frozen=True, slots=True)
class Info:
    """The ids of one execution.

    Attributes:
        trigger: `http`, `event` or `schedule`.
        remaining_ms: milliseconds left, when it was asked for, until the execution is stopped.
    """

    request_id: str
    execution_id: str
    tenant_id: str
    extension_id: str
    install_id: str
    version: str
    trigger: str
    remaining_ms: int


def _wit() -> Any:
    return interface("context", "context.read")


def get() -> Info:
    """The ids of this execution and the time it has left."""
    info = _wit().get()
    return Info(
        info.request_id,
        info.execution_id,
        info.tenant_id,
        info.extension_id,
        info.install_id,
        info.version,
        info.trigger.name.lower(),
        info.remaining_ms,
    )


def setting(key: str, default: T) -> T:
    """One value of the install's configuration, of the type that `default` has.

    Text comes as it is; everything else was written as JSON. A value of another type than the default's is the
    default: the manifest's `settings` schema has refused it before it got here, unless the two disagree.
    """
    raw: Any = _wit().config(key)
    if raw is None:
        return default
    if isinstance(default, str):
        return cast("T", raw)
    try:
        value = json.loads(raw)
    except json.JSONDecodeError:
        return default
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return value if default is None or type(value) is type(default) else default


def settings() -> dict[str, str]:
    """The whole configuration as it is stored: values that are not text are JSON text."""
    return dict(_wit().config_all())


def now() -> datetime:
    """The time, in UTC."""
    return datetime.fromtimestamp(now_ms() / 1000, UTC)


def now_ms() -> int:
    """Unix time in milliseconds."""
    milliseconds: int = _wit().now_ms()
    return milliseconds


def random_u64() -> int:
    """64 random bits from the host's secure source."""
    bits: int = _wit().random_u64()
    return bits


def new_id() -> str:
    """26 characters, unique, ordered by time: a good storage key."""
    stamp = (now_ms() << 80) | (random_u64() << 16) | (random_u64() & 0xFFFF)
    return "".join(_ALPHABET[(stamp >> shift) & 31] for shift in range(125, -1, -5))
