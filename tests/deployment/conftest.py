import json
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import pytest

from tests.support.aws_platform import AwsPlatform
from tests.support.lambdas import listening
from tests.support.platform import register_acme


@pytest.fixture(scope="package")
def product():
    """The host product's operations: it keeps what it was sent, token and body, and answers nothing in particular."""
    calls = []

    class Product(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            calls.append((self.headers["authorization"].removeprefix("Bearer "), body))
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_arguments):
            pass

    with listening(Product) as url:
        yield SimpleNamespace(url=url, calls=calls)


@pytest.fixture(scope="package")
def platform(tmp_path_factory, product):
    operations = json.dumps({"orders.list": {"url": f"{product.url}/orders"}})
    settings = {"ORIEL_CACHE_SECONDS": "0.5", "ORIEL_HOST_OPERATIONS": operations}
    settings["ORIEL_MAX_BODY_BYTES"] = "100000"
    settings["PYTHONVERBOSE"] = "1"  # imports are read off the logs
    with AwsPlatform(tmp_path_factory.mktemp("aws"), **settings) as up:
        register_acme(up)
        yield up
