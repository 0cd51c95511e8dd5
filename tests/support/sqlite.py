"""Databases in SQLite with Oriel's tables, made as the product makes them: once in a process, and copied from then on.

Running the migrations takes a hundred times as long as copying what they made. That they run when a new file is opened
is the matter of `tests/store/test_sqlite.py` and `test_migrations.py`.
"""

import tempfile
from functools import cache
from pathlib import Path

from oriel.store.sql import SqlStore


def migrated_file(path: Path) -> None:
    """Put an empty database with Oriel's tables at `path`, where nothing is yet."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(_template())
    path.chmod(0o600)


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "oriel.db")
        SqlStore.sqlite(path).close()
        assert [found.name for found in path.parent.iterdir()] == [path.name]  # nothing is left in the log beside it
        return path.read_bytes()
