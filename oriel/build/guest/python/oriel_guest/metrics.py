"""Numbers about what the extension does. Needs `metrics.emit`.

Measuring never fails a request: where the tenant has not granted it, or the execution's allowance is used up, nothing
happens. Only a name or a value that is never allowed raises `Invalid`. Labels are for what has few values, such as an
outcome or a region; never for ids.
"""

from collections.abc import Callable
from typing import Any

from oriel_guest._host import call, interface
from oriel_guest.errors import Denied, LimitExceeded

_wit = interface("metrics", "metrics.emit")


def count(name: str, by: float = 1, **labels: object) -> None:
    """Add to a counter; `by` is 0 or more. `metrics.count("orders_scored", outcome="late")`."""
    _emit(_wit.count, name, by, labels)


def gauge(name: str, value: float, **labels: object) -> None:
    """Set a gauge; the last value of a request counts."""
    _emit(_wit.gauge, name, value, labels)


def observe(name: str, value: float, **labels: object) -> None:
    """One value of a histogram: a duration in seconds, a size in bytes."""
    _emit(_wit.observe, name, value, labels)


def _emit(function: Callable[..., Any], name: str, value: float, labels: dict[str, object]) -> None:
    pairs = [_wit.Label(label, str(text)) for label, text in labels.items()]
    try:
        call(function, name, float(value), pairs)
    except (Denied, LimitExceeded):
        return
