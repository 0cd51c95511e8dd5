"""HTTP servers in threads of this process, on sockets that are bound before anything starts.

Rules kept here: a taken port is found at once and said plainly; a server that has started answers; stopping waits
for the requests inside, but not for ever.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from oriel.errors import OrielError

START_SECONDS = 10.0
STOP_SECONDS = 5
BACKLOG = 512


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Its protocol is named, because asyncio switches Nagle's algorithm off only for sockets that say they are TCP's;
    without that, an answer in two writes waits 40 ms for the client's delayed acknowledgement.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OrielError(
            "unavailable",
            f"{host}:{port} cannot be listened on: {error.strerror}.",
            hint="Stop what runs there, or name another port with --port and --ui-port.",
        ) from None
    return listener


def origin(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


@contextlib.contextmanager
def serving(app: Any, listener: socket.socket, name: str) -> Iterator[None]:
    """Serve an ASGI app on `listener` while inside the `with`."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            lifespan="off",
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=name, daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread, name)
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS + 1)
        listener.close()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread, name: str) -> None:
    waited = threading.Event()
    for _ in range(int(START_SECONDS / 0.01)):
        if server.started:
            return
        if not thread.is_alive():
            break
        waited.wait(0.01)
    raise OrielError("unavailable", f"The server '{name}' did not start; the log above says why.")
