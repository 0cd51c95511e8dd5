"""Key-value records of this install alone. Needs `storage.kv`.

Values are text, bytes, or anything that can be written as JSON. Every record has a revision, so that two requests at
the same time cannot lose each other's change: pass it back with `if_revision`, or use `update`.
"""

import json as jsonlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from oriel_guest._host import call, from_body, interface, to_body
from oriel_guest.errors import Conflict
from oriel_guest.messages import dumps

_wit = interface("storage", "storage.kv")

PAGE = 100
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One record.

    Attributes:
        revision: 1 for a new record, one more with every write.
        expires_at: when the record goes by itself; None keeps it.
    """

    key: str
    value: bytes
    revision: int
    expires_at: datetime | None

    def text(self) -> str:
        return self.value.decode()

    def json(self) -> Any:
        return jsonlib.loads(self.value)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries ordered by key; `cursor` goes on, None is the end."""

    entries: list[Entry]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Write:
    """One write of `put_many`; the fields are the arguments of `put`."""

    key: str
    value: Any
    if_absent: bool = False
    if_revision: int | None = None
    ttl: int | None = None


def get(key: str) -> Entry | None:
    """The record, or None."""
    entry = call(_wit.get, key)
    return None if entry is None else _entry(entry)


def get_many(keys: Iterable[str]) -> dict[str, Entry]:
    """The records there are, in the order of the keys; at most 100 keys."""
    return {entry.key: _entry(entry) for entry in call(_wit.get_many, list(keys))}


def put(
    key: str, value: Any, *, if_absent: bool = False, if_revision: int | None = None, ttl: int | None = None
) -> int:
    """Write a record and return its new revision.

    Args:
        key: 1 to 512 bytes of UTF-8 without control characters.
        value: text and bytes are stored as they are, everything else as JSON; up to 256 KiB.
        if_absent: only where no record has the key.
        if_revision: only where the stored revision is this one.
        ttl: seconds to live; None keeps the record.

    Raises:
        Conflict: the condition does not hold.
        LimitExceeded: the value, or all records together, are too large.
    """
    revision: int = call(_wit.put, _write(Write(key, value, if_absent, if_revision, ttl)))
    return revision


def put_many(writes: Iterable[Write]) -> list[int]:
    """All writes or none; at most 25. The new revisions, in order. `Conflict` where one condition does not hold."""
    revisions: list[int] = call(_wit.put_many, [_write(write) for write in writes])
    return revisions


def delete(key: str, *, if_revision: int | None = None) -> bool:
    """Remove a record; says whether there was one."""
    existed: bool = call(_wit.delete, key, _condition(if_absent=False, if_revision=if_revision))
    return existed


def list_page(prefix: str = "", cursor: str | None = None, limit: int = PAGE) -> Page:
    """One page of the records whose keys start with `prefix`; `limit` is 1 to 100."""
    page = call(_wit.list, prefix, cursor, limit)
    return Page([_entry(entry) for entry in page.entries], page.cursor)


def scan(prefix: str = "") -> Iterator[Entry]:
    """Every record whose key starts with `prefix`, in order.

    Each hundred is one host call, and each record one of the execution's key-value operations (200 by default): for
    what may grow, answer in pages with `list_page`.
    """
    cursor: str | None = None
    while True:
        page = list_page(prefix, cursor)
        yield from page.entries
        cursor = page.cursor
        if cursor is None:
            return


def update(key: str, change: Callable[[Any], Any]) -> Any:
    """Read a JSON record, change it, write it, and begin again where somebody else was quicker.

    Args:
        change: takes the stored value, or None where there is no record, and returns the new one. It may run
            several times, and what it raises ends the update.

    Raises:
        Conflict: after five attempts.
    """
    for attempt in range(ATTEMPTS):
        entry = get(key)
        value = change(None if entry is None else entry.json())
        try:
            put(key, dumps(value), if_absent=entry is None, if_revision=None if entry is None else entry.revision)
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            break
    return value


def _entry(entry: Any) -> Entry:
    expires = entry.expires_at
    return Entry(
        entry.key,
        from_body(entry.value),
        entry.revision,
        None if expires is None else datetime.fromtimestamp(expires / 1000, UTC),
    )


def _write(write: Write) -> Any:
    value = write.value if isinstance(write.value, str | bytes) else dumps(write.value)
    when = _condition(if_absent=write.if_absent, if_revision=write.if_revision)
    return _wit.Write(write.key, to_body(value), when, write.ttl)


def _condition(*, if_absent: bool, if_revision: int | None) -> Any:
    if if_absent and if_revision is not None:
        raise ValueError("if_absent and if_revision cannot both hold")
    if if_absent:
        return _wit.Condition_Absent()
    return _wit.Condition_Always() if if_revision is None else _wit.Condition_Revision(if_revision)
