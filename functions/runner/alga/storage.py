"""`storage` of `alga:extension`: namespaces of records, each with a revision, in the install's own store.

Rules kept here:

- A record's key in the store begins with a control character, which no key of `oriel:extension` may have, and with the
  length of its namespace: no two pairs of namespace and key meet, and none meets a key of Oriel's own interface.
- A revision is 1 for a new record and grows by one a write. One that is given must be the stored one: a record that is
  not there has none.
- A listing is in the order of the keys. Its cursor is the key of the last entry that was seen, so a page that ends
  early, for what the engine can carry, loses nothing.
"""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from oriel.errors import OrielError
from oriel.store.cursors import encode_cursor
from oriel.store.errors import Conflict
from oriel.store.guests import GuestRecord, GuestStore, GuestWrite
from runner.execution import Execution
from runner.host import log
from runner.host.storage import MAX_KEY_BYTES, MAX_PAGE, MAX_VALUE_BYTES

MARK = "\x1f"
MAX_NAMESPACE_BYTES = 256
MAX_PAGE_BYTES = 1_000_000

P = ParamSpec("P")


class _Refused(Exception):
    """An error of the interface, with the words that it has no room for."""

    def __init__(self, case: str, message: str = "") -> None:
        self.case, self.message = case, message
        super().__init__(message)


def _typed(function: Callable[Concatenate[Execution, P], Any]) -> Callable[Concatenate[Execution, P], Any]:
    def call(execution: Execution, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return ("ok", function(execution, *args, **kwargs))
        except _Refused as refused:
            if refused.message:
                log.emit(execution, "warn", f"storage: {refused.message}", [])
            return ("err", refused.case)
        except Conflict:
            return ("err", "conflict")
        except OrielError as error:
            if error.code != "unavailable":
                raise
            return ("err", "internal")

    return call


@_typed
def get(execution: Execution, namespace: str, key: str) -> dict[str, Any]:
    stored = _key(namespace, key)
    execution.budgets.charge_kv(reads=1)
    context = execution.context
    records = _store(execution).guest_get(context.tenant_id, context.install_id, [stored])
    if not records:
        raise _Refused("missing")
    execution.budgets.charge_kv(size=len(records[0].value))
    return _entry(namespace, records[0])


@_typed
def put(execution: Execution, entry: dict[str, Any]) -> dict[str, Any]:
    value, revision = bytes(entry["value"]), entry["revision"]
    key = _key(entry["namespace"], entry["key"])
    if len(value) > MAX_VALUE_BYTES:
        raise _Refused("internal", f"a value has {len(value):,} bytes; at most {MAX_VALUE_BYTES:,} can be stored.")
    write = GuestWrite(key=key, value=value, text=False, when="always" if revision is None else revision)
    execution.budgets.charge_kv(writes=1, size=len(value))
    context = execution.context
    (written,) = _store(execution).guest_put(context.tenant_id, context.install_id, [write])
    return {**entry, "revision": written}


@_typed
def delete(execution: Execution, namespace: str, key: str) -> None:
    stored = _key(namespace, key)
    execution.budgets.charge_kv(writes=1)
    context = execution.context
    if not _store(execution).guest_delete(context.tenant_id, context.install_id, stored):
        raise _Refused("missing")


@_typed
def list_entries(execution: Execution, namespace: str, cursor: str | None) -> list[dict[str, Any]]:
    after = None if cursor is None else encode_cursor(_key(namespace, cursor).encode())
    execution.budgets.charge_kv(reads=1)
    context = execution.context
    prefix = _prefix(namespace)
    page = _store(execution).guest_list(context.tenant_id, context.install_id, prefix, after, MAX_PAGE)
    entries: list[dict[str, Any]] = []
    size = 0
    for record in page.items:
        size += len(record.value)
        if entries and size > MAX_PAGE_BYTES:
            break
        execution.budgets.charge_kv(size=len(record.value))
        entries.append(_entry(namespace, record))
    return entries


def _prefix(namespace: str) -> str:
    size = len(namespace.encode())
    if size > MAX_NAMESPACE_BYTES:
        raise _Refused("internal", f"a namespace has {size:,} bytes; at most {MAX_NAMESPACE_BYTES} are allowed.")
    return f"{MARK}{size}{MARK}{namespace}"


def _key(namespace: str, key: str) -> str:
    size = len(key.encode())
    if not 1 <= size <= MAX_KEY_BYTES:
        raise _Refused("internal", f"a key has {size:,} bytes; 1 to {MAX_KEY_BYTES} are allowed.")
    return _prefix(namespace) + key


def _entry(namespace: str, record: GuestRecord) -> dict[str, Any]:
    key = record.key.removeprefix(_prefix(namespace))
    return {"namespace": namespace, "key": key, "value": record.value, "revision": record.revision}


def _store(execution: Execution) -> GuestStore:
    if execution.services.store is None:
        raise _Refused("internal")
    return execution.services.store
