"""The conformance kit: every test here runs on every backend, in the same words."""

from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.store.factory import T0, key, publisher, version


@dataclass
class Clock:
    now: int = T0

    def __call__(self) -> int:
        return self.now


def sqlite(folder, _closing):
    from oriel.store.sql import SqlStore
    from tests.support.sqlite import migrated_file

    path = folder / "registry" / "oriel.db"
    migrated_file(path)
    return lambda clock: SqlStore.sqlite(path, clock)


def postgresql(_folder, closing):
    from oriel.store.sql import SqlStore
    from tests.support.postgres import APPLICATION, migrated_database, shared_server

    url = shared_server().url(closing.enter_context(migrated_database()), APPLICATION)
    return lambda clock: SqlStore.postgresql(url, clock)


def dynamodb(_folder, _closing):
    from tests.support.aws import new_table, open_dynamodb

    name = new_table()
    return lambda clock: open_dynamodb(name, clock)


def dynalite(_folder, _closing):
    from tests.support.dynalite import new_table, open_dynalite

    name = new_table()
    return lambda clock: open_dynalite(name, clock)


BACKENDS = {"sqlite": sqlite, "postgresql": postgresql, "dynamodb": dynamodb, "dynalite": dynalite}
EXPIRE_BY_THEMSELVES = {"dynamodb", "dynalite"}


class Backend:
    """How to open one backend, again and again, on the same data."""

    def __init__(self, name, folder, closing):
        self.name, self.clock, self._closing = name, Clock(), closing
        self.expires_by_itself = name in EXPIRE_BY_THEMSELVES
        self._opener = BACKENDS[name](folder, closing)

    def open(self):
        store = self._opener(self.clock)
        self._closing.callback(store.close)
        return store


@pytest.fixture(params=BACKENDS)
def backend(request, tmp_path):
    with ExitStack() as closing:
        yield Backend(request.param, tmp_path, closing)


@pytest.fixture
def clock(backend):
    return backend.clock


@pytest.fixture
def store(backend):
    return backend.open()


@pytest.fixture
def published(store):
    """A store with a publisher, its key, and `com.acme.notes` 1.0.0 and 1.1.0."""
    store.put_publisher(publisher())
    store.put_publisher_key(key())
    store.create_version(*version("1.0.0"))
    store.create_version(*version("1.1.0", created_at=T0 + 1))
    return store
