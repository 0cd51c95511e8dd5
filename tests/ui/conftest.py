import asyncio
import hashlib

import pytest

from oriel.blobs.files import FileBlobs
from oriel.local.ui_origin import create_ui_app
from oriel.ui import ui_blob_key

UI_ORIGIN = "http://127.0.0.1:8421"
HOST_ORIGIN = "http://127.0.0.1:8420"
HEX = hashlib.sha256(b"bundle").hexdigest()
ROOT = f"/ext-ui/com.acme.reports/sha256:{HEX}"
FILES = {
    "index.html": b"<!doctype html>entry",
    "app.js": b"export const value = '0123456789';",
    "style.css": b"body{}",
    "img/logo.svg": b"<svg/>",
    "font.woff2": b"wOF2",
    "empty.txt": b"",
    "unknown.zzz": b"?",
}


class Answer:
    def __init__(self, messages):
        start, *rest = messages
        self.status = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.body = b"".join(message.get("body", b"") for message in rest)


class Client:
    """Speaks ASGI itself: HTTP clients mend paths before they send them."""

    def __init__(self, app):
        self._app = app

    def __call__(self, path, method="GET", **headers):
        raw = path if isinstance(path, bytes) else path.encode()
        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw.decode("latin-1"),
            "raw_path": raw,
            "query_string": b"",
            "root_path": "",
            "headers": named,
            "server": ("127.0.0.1", 8421),
            "client": ("127.0.0.1", 1),
        }
        sent = []

        async def receive():
            await asyncio.sleep(60)

        async def send(message):
            sent.append(message)

        asyncio.run(self._app(scope, receive, send))
        return Answer(sent)


@pytest.fixture
def get(tmp_path):
    blobs = FileBlobs(tmp_path / "blobs")
    for path, data in FILES.items():
        blobs.put_new(ui_blob_key("com.acme.reports", HEX, path), data)
    return Client(create_ui_app(blobs, ui_origin=UI_ORIGIN, host_origins=[HOST_ORIGIN]))
