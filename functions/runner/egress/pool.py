"""Idle connections, kept for the next request.

Rules kept here:

- A connection belongs to one install and one origin, and is handed to no other. What an install's policy covers is
  checked before it asks here, so a connection is never a way round a grant; and since installs share none, one cannot
  leave an answer behind for another, or tell from the timing where another has been.
- A connection does not outlive what it was screened for: it is closed when it has been idle for `IDLE_SECONDS` or
  open for `OPEN_SECONDS`, and the name is resolved and screened anew.
- The number of idle connections is bounded; the longest idle one gives way.
"""

import threading
import time
from collections import OrderedDict
from typing import Final, NamedTuple

from runner.egress.urls import Origin
from runner.egress.wire import Connection

IDLE_SECONDS: Final = 15.0
OPEN_SECONDS: Final = 120.0
MAX_IDLE: Final = 256


class Key(NamedTuple):
    install_id: str
    origin: Origin


class Pool:
    """The idle connections of a process. Safe to share between threads."""

    def __init__(self, max_idle: int = MAX_IDLE) -> None:
        self._max_idle = max_idle
        self._lock = threading.Lock()
        self._idle: OrderedDict[Connection, tuple[Key, float]] = OrderedDict()  # the longest idle first

    def take(self, key: Key) -> Connection | None:
        """A connection for `key` that is still good; None where there is none."""
        while (connection := self._pop(key)) is not None:
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def put(self, key: Key, connection: Connection) -> None:
        """Keep a connection whose exchange is complete; it is closed instead where it cannot be used again."""
        if not connection.renew():
            connection.close()
            return
        with self._lock:
            self._idle[connection] = (key, time.monotonic())
            self._close_expired()
            while len(self._idle) > self._max_idle:
                self._idle.popitem(last=False)[0].close()

    def close(self) -> None:
        """Close all that is idle."""
        with self._lock:
            while self._idle:
                self._idle.popitem()[0].close()

    def _pop(self, key: Key) -> Connection | None:
        with self._lock:
            self._close_expired()
            newest = next((kept for kept in reversed(self._idle) if self._idle[kept][0] == key), None)
            if newest is not None:
                del self._idle[newest]
            return newest

    def _close_expired(self) -> None:
        now = time.monotonic()
        expired = [
            connection
            for connection, (_, since) in self._idle.items()
            if now - since > IDLE_SECONDS or now - connection.opened_at > OPEN_SECONDS
        ]
        for connection in expired:
            del self._idle[connection]
            connection.close()
