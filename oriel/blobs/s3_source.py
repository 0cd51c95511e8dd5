"""Blobs of an S3 bucket to read, without botocore: what a runner needs of them, for a fiftieth of the time to start.

What is read is verified by its reader, who has a signed digest of it; no checksum of S3's is asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast
from urllib.parse import quote

from oriel.aws import Again, Credentials, Target, persist
from oriel.aws.bucket import bucket_client
from oriel.blobs.base import BlobMissing, BlobsUnavailable, check_key
from oriel.connections import NoAnswer


class S3Source:
    """`get` and `open` of `oriel.blobs.Blobs`. Safe to share between threads; not across a fork."""

    def __init__(self, target: Target, credentials: Credentials | None = None) -> None:
        self._client, self._folder = bucket_client(target, credentials)

    def get(self, key: str) -> bytes:
        def attempt(_: bool) -> bytes:
            try:
                with self._answer(key) as stream:
                    return stream.read()
            except NoAnswer as none:
                raise Again(str(none), ambiguous=False) from None

        return _persisted(attempt)

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        try:
            with self._answer(key) as stream:
                yield stream
        except (NoAnswer, Again) as broken:
            raise BlobsUnavailable(f"The blob store stopped in the middle of a blob: {broken}.") from None

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _answer(self, key: str) -> Iterator[BinaryIO]:
        check_key(key)
        path = self._folder + quote(key, safe="/-_.~")
        headers = self._client.signed("GET", path)
        with self._client.connections.request("GET", path, headers) as answer:
            if answer.status == 200:
                yield cast("BinaryIO", answer)
                return
            answer.read()
            if answer.status == 404:
                raise BlobMissing(key)
            if answer.status in {429, 500, 502, 503}:
                raise Again(f"S3 answered {answer.status}", ambiguous=False)
            raise BlobsUnavailable(f"S3 refused the request: {answer.status}.")


def _persisted(attempt: Callable[[bool], bytes]) -> bytes:
    try:
        return persist(attempt)
    except Again:
        raise BlobsUnavailable from None
