"""The UI origin on one machine: an ASGI app over `Blobs`, with the headers of `oriel.ui`.

Rules kept here:

- A path is cleaned before anything is looked up; what does not clean is 400.
- A content-addressed answer (200, 206, 304) is immutable; every other answer is problem+json and is not stored.
- The SPA fallback answers navigations to extensionless paths. A missing script is a 404, whoever asks.
"""

from collections.abc import Iterator, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from oriel import ui
from oriel.blobs import BlobInfo, Blobs
from oriel.errors import OrielError
from oriel.local.web_library import WebLibrary
from oriel.paths import clean_segments
from oriel.web import RequestIds, problem_response, raw_path, request_id

ALLOWED_METHODS = ("GET", "HEAD")
CHUNK_BYTES = 256 * 1024


def create_ui_app(blobs: Blobs, *, ui_origin: str, host_origins: Sequence[str]) -> ASGIApp:
    """The app that listens on `ui_origin`; only pages of `host_origins` may frame what it serves."""
    sources = ui.Sources(ui_origin.rstrip("/"), tuple(origin.rstrip("/") for origin in host_origins))
    return RequestIds(UiOrigin(blobs, sources))


class UiOrigin:
    """Answers every path of the UI origin. There is no router: its patterns would miss a path with a line break."""

    def __init__(self, blobs: Blobs, sources: ui.Sources) -> None:
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
        info = await run_in_threadpool(self._find, asset)
        varies = {}
        if info is None and asset.is_extensionless and ui.is_navigation(request.headers):
            asset, varies = asset.fallback(), {"vary": "sec-fetch-mode, accept"}
            info = await run_in_threadpool(self._find, asset)
        if info is None:
            raise OrielError("not_found", f"The UI of {asset.extension_id} has no file {asset.path or '/'}.")
        headers = {**ui.headers_for("asset", self._sources), **varies, "etag": asset.etag, "accept-ranges": "bytes"}
        if ui.etag_matches(request.headers.get("if-none-match"), asset.etag):
            return Response(status_code=304, headers=headers)
        return self._bytes(request, asset, info.size, headers)

    def _find(self, asset: ui.Asset) -> BlobInfo | None:
        return self._blobs.info(asset.blob_key) if asset.path else None

    def _bytes(self, request: Request, asset: ui.Asset, size: int, headers: dict[str, str]) -> Response:
        wanted = _wanted_range(request, asset.etag, size)
        span, status = (range(size), 200) if wanted is None else (wanted, 206)
        if not span and wanted is not None:
            raise OrielError("range_not_satisfiable", f"The file has {size:,} bytes; the range starts behind them.")
        if status == 206:
            headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
        headers["content-length"] = str(len(span))
        body = self._chunks(asset.blob_key, span) if request.method == "GET" else iter(())
        return StreamingResponse(body, status, headers, ui.media_type(asset.path))

    def _chunks(self, key: str, span: range) -> Iterator[bytes]:
        with self._blobs.open(key) as stream:
            stream.seek(span.start)
            left = len(span)
            while left and (chunk := stream.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk


def _wanted_range(request: Request, etag: str, size: int) -> range | None:
    if not size or request.headers.get("if-range", etag) != etag:
        return None
    return ui.single_range(request.headers.get("range"), size)
