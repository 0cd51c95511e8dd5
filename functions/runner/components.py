"""Components in this process's memory, mapped from disk when they are first asked for.

Rules kept here:

- However many requests want a component that is not there, it is fetched and mapped once; each of them waits no
  longer than its own deadline, and the work goes on for those that come later.
- The least recently used components go when the mapped bytes grow over the bound. One that is in use stays alive
  until its executions end.
- A failure is told to those that waited and not remembered.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from oriel.errors import OrielError
from oriel.provenance import BundleIndex

C = TypeVar("C")
LOADERS = 2


class Loaded(Struct, Generic[C], frozen=True):
    """A mapped component, the signed index of its bundle, and the size of the mapped file in bytes."""

    component: C
    index: BundleIndex
    size: int


class Source(Protocol):
    """Where artifacts come from (`runner.artifacts.Artifacts`)."""

    def path_for(self, content_hash: str) -> tuple[Path, BundleIndex]: ...


class Components(Generic[C]):
    """The components of one process, by content hash.

    Args:
        load: maps one file; `FileNotFoundError` where the file has just been evicted.
        max_bytes: of mapped files; the one asked for last stays, whatever its size.
    """

    def __init__(self, artifacts: Source, load: Callable[[Path], C], *, max_bytes: int) -> None:
        self._artifacts = artifacts
        self._load_file = load
        self._max_bytes = max_bytes
        self._mutex = threading.Lock()
        self._ready: OrderedDict[str, Loaded[C]] = OrderedDict()
        self._loading: dict[str, Future[Loaded[C]]] = {}
        self._loaders = ThreadPoolExecutor(LOADERS, thread_name_prefix="loader")

    def get(self, content_hash: str, timeout: float) -> tuple[Loaded[C], bool]:
        """The component, and whether it had to be waited for.

        Args:
            timeout: seconds.

        Raises:
            OrielError: `deadline_exceeded` where it is not there in time; as `Artifacts.path_for`.
        """
        with self._mutex:
            entry = self._ready.get(content_hash)
            if entry is not None:
                self._ready.move_to_end(content_hash)
                return entry, False
            future = self._loading.get(content_hash)
            if future is None:
                future = self._loading[content_hash] = self._loaders.submit(self._load, content_hash)
        try:
            return future.result(timeout), True
        except TimeoutError:
            raise OrielError("deadline_exceeded", "The extension was still being fetched.") from None

    def close(self) -> None:
        """Wait for what is being fetched, and fetch nothing more."""
        self._loaders.shutdown(wait=True, cancel_futures=True)

    def _load(self, content_hash: str) -> Loaded[C]:
        try:
            entry = self._mapped(content_hash)
        except BaseException:
            with self._mutex:
                del self._loading[content_hash]
            raise
        with self._mutex:
            del self._loading[content_hash]
            self._ready[content_hash] = entry
            self._evict()
        return entry

    def _mapped(self, content_hash: str) -> Loaded[C]:
        try:
            return self._map(*self._artifacts.path_for(content_hash))
        except FileNotFoundError:  # another process evicted the file in between
            return self._map(*self._artifacts.path_for(content_hash))

    def _map(self, path: Path, index: BundleIndex) -> Loaded[C]:
        size = path.stat().st_size
        return Loaded(self._load_file(path), index, size)

    def _evict(self) -> None:
        total = sum(entry.size for entry in self._ready.values())
        while total > self._max_bytes and len(self._ready) > 1:
            _, evicted = self._ready.popitem(last=False)
            total -= evicted.size
