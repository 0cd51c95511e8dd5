"""Blobs as objects in one S3 bucket, all of them under an optional prefix.

Rules kept here, beside those of `oriel.blobs.base`:

- `put_new` is a conditional put: S3 itself refuses to overwrite. Where the key is taken, the stored object's SHA-256
  decides whether it is the same.
- S3 checks a SHA-256 of everything that is sent, and every object that is read is checked against what was stored.
- A stream longer than one part is a multipart upload, which is visible when it is complete and is given up where the
  stream fails. What a killed process left is removed by the bucket's lifecycle rule.
- A throttled or lost request is sent again, a bounded number of times; then it is `BlobsUnavailable`.
"""

import base64
import hashlib
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

from oriel.aws import Again, Credentials, Target, persist
from oriel.aws.botocore_client import make_client
from oriel.blobs.base import (
    MAX_KEY_BYTES,
    STAGING,
    BlobInfo,
    BlobMismatch,
    BlobMissing,
    BlobsUnavailable,
    BlobTooLarge,
    Presigned,
    check_key,
)
from oriel.clock import now_ms
from oriel.ui import object_headers

if TYPE_CHECKING:
    from botocore.client import BaseClient

PART_BYTES = 8 * 1024 * 1024  # S3 takes parts of 5 MB and more, but for the last
READ_SECONDS = 20
_AGAIN = {"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "ConditionalRequestConflict"}
_AGAIN |= {"OperationAborted", "InternalError", "ServiceUnavailable"}
_MISSING = {"NoSuchKey", "NoSuchUpload", "404"}


class _Missing(Exception):
    """S3 has no such object."""


class _Taken(Exception):
    """S3 did not put, because the key is taken."""


class S3Blobs:
    """The whole `oriel.blobs.Blobs`. Safe to share between threads; not across a fork.

    Args:
        prefix: what all keys in the bucket begin with; empty, or ending in a slash.
    """

    def __init__(
        self, client: "BaseClient", bucket: str, prefix: str = "", sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._bucket, self._prefix, self._sleep = client, bucket, prefix, sleep

    @classmethod
    def at(cls, target: Target, credentials: Credentials | None = None) -> Self:
        """The blobs in `BUCKET[/prefix]`, which is there: the deployment makes it. Nothing is sent yet."""
        bucket, _, prefix = target.name.partition("/")
        style = "path" if target.endpoint else "virtual"
        client = make_client(
            "s3",
            target,
            credentials,
            read_seconds=READ_SECONDS,
            signature_version="s3v4",
            s3={"addressing_style": style},
        )
        return cls(client, bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else "")

    def put_new(self, key: str, data: bytes) -> None:
        try:
            self._send("put_object", Key=self._name(key), IfNoneMatch="*", **_content(data), **_served(key))
        except _Taken:
            if not self._is(key, data):
                raise BlobMismatch(key) from None

    def put_stream(self, key: str, chunks: Iterable[bytes], *, limit: int) -> BlobInfo:
        _require_staging(key)
        name = self._name(key)
        parts = _parts(_limited(chunks, limit, key))
        first, second = next(parts), next(parts, b"")
        if second:
            size = self._put_parts(name, chain((first, second), parts))
        else:
            self._send("put_object", Key=name, **_content(first))
            size = len(first)
        return BlobInfo(key, size, now_ms())

    def get(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        try:
            answer = self._send("get_object", Key=self._name(key), ChecksumMode="ENABLED")
        except _Missing:
            raise BlobMissing(key) from None
        with io.BufferedReader(_Body(answer["Body"])) as stream:
            yield cast("BinaryIO", stream)

    def info(self, key: str) -> BlobInfo | None:
        try:
            return _info(key, self._send("head_object", Key=self._name(key)), "ContentLength")
        except _Missing:
            return None

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        asked: dict[str, Any] = {"Prefix": self._prefix + prefix}
        while True:
            answer = self._send("list_objects_v2", **asked)
            for found in answer.get("Contents", []):
                yield _info(found["Key"].removeprefix(self._prefix), found, "Size")
            if not answer["IsTruncated"]:
                return
            asked["ContinuationToken"] = answer["NextContinuationToken"]

    def delete(self, key: str) -> None:
        self._send("delete_object", Key=self._name(key))

    def presign_put(self, key: str, size: int, content_hash: str, expires: int) -> Presigned | None:
        _require_staging(key)
        checksum = base64.b64encode(bytes.fromhex(content_hash.removeprefix("sha256:"))).decode()
        asked = {"Bucket": self._bucket, "Key": self._name(key), "ContentLength": size, "ChecksumSHA256": checksum}
        with _translated():
            url = self._client.generate_presigned_url("put_object", Params=asked, ExpiresIn=expires)
        return Presigned(url, {"x-amz-checksum-sha256": checksum}, now_ms() + expires * 1000)

    def _name(self, key: str) -> str:
        check_key(key)
        name = self._prefix + key
        if len(name.encode()) > MAX_KEY_BYTES:
            raise ValueError(f"not a blob key: {key[:64]!r}… is too long below {self._prefix!r}")
        return name

    def _is(self, key: str, data: bytes) -> bool:
        """Whether these bytes are stored; by their checksum where the object has one of the whole."""
        try:
            stored = self._send("head_object", Key=self._name(key), ChecksumMode="ENABLED")
        except _Missing:
            raise BlobsUnavailable(f"The blob {key} was removed while it was written.") from None
        if stored["ContentLength"] != len(data):
            return False
        checksum = stored.get("ChecksumSHA256")
        return bool(checksum == _checksum(data)) if checksum and "-" not in checksum else self.get(key) == data

    def _put_parts(self, name: str, parts: Iterable[bytes]) -> int:
        """A multipart upload, given up where anything fails; the object's size."""
        asked = {"Key": name}
        asked["UploadId"] = self._send("create_multipart_upload", Key=name, ChecksumAlgorithm="SHA256")["UploadId"]
        sent, size = [], 0
        try:
            for number, part in enumerate(parts, start=1):
                content = _content(part)
                answer = self._send("upload_part", **asked, PartNumber=number, **content)
                sent.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": content["ChecksumSHA256"]})
                size += len(part)
            self._complete(asked, sent, size)
        except BaseException as error:
            with suppress(BlobsUnavailable, _Missing):
                self._send("abort_multipart_upload", **asked)
            raise (BlobsUnavailable() if isinstance(error, _Missing) else error) from None
        return size

    def _complete(self, asked: dict[str, str], sent: Sequence[dict[str, Any]], size: int) -> None:
        try:
            self._send("complete_multipart_upload", **asked, MultipartUpload={"Parts": sent})
        except _Missing:  # no such upload: it was completed, if only the answer was lost
            if self._send("head_object", Key=asked["Key"])["ContentLength"] != size:
                raise BlobsUnavailable from None

    def _send(self, operation: str, **asked: Any) -> dict[str, Any]:
        """One request; `_Missing` and `_Taken` where S3 says so."""

        def attempt(_: bool) -> dict[str, Any]:
            with _translated():
                return cast("dict[str, Any]", getattr(self._client, operation)(Bucket=self._bucket, **asked))

        try:
            return persist(attempt, self._sleep)
        except Again:
            raise BlobsUnavailable from None


class _Body(io.RawIOBase):
    """An object's bytes as they come; `BlobsUnavailable` where they stop before the end, or are not what was stored."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self._read(None)

    def close(self) -> None:
        self._body.close()
        super().close()

    def _read(self, size: int | None) -> bytes:
        try:
            with _translated():
                return cast("bytes", self._body.read(size))
        except Again as again:
            raise BlobsUnavailable(f"The blob store stopped in the middle of a blob: {again.reason}.") from None


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The stream in parts of at least `PART_BYTES`, the last one shorter; of an empty stream, one empty part."""
    held, parts = bytearray(), 0
    for chunk in chunks:
        held += chunk
        if len(held) >= PART_BYTES:
            yield bytes(held)
            held.clear()
            parts += 1
    if held or not parts:
        yield bytes(held)


def _limited(chunks: Iterable[bytes], limit: int, key: str) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BlobTooLarge(key, limit)
        yield chunk


def _require_staging(key: str) -> None:
    if not key.startswith(STAGING):
        raise ValueError(f"only keys under {STAGING} are replaced, not {key!r}")


def _content(data: bytes) -> dict[str, Any]:
    """Bytes to send, with the checksum that S3 is to hold them to."""
    return {"Body": data, "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": _checksum(data)}


_SERVED = {"content-type": "ContentType", "content-encoding": "ContentEncoding", "cache-control": "CacheControl"}


def _served(key: str) -> dict[str, str]:
    """The headers of an object that browsers get from S3 itself, through CloudFront."""
    return {_SERVED[name]: value for name, value in object_headers(key).items()}


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _info(key: str, found: dict[str, Any], size: str) -> BlobInfo:
    return BlobInfo(key, found[size], int(found["LastModified"].timestamp() * 1000))


@contextmanager
def _translated() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError

    try:
        yield
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        raise _meaning(code, status) from None
    except HTTPClientError as error:
        raise Again(type(error).__name__, ambiguous=True) from None
    except ParamValidationError:
        raise
    except BotoCoreError as error:  # no credentials, no region, a checksum that does not fit
        raise BlobsUnavailable(f"S3 cannot be asked: {error}") from None


def _meaning(code: str, status: int) -> Exception:
    if code in _MISSING:
        return _Missing()
    if code == "PreconditionFailed":
        return _Taken()
    if code in _AGAIN or status >= 500:
        return Again(code, ambiguous=True)
    return BlobsUnavailable(f"S3 refused the request: {code}.")
