import hashlib
import http.client

import pytest

from oriel.blobs.files import FileBlobs
from oriel.local.ui_origin import create_ui_app
from oriel.ui import ui_blob_key
from oriel.ui_encodings import encodings_of
from tests.support.serving import Port

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
    "app.js.br": b"the author's own",
}


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()


class Client:
    """Sends a path as it is: most HTTP clients mend it first."""

    def __init__(self, origin):
        self._connection = http.client.HTTPConnection(origin.removeprefix("http://"))

    def __call__(self, path, method="GET", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in named.items():
            self._connection.putheader(name, value)
        self._connection.endheaders()
        return Answer(self._connection.getresponse())

    def close(self):
        self._connection.close()


@pytest.fixture(scope="session")
def origin(tmp_path_factory):
    blobs = FileBlobs(tmp_path_factory.mktemp("blobs"))
    for path, data in FILES.items():
        blobs.put_new(ui_blob_key("com.acme.reports", HEX, path), data)
        for encoding, encoded in encodings_of(path, data):
            blobs.put_new(ui_blob_key("com.acme.reports", HEX, path, encoding), encoded)
    port = Port()
    with port.serve(create_ui_app(blobs, ui_origin=port.origin, host_origins=["http://127.0.0.1:8420"])) as origin:
        yield origin


@pytest.fixture
def get(origin):
    client = Client(origin)
    yield client
    client.close()
