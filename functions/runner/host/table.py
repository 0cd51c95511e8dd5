"""The one table of host functions: which there are, what each needs, and what it answers where that is not granted.

Rules kept here:

- A function that is not in the table cannot be called; one that is needs its capability in the execution's
  providers. The check stands in `runner.host.guard` and nowhere else.
- A call without the grant answers the interface's typed `denied` and is counted. It is no trap: an extension may
  ask and go on without.
- Every call but a log line and a sample is counted against the execution's host calls, also a denied one, and none
  begins after the deadline.
"""

import importlib
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from oriel.capabilities import ALWAYS, BY_INTERFACE, WIT_PACKAGE, WIT_VERSION
from runner.host import context, http, log, metrics, product, secrets, storage, user
from runner.host.guard import guarded
from runner.linking import HostFunction


def denied_error(capability: str) -> Any:
    """`err(denied(…))`: the first case of every `error` variant in the WIT package."""
    return ("err", ("denied", f"The tenant has not granted {capability}."))


def _later(module: str, name: str) -> Callable[..., Any]:
    """A function of a module of this package that is imported with the first call: most processes have none."""

    def call(*arguments: Any) -> Any:
        return getattr(importlib.import_module(f"runner.host.{module}"), name)(*arguments)

    return call


class Row(Struct, frozen=True):
    """One host function.

    Attributes:
        interface, name: as in the WIT package, `storage` and `get-many`.
        call: the implementation; gets the execution and the decoded arguments, returns the value to encode.
        denied: the answer where `capability` is not granted; None for what is always there.
        counted: whether a call is charged to the budget of host calls.
    """

    interface: str
    name: str
    call: Callable[..., Any]
    denied: Callable[[str], Any] | None = denied_error
    counted: bool = True

    @property
    def capability(self) -> str:
        return BY_INTERFACE[self.interface].name


TABLE: tuple[Row, ...] = (
    Row("context", "get", context.get, denied=None),
    Row("context", "config", context.config, denied=None),
    Row("context", "config-all", context.config_all, denied=None),
    Row("context", "now-ms", context.now_ms, denied=None),
    Row("context", "random-u64", context.random_u64, denied=None),
    Row("log", "emit", log.emit, denied=None, counted=False),
    Row("storage", "get", storage.get),
    Row("storage", "get-many", storage.get_many),
    Row("storage", "put", storage.put),
    Row("storage", "put-many", storage.put_many),
    Row("storage", "delete", storage.delete),
    Row("storage", "list", storage.list_),
    Row("secrets", "get", secrets.get),
    Row("secrets", "names", secrets.names),
    Row("http", "fetch", http.fetch),
    Row("user", "get", user.get),
    Row("metrics", "count", metrics.count, counted=False),
    Row("metrics", "gauge", metrics.gauge, counted=False),
    Row("metrics", "observe", metrics.observe, counted=False),
    Row("host", "call", product.call),
    Row("events", "emit", _later("events", "emit")),
    Row("schedule", "list", _later("schedule", "list_")),
    Row("schedule", "put", _later("schedule", "put")),
    Row("schedule", "delete", _later("schedule", "delete")),
)


def host_functions() -> tuple[HostFunction, ...]:
    """The table as the sandbox links it."""
    return tuple(HostFunction(f"{WIT_PACKAGE}/{row.interface}@{WIT_VERSION}", row.name, _guarded(row)) for row in TABLE)


def _guarded(row: Row) -> Callable[..., Any]:
    capability, denied = row.capability, row.denied
    if (denied is None) != (capability in ALWAYS):
        raise ValueError(f"{row.interface}.{row.name}: a denial is for what needs a grant, and only for that")

    place = f"{WIT_PACKAGE}/{row.interface}.{row.name}"
    return guarded(place, row.call, capability, denied, counted=row.counted)
