"""A small HTTP server on loopback for tests that need a real one."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextlib.contextmanager
def serving(handle):
    """Serve with `handle(request)`; the `with` gets the server's URL.

    `request` is a `BaseHTTPRequestHandler` with `body()` and `answer(status, body, **headers)` added.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_GET(self):
            with contextlib.suppress(ConnectionError):
                handle(self)

        def do_POST(self):
            self.do_GET()

        def body(self):
            return self.rfile.read(int(self.headers.get("content-length", 0)))

        def answer(self, status, body=b"", **headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_arguments):
            """A client that goes away in the middle is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
