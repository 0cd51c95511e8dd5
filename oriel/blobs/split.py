"""Two stores of blobs as one: extensions' UIs apart from all else.

In AWS what a browser may fetch is in a bucket of its own, which CloudFront reads and which holds nothing else.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from typing import BinaryIO

from oriel.blobs.base import BlobInfo, Blobs, Presigned
from oriel.ui import EXT_UI

UI_PREFIX = f"{EXT_UI}/"


class SplitBlobs:
    """The whole `oriel.blobs.Blobs`. Each side is opened when it is first used.

    Args:
        ui: opens what has the keys under `ext-ui/`.
        rest: opens what has the others.
    """

    def __init__(self, ui: Callable[[], Blobs], rest: Callable[[], Blobs]) -> None:
        self._open_ui, self._open_rest = ui, rest

    @cached_property
    def _ui(self) -> Blobs:
        return self._open_ui()

    @cached_property
    def _rest(self) -> Blobs:
        return self._open_rest()

    def put_new(self, key: str, data: bytes) -> None:
        self._of(key).put_new(key, data)

    def put_stream(self, key: str, chunks: Iterable[bytes], *, limit: int) -> BlobInfo:
        return self._of(key).put_stream(key, chunks, limit=limit)

    def get(self, key: str) -> bytes:
        return self._of(key).get(key)

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        return self._of(key).open(key)

    def info(self, key: str) -> BlobInfo | None:
        return self._of(key).info(key)

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """A prefix shorter than `ext-ui/` that both sides have would be both sides'; nobody lists such a one."""
        return self._of(prefix).list(prefix)

    def delete(self, key: str) -> None:
        self._of(key).delete(key)

    def presign_put(self, key: str, size: int, content_hash: str, expires: int) -> Presigned | None:
        return self._of(key).presign_put(key, size, content_hash, expires)

    def _of(self, key: str) -> Blobs:
        return self._ui if key.startswith(UI_PREFIX) else self._rest
