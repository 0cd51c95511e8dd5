"""HTTP connections to one service, kept open between requests. The standard library's: its TLS and its parser.

Rules kept here:

- A request is sent once. Whether a second time is right is its sender's to know: `NoAnswer` says that there was none.
- A kept connection that the service has closed meanwhile is noticed before anything is sent on it.
- Waiting is bounded: for a connection, and for each piece of an answer.
- Proxies and the environment have no say in it.
"""

import http.client
import select
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlsplit

CONNECT_SECONDS = 2
MAX_CONNECTIONS = 50


class NoAnswer(Exception):
    """The service did not answer, or not to the end. It may have done what it was asked."""


class Connections:
    """Connections to the service at `url`. Safe to share between threads; not across a fork."""

    def __init__(self, url: str, *, read_seconds: float) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._hostname, self._port, self._secure = parts.hostname or "", parts.port, parts.scheme == "https"
        self._read_seconds = read_seconds
        self._idle: deque[http.client.HTTPConnection] = deque(maxlen=MAX_CONNECTIONS)
        self._lock = threading.Lock()

    @contextmanager
    def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, seconds: float | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """Send one request; inside the `with`, its answer can be read.

        Args:
            target: path and query.
            seconds: to wait for a piece of the answer.

        Raises:
            NoAnswer
        """
        connection = self._taken(seconds or self._read_seconds)
        done = False
        try:
            with _broken():
                connection.request(method, target, body=body or None, headers=dict(headers))
                answer = connection.getresponse()
            yield answer
            done = answer.isclosed() and not answer.will_close
        finally:
            self._give_back(connection) if done else connection.close()

    def open(self) -> None:
        """Have a connection ready for the next request; `NoAnswer`."""
        self._give_back(self._new(self._read_seconds))

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _taken(self, seconds: float) -> http.client.HTTPConnection:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._new(seconds)
            if connection.sock is not None and not _readable(connection):
                connection.sock.settimeout(seconds)
                return connection
            connection.close()

    def _new(self, seconds: float) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._secure:
            connection = http.client.HTTPSConnection(
                self._hostname, self._port, timeout=CONNECT_SECONDS, context=_tls()
            )
        else:
            connection = http.client.HTTPConnection(self._hostname, self._port, timeout=CONNECT_SECONDS)
        with _broken():
            connection.connect()
        connection.response_class = _Answer
        connection.sock.settimeout(seconds)
        return connection

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if len(self._idle) < MAX_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()


class _Answer(http.client.HTTPResponse):
    """An answer that says so where it breaks off; the standard library's ends in silence when it is read in pieces."""

    def read(self, amt: int | None = None) -> bytes:
        with _broken():
            data = super().read(amt)
        self._require_end(data, amt)
        return data

    def read1(self, n: int = -1) -> bytes:
        with _broken():
            data = super().read1(n)
        self._require_end(data, n)
        return data

    def _require_end(self, data: bytes, asked: int | None) -> None:
        if not data and asked != 0 and self.length:
            raise NoAnswer(f"the answer broke off {self.length:,} bytes before its end")


@contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error


def _readable(connection: http.client.HTTPConnection) -> bool:
    """Whether there is something to read on an idle connection: its end."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
