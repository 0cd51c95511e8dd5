"""An OpenTelemetry collector on loopback that keeps what it is sent."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Collector:
    """Spans that came over HTTP."""

    url: str = ""
    bodies: list = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    status: int = 200

    @property
    def spans(self):
        scopes = [
            scope for body in self.bodies for resource in body["resourceSpans"] for scope in resource["scopeSpans"]
        ]
        return {span["name"]: span for scope in scopes for span in scope["spans"]}


@pytest.fixture
def collector():
    """A collector, up until the test ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            collector.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()
            collector.came.set()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
