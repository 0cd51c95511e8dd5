"""The conformance kit: every test here runs on every backend, in the same words."""

from dataclasses import dataclass

import pytest

from tests.store.factory import T0, key, publisher, version


@dataclass
class Clock:
    now: int = T0

    def __call__(self) -> int:
        return self.now


def sqlite(folder):
    from oriel.store.sql import SqlStore

    return lambda clock: SqlStore.sqlite(folder / "registry" / "oriel.db", clock)


def postgresql(_folder):
    from oriel.store.sql import SqlStore
    from tests.support.databases import new_database

    url = new_database()
    return lambda clock: SqlStore.postgresql(url, clock)


def dynamodb(_folder):
    from tests.support.aws import new_table, open_dynamodb

    name = new_table()
    return lambda clock: open_dynamodb(name, clock)


def dynalite(_folder):
    from tests.support.dynalite import new_table, open_dynalite

    name = new_table()
    return lambda clock: open_dynalite(name, clock)


BACKENDS = {"sqlite": sqlite, "postgresql": postgresql, "dynamodb": dynamodb, "dynalite": dynalite}
EXPIRE_BY_THEMSELVES = {"dynamodb", "dynalite"}


class Backend:
    """How to open one backend, again and again, on the same data."""

    def __init__(self, name, folder):
        self.name, self.clock, self._open = name, Clock(), []
        self.expires_by_itself = name in EXPIRE_BY_THEMSELVES
        self._opener = BACKENDS[name](folder)

    def open(self):
        store = self._opener(self.clock)
        self._open.append(store)
        return store

    def close(self):
        for store in self._open:
            store.close()


@pytest.fixture(params=BACKENDS)
def backend(request, tmp_path):
    backend = Backend(request.param, tmp_path)
    yield backend
    backend.close()


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
