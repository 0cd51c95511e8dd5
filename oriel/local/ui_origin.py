"""The UI origin on one machine: an ASGI app over `Blobs`, with the headers of `oriel.ui`.

Rules kept here:

- A path is cleaned before anything is looked up; what does not clean is 400.
- A content-addressed answer is immutable where it is whole (200, 304); an error is problem+json and is not stored.
- An encoding is chosen from what was stored at publish; what is not there is sent as it is.
- The SPA fallback answers navigations to extensionless paths. A missing script is a 404, whoever asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from oriel import ui
from oriel.blobs import BlobInfo
from oriel.errors import OrielError
from oriel.paths import clean_segments
from oriel.web import RequestIds, problem_response, raw_path, request_id
from oriel.web_library import WebLibrary

ALLOWED_METHODS = ("GET", "HEAD")
CHUNK_BYTES = 256 * 1024


class Readable(Protocol):
    """What the UI origin needs of `oriel.blobs.Blobs`."""

    def open(self, key: str) -> AbstractContextManager[BinaryIO]: ...
    def info(self, key: str) -> BlobInfo | None: ...


def create_ui_app(blobs: Readable, *, ui_origin: str, host_origins: Sequence[str]) -> ASGIApp:
    """The app that listens on `ui_origin`; only pages of `host_origins` may frame what it serves."""
    sources = ui.Sources(ui_origin.rstrip("/"), tuple(origin.rstrip("/") for origin in host_origins))
    return RequestIds(UiOrigin(blobs, sources))


class UiOrigin:
    """Answers every path of the UI origin. There is no router: its patterns would miss a path with a line break."""

    def __init__(self, blobs: Readable, sources: ui.Sources) -> None:
        self._blobs = blobs
        self._sources = sources
        self._guest = WebLibrary("guest", ui.headers_for("library", sources))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except OrielError as error:
            headers = ui.headers_for("problem", self._sources)
            response = problem_response(error, request_id(request), headers)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in ALLOWED_METHODS:
            raise OrielError("method_not_allowed", "The UI origin is read only.", extra={"allow": ALLOWED_METHODS})
        segments = clean_segments(raw_path(request))
        if segments[:1] == (ui.LIBRARY,):
            return self._guest.respond(request, "/".join(segments[1:]))
        asset = ui.locate(segments)
        if asset is None:
            raise OrielError("not_found", "UIs are at /ext-ui/EXTENSION/sha256:HEX/….")
        return await self._asset(request, asset)

    async def _asset(self, request: Request, asset: ui.Asset) -> Response:
        taken = ui.negotiated(request.headers.get("accept-encoding"))
        found = await run_in_threadpool(self._find, asset, taken)
        if found is None and asset.is_extensionless and ui.is_navigation(request.headers):
            asset = asset.fallback()
            found = await run_in_threadpool(self._find, asset, taken)
        if found is None:
            raise OrielError("not_found", f"The UI of {asset.extension_id} has no file {asset.path or '/'}.")
        if ui.etag_matches(request.headers.get("if-none-match"), found.etag):
            return Response(status_code=304, headers=found.headers(ui.headers_for("asset", self._sources)))
        return self._bytes(request, found)

    def _find(self, asset: ui.Asset, taken: Sequence[ui.Encoding]) -> "Found | None":
        if not asset.path:
            return None
        for encoding in (*(taken if ui.shrinks(asset.path) else ()), None):
            if info := self._blobs.info(asset.blob_key(encoding)):
                return Found(asset, encoding, info.size)
        return None

    def _bytes(self, request: Request, found: "Found") -> Response:
        wanted = _wanted_range(request, found)
        if wanted is None:
            span, status, headers = range(found.size), 200, ui.headers_for("asset", self._sources)
        elif not wanted:
            raise OrielError(
                "range_not_satisfiable", f"The file has {found.size:,} bytes; the range starts behind them."
            )
        else:
            span, status, headers = wanted, 206, ui.headers_for("part", self._sources)
            headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{found.size}"
        headers["content-length"] = str(len(span))
        body = self._chunks(found.key, span) if request.method == "GET" else iter(())
        return StreamingResponse(body, status, found.headers(headers), ui.media_type(found.asset.path))

    def _chunks(self, key: str, span: range) -> Iterator[bytes]:
        with self._blobs.open(key) as stream:
            _go_to(stream, span.start)
            left = len(span)
            while left and (chunk := stream.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk


def _go_to(stream: BinaryIO, start: int) -> None:
    """Not every store's stream can be sought in; what is before `start` is then read and left."""
    if stream.seekable():
        stream.seek(start)
        return
    while start and (chunk := stream.read(min(start, CHUNK_BYTES))):
        start -= len(chunk)


class Found(Struct, frozen=True):
    """One stored representation of an asset; `size` in bytes."""

    asset: ui.Asset
    encoding: ui.Encoding | None
    size: int

    @property
    def key(self) -> str:
        return self.asset.blob_key(self.encoding)

    @property
    def etag(self) -> str:
        return self.asset.etag(self.encoding)

    def headers(self, others: Mapping[str, str]) -> dict[str, str]:
        own = {"etag": self.etag, "accept-ranges": "bytes"}
        own |= {"content-encoding": self.encoding} if self.encoding else {}
        varies = ui.vary(self.asset.path)
        return {**others, **own, **({"vary": varies} if varies else {})}


def _wanted_range(request: Request, found: Found) -> range | None:
    if not found.size or request.headers.get("if-range", found.etag) != found.etag:
        return None
    return ui.single_range(request.headers.get("range"), found.size)
