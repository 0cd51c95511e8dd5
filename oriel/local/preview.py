"""`oriel preview`: an extension's page as the product would show it, while it is being written and without a platform.

    http://127.0.0.1:8430   a page with the real bridge, and a handler whose answers stand in `mock.json`
    http://127.0.0.1:8431   the UI origin: the project's own files, with the headers they will have

`mock.json` beside the manifest, by the endpoint as the manifest writes it:

    {"GET /notes/:id": {"json": {"text": "Milk"}}, "POST /notes": {"status": 201, "json": {"id": "7"}, "delay_ms": 300}}

Rules kept here:

- The frame, its policy, the bridge and the paths are the real ones; only the handler is not. An endpoint that the
  manifest does not declare is refused as the gateway would refuse it.
- Files are read when they are asked for. A change makes another hash, and the page loads the UI anew.
- It listens on loopback, and believes whoever asks.
"""

import hashlib
import io
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import anyio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from oriel import ui
from oriel.asgi import install_error_handlers
from oriel.blobs import BlobInfo, BlobMissing
from oriel.bundle.layout import is_asset
from oriel.errors import InvalidInput, OrielError
from oriel.identity import SessionSigner
from oriel.local.servers import bind, origin, serving
from oriel.local.ui_origin import create_ui_app
from oriel.manifest import Manifest
from oriel.paths import clean_segments
from oriel.routing import match_endpoint
from oriel.web import raw_path
from oriel.web_files import web_root
from oriel.web_library import WebLibrary

HOST = "127.0.0.1"
MOCKS = "mock.json"
MAX_CALLS = 50
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class MockAnswer(BaseModel):
    """One answer of `mock.json`; `json` or `text`, or neither."""

    model_config = ConfigDict(extra="forbid")

    status: Annotated[int, Field(ge=200, le=599)] = 200
    headers: dict[str, str] = {}
    json_value: Annotated[Any, Field(alias="json")] = None
    text: str | None = None
    delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 0

    def response(self) -> Response:
        if self.text is not None:
            return Response(self.text, self.status, self.headers, "text/plain; charset=utf-8")
        if "json_value" in self.model_fields_set:
            return JSONResponse(self.json_value, self.status, self.headers)
        return Response(status_code=204 if self.status == 200 else self.status, headers=self.headers)


_MOCKS = TypeAdapter(dict[str, MockAnswer])


class Project:
    """The files of a project as they are now; what `UiOrigin` needs of a blob store is read off them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def manifest(self) -> Manifest:
        """`InvalidInput`, `OrielError` where there is none or it is not valid."""
        try:
            return Manifest.parse((self._root / "manifest.json").read_bytes())
        except OSError as error:
            raise OrielError("not_found", f"There is no manifest.json in {self._root}: {error.strerror}.") from None

    def mocks(self) -> dict[str, MockAnswer]:
        """`OrielError` where `mock.json` is not as it should be."""
        try:
            return _MOCKS.validate_json((self._root / MOCKS).read_bytes())
        except FileNotFoundError:
            return {}
        except ValidationError as error:
            first = error.errors()[0]
            at = ".".join(map(str, first["loc"]))
            raise OrielError("invalid_input", f"{MOCKS} is not valid at '{at}': {first['msg']}.") from None

    def content_hash(self) -> str:
        """Of all that the page is made of; another one after every change."""
        digest = hashlib.sha256()
        for path in (*self._files(), self._root / MOCKS, self._root / "manifest.json"):
            if path.is_file():
                digest.update(f"{path.relative_to(self._root)}\0".encode() + path.read_bytes() + b"\0")
        return f"sha256:{digest.hexdigest()}"

    def info(self, key: str) -> BlobInfo | None:
        path = self._path(key)
        return BlobInfo(key, path.stat().st_size, int(path.stat().st_mtime * 1000)) if path else None

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        path = self._path(key)
        if path is None:
            raise BlobMissing(key)
        yield io.BytesIO(path.read_bytes())

    def _path(self, key: str) -> Path | None:
        """The file of a key, whatever its hash; one that would be packed, and that is no link."""
        _, _, folder, name = key.split("/", 3)
        path = self._root / "ui" / name
        is_there = not folder.endswith(ui.ENCODINGS) and path in self._files()
        return path if is_there else None

    def _files(self) -> Sequence[Path]:
        manifest = self.manifest()
        found = sorted(path for path in (self._root / "ui").rglob("*") if path.is_file() and not path.is_symlink())
        return [path for path in found if is_asset(path.relative_to(self._root).as_posix(), manifest)]


class Preview:
    """The app of the page's own origin."""

    def __init__(self, project: Project, own_origin: str, ui_origin: str) -> None:
        self._project, self._ui_origin = project, ui_origin
        self._calls: deque[dict[str, Any]] = deque(maxlen=MAX_CALLS)
        self._sessions = SessionSigner(Ed25519PrivateKey.generate(), own_origin)
        self._libraries = {"host": WebLibrary("host"), "preview": WebLibrary("preview")}

    def app(self) -> Starlette:
        app = Starlette(
            routes=[
                Route("/preview/state", self._state),
                Route("/oriel/{name:path}", self._file),
                Route("/api/ext-session", self._session, methods=["POST"]),
                Route("/api/ext/{rest:path}", self._call, methods=_METHODS),
                Route("/", self._page),
            ]
        )
        install_error_handlers(app)
        return app

    async def _page(self, _: Request) -> Response:
        policy = f"frame-src {self._ui_origin}; frame-ancestors 'none'"
        page = (web_root() / "preview" / "index.html").read_text(encoding="utf-8")
        return HTMLResponse(page, headers={"content-security-policy": policy, "cache-control": "no-store"})

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        library = self._libraries["preview" if name.startswith("preview") else "host"]
        return library.respond(request, name)

    async def _state(self, _: Request) -> Response:
        state = {"ui_origin": self._ui_origin, "calls": list(self._calls), "problem": "", "title": "Preview"}
        try:
            manifest = self._project.manifest()
            self._project.mocks()
            entry = manifest.ui.entry if manifest.ui else None
            if entry is None:
                raise OrielError("invalid_manifest", "The manifest has no 'ui'.")
            state |= {"extension_id": manifest.name, "title": manifest.title, "entry": entry}
            state["content_hash"] = self._project.content_hash()
        except InvalidInput as error:
            state["problem"] = "\n".join([error.detail, *map(str, error.findings)])
        except OrielError as error:
            state["problem"] = error.detail
        return JSONResponse(state, headers={"cache-control": "no-store"})

    async def _session(self, _: Request) -> Response:
        made = self._sessions.mint(
            extension_id=self._project.manifest().name,
            tenant_id="preview",
            install_id="ins_preview",
            user_id="you",
            is_named=True,
        )
        return JSONResponse({"token": made.token, "expires_at": made.expires_at})

    async def _call(self, request: Request) -> Response:
        path = "/" + raw_path(request).decode("latin-1").split("/", 4)[4]
        try:
            response = await self._answer(request.method, path)
        except OrielError as error:
            self._note(request.method, path, error.status, error.detail)
            raise
        self._note(request.method, path, response.status_code)
        return response

    def _note(self, method: str, path: str, status: int, note: str = "") -> None:
        self._calls.appendleft({"method": method, "path": path, "status": status, "note": note})

    async def _answer(self, method: str, path: str) -> Response:
        manifest = self._project.manifest()
        match = match_endpoint(manifest.api.endpoints, method, clean_segments(path))
        named = f"{match.endpoint.method} {match.route}"
        mock = self._project.mocks().get(named)
        if mock is None:
            raise OrielError("not_found", f'{MOCKS} has no answer for "{named}".')
        await anyio.sleep(mock.delay_ms / 1000)
        return mock.response()


@contextmanager
def previewing(root: Path, port: int, ui_port: int) -> Iterator[str]:
    """Serve the preview of the project at `root` while inside the `with`; gives the page's address.

    Raises:
        OrielError: `unavailable`, where a port is taken.
    """
    project = Project(root.resolve())
    with ExitStack() as stack:
        listener, ui_listener = bind(HOST, port), bind(HOST, ui_port)
        own, ui_origin = origin(listener), origin(ui_listener)
        ui_app = create_ui_app(project, ui_origin=ui_origin, host_origins=[own])
        stack.enter_context(serving(ui_app, ui_listener, "preview-ui"))
        stack.enter_context(serving(Preview(project, own, ui_origin).app(), listener, "preview"))
        yield own
