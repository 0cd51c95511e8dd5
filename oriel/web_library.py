"""The browser libraries: `/oriel/host.js` for products, `/oriel/guest.js` for extension UIs, `/oriel/console.js`.

Their URL is their path under `web/`. They are few and small, so they are read once, at the start: a request looks a
name up in a table and touches no file.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from oriel import ui
from oriel.errors import OrielError
from oriel.web_files import LibraryName, library_files

HOST_HEADERS: Mapping[str, str] = {"cache-control": "public, no-cache", "x-content-type-options": "nosniff"}


class LibraryFile(Struct, frozen=True):
    body: bytes
    etag: str
    media_type: str


class WebLibrary:
    """`web/<name>.js` and `web/<name>/**`, by their path under `/oriel/`.

    Raises: `FileNotFoundError` where the library is not there, which is a broken installation.
    """

    def __init__(self, name: LibraryName, headers: Mapping[str, str] = HOST_HEADERS) -> None:
        self._headers = dict(headers)
        self._files = {key: _read(path) for key, path in library_files(name)}

    def respond(self, request: Request, name: str) -> Response:
        """The file `name`; `not_found`."""
        file = self._files.get(name)
        if file is None:
            raise OrielError("not_found", f"The library has no file {name}.")
        headers = {**self._headers, "etag": file.etag}
        if ui.etag_matches(request.headers.get("if-none-match"), file.etag):
            return Response(status_code=304, headers=headers)
        return Response(file.body, headers=headers, media_type=file.media_type)


def _read(path: Path) -> LibraryFile:
    body = path.read_bytes()
    return LibraryFile(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', ui.media_type(path.name))
