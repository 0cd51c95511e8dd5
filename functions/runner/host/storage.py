"""`oriel:extension/storage`: key-value records of one install.

Rules kept here:

- The tenant and the install come from the execution, never from the guest.
- Limits of `wit/storage.wit` are checked before the store is asked, and answered with typed errors that name the
  key. Spending more than the execution's budget ends it instead.
- A body keeps its form: what was written as text is read as text, anything else as bytes.
"""

import time
import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal, ParamSpec, TypeAlias, TypedDict, TypeVar

from oriel.errors import OrielError
from oriel.store.errors import Conflict
from oriel.store.guests import GuestRecord, GuestStore, GuestWrite
from runner.execution import Execution
from runner.host.bodies import NOT_BASE64, Body, to_bytes

MAX_KEY_BYTES = 512
MAX_VALUE_BYTES = 256 * 1024
MAX_KEYS = 100
MAX_WRITES = 25
MAX_PAGE = 100
MAX_CURSOR_CHARACTERS = 2_048

P = ParamSpec("P")
T = TypeVar("T")

Problem: TypeAlias = Literal["conflict", "invalid", "limit-exceeded", "unavailable"]
Result: TypeAlias = tuple[Literal["ok"], T] | tuple[Literal["err"], tuple[Problem, str]]
Always: TypeAlias = tuple[Literal["always", "absent"], None]
Condition: TypeAlias = Always | tuple[Literal["revision"], int]


class Entry(TypedDict):
    key: str
    value: Body
    revision: int
    expires_at: int | None


class Write(TypedDict):
    key: str
    value: Body
    when: Condition
    ttl_seconds: int | None


class EntryPage(TypedDict):
    entries: list[Entry]
    cursor: str | None


class _Refused(Exception):
    """An answer of type `storage.error`."""

    def __init__(self, case: Problem, message: str) -> None:
        self.case = case
        self.message = message
        super().__init__(message)


def _typed(function: Callable[P, T]) -> Callable[P, Result[T]]:
    """Answer `ok`, or the typed error for what the arguments or the store refused."""

    def call(*args: P.args, **kwargs: P.kwargs) -> Result[T]:
        try:
            return ("ok", function(*args, **kwargs))
        except _Refused as refused:
            return ("err", (refused.case, refused.message))
        except Conflict as error:
            return ("err", ("conflict", error.detail))
        except OrielError as error:
            if error.code == "unavailable":
                return ("err", ("unavailable", "The store did not answer."))
            if error.code in {"malformed_request", "invalid_input"}:
                return ("err", ("invalid", error.detail))
            raise

    return call


@_typed
def get(execution: Execution, key: str) -> Entry | None:
    records = _read(execution, [key])
    return _entry(records[0]) if records else None


@_typed
def get_many(execution: Execution, keys: list[str]) -> list[Entry]:
    _at_most(len(keys), MAX_KEYS, "keys")
    return [_entry(record) for record in _read(execution, keys)]


@_typed
def put(execution: Execution, write: Write) -> int:
    return _write(execution, [write])[0]


@_typed
def put_many(execution: Execution, writes: list[Write]) -> list[int]:
    _at_most(len(writes), MAX_WRITES, "writes")
    return _write(execution, writes)


@_typed
def delete(execution: Execution, key: str, when: Condition) -> bool:
    _check_key("key", key)
    if when[0] == "absent":
        raise _Refused("invalid", "when: only a record that is there can be deleted.")
    execution.budgets.charge_kv(writes=1)
    revision = when[1] if when[0] == "revision" else None
    context = execution.context
    return _store(execution).guest_delete(context.tenant_id, context.install_id, key, revision)


@_typed
def list_(execution: Execution, prefix: str, cursor: str | None, limit: int) -> EntryPage:
    if prefix:
        _check_key("prefix", prefix)
    if not 1 <= limit <= MAX_PAGE:
        raise _Refused("invalid", f"limit: {limit} is not from 1 to {MAX_PAGE}.")
    if cursor is not None and len(cursor) > MAX_CURSOR_CHARACTERS:
        raise _Refused("invalid", "cursor: not one that a listing gave.")
    execution.budgets.charge_kv(reads=1)
    context = execution.context
    page = _store(execution).guest_list(context.tenant_id, context.install_id, prefix, cursor, limit)
    execution.budgets.charge_kv(size=_size(page.items))
    return {"entries": [_entry(record) for record in page.items], "cursor": page.cursor}


def _read(execution: Execution, keys: Sequence[str]) -> tuple[GuestRecord, ...]:
    for at, key in enumerate(keys):
        _check_key(f"keys[{at}]", key)
    execution.budgets.charge_kv(reads=max(1, len(keys)))
    context = execution.context
    records = _store(execution).guest_get(context.tenant_id, context.install_id, keys)
    execution.budgets.charge_kv(size=_size(records))
    return records


def _write(execution: Execution, writes: Sequence[Write]) -> list[int]:
    prepared = [_prepared(f"writes[{at}]", write) for at, write in enumerate(writes)]
    if len({write.key for write in prepared}) != len(prepared):
        raise _Refused("invalid", "writes: one key is written twice.")
    execution.budgets.charge_kv(writes=max(1, len(prepared)), size=sum(len(write.value) for write in prepared))
    context = execution.context
    return list(_store(execution).guest_put(context.tenant_id, context.install_id, prepared))


def _prepared(at: str, write: Write) -> GuestWrite:
    _check_key(f"{at}.key", write["key"])
    form = write["value"][0]
    try:
        value = to_bytes(write["value"])
    except ValueError:
        raise _Refused("invalid", f"{at}.value: {NOT_BASE64}.") from None
    if len(value) > MAX_VALUE_BYTES:
        raise _Refused(
            "limit-exceeded", f"{at}.value: {len(value):,} bytes; at most {MAX_VALUE_BYTES:,} can be stored."
        )
    when, ttl = write["when"], write["ttl_seconds"]
    if ttl == 0:
        raise _Refused("invalid", f"{at}.ttl-seconds: at least 1, or none.")
    expires_at = None if ttl is None else int(time.time() * 1000) + ttl * 1000
    condition = when[1] if when[0] == "revision" else when[0]
    return GuestWrite(key=write["key"], value=value, text=form == "text", when=condition, expires_at=expires_at)


def _entry(record: GuestRecord) -> Entry:
    value: Body
    if record.text:
        value = ("text", record.value.decode())
    else:
        value = ("bytes", record.value) if record.value else ("empty", None)
    return {"key": record.key, "value": value, "revision": record.revision, "expires_at": record.expires_at}


def _check_key(at: str, key: str) -> None:
    size = len(key.encode())
    if not size:
        raise _Refused("invalid", f"{at}: empty.")
    if size > MAX_KEY_BYTES:
        raise _Refused("limit-exceeded", f"{at}: {size:,} bytes; at most {MAX_KEY_BYTES} are allowed.")
    if any(unicodedata.category(character) == "Cc" for character in key):
        raise _Refused("invalid", f"{at}: has a control character.")


def _at_most(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise _Refused("limit-exceeded", f"{what}: {count:,} were given; at most {limit} are allowed.")


def _size(records: Sequence[GuestRecord]) -> int:
    return sum(len(record.value) for record in records)


def _store(execution: Execution) -> GuestStore:
    if execution.services.store is None:
        raise _Refused("unavailable", "The store did not answer.")
    return execution.services.store
