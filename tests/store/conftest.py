"""The conformance kit: every test here runs on every backend, in the same words."""

from dataclasses import dataclass

import pytest

from oriel.store.sql import SqlStore
from tests.store.factory import T0, key, publisher, version


@dataclass
class Clock:
    now: int = T0

    def __call__(self) -> int:
        return self.now


class Backend:
    """How to open one backend, again and again, on the same data."""

    def __init__(self, name, folder):
        self.name, self.folder, self.clock, self._open = name, folder, Clock(), []

    def open(self):
        store = SqlStore.sqlite(self.folder / "registry" / "oriel.db", self.clock)
        self._open.append(store)
        return store

    def close(self):
        for store in self._open:
            store.close()


@pytest.fixture(params=["sqlite"])
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
