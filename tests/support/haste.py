"""What makes tests quick that use the product's own adapters in this process.

- An engine of SQLAlchemy keeps the statements that it compiled for itself. Here all of a kind keep them together:
  thousands are opened for the same few statements, and compiling them anew would take half of the tests' time.
- Nothing has to survive a power cut: neither SQLite nor a file waits for the disk. What a process that is killed has
  written is there all the same.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, MutableMapping
from typing import Any

from sqlalchemy import Connection, Engine, event


class Compiled(MutableMapping[tuple[Any, ...], Any]):
    """What engines of one kind compiled. SQLAlchemy's keys begin with the engine's dialect, of which all are alike."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Any] = {}

    def __getitem__(self, key: tuple[Any, ...]) -> Any:
        return self._known[key[1:]]

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self._known[key[1:]] = compiled

    def __delitem__(self, key: tuple[Any, ...]) -> None:
        del self._known[key[1:]]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


_KINDS: defaultdict[str, Compiled] = defaultdict(Compiled)


def hasten() -> None:
    """Do so from now on in this process."""
    event.listen(Engine, "engine_connect", _hasten)
    os.fsync = lambda _descriptor: None


def _hasten(connection: Connection) -> None:
    connection.engine._compiled_cache = _KINDS[connection.dialect.driver]
    if connection.dialect.name == "sqlite" and not connection.info.get("hastened"):
        connection.connection.cursor().execute("PRAGMA synchronous=OFF")
        connection.info["hastened"] = True
