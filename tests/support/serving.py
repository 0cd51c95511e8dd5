"""Real servers on loopback ports, for tests that speak HTTP or drive a browser."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

START_SECONDS = 60


class Port:
    """A port that is ours before the app that is served on it exists, so that apps can know each other's origins."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @contextmanager
    def serve(self, app) -> Iterator[str]:
        """Serve `app` until the block ends; gives the origin."""
        config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        thread.start()
        try:
            _await_start(server, thread)
            yield self.origin
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
            self._socket.close()


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server ended at its start"
        assert time.monotonic() < deadline, f"the server did not start within {START_SECONDS} s"
        time.sleep(0.005)
