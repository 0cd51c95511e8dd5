"""The tail as server-sent events (WHATWG HTML, section 9.2), where the server can hold a connection open.

    event: execution
    data: {…}

    id: <cursor>
    event: cursor
    data: <cursor>

Rules kept here:

- A stream is a poll that the server does itself: the cursor that comes after a poll's executions goes on where it
  stopped, here (`last-event-id`) or at `/executions/tail`.
- A stream ends after a minute, so that a token is looked at again; a process holds a bounded number of them.
- The cursor goes out too while there is nothing, so that whoever is between does not close the connection.
"""

import json
import time
from collections.abc import AsyncIterator, Callable

import anyio
from anyio.to_thread import run_sync

from oriel.errors import OrielError
from oriel.values import to_plain
from registry.observe.tail import Tail

STREAM_SECONDS = 60.0
PAUSE_SECONDS = 1.0
QUIET_SECONDS = 15.0
RETRY_MS = 1_000


class Streams:
    """The streams of one process.

    Args:
        limit: how many are open at once; 0 for a server that cannot.
        seconds, pause: how long one lasts, and waits between two polls.
    """

    def __init__(self, limit: int, *, seconds: float = STREAM_SECONDS, pause: float = PAUSE_SECONDS) -> None:
        self._limit, self._seconds, self._pause = limit, seconds, pause
        self._open = 0

    def admit(self) -> None:
        """Return where there is room for one more.

        Raises:
            OrielError: `not_found`, `overloaded`.
        """
        if not self._limit:
            raise OrielError(
                "not_found", "This server holds no streams open.", hint="Poll /api/v1/executions/tail instead."
            )
        if self._open >= self._limit:
            raise OrielError("overloaded", "As many streams are open as there may be.", retry_after=5)

    async def events(self, follow: Callable[[str | None], Tail], cursor: str | None) -> AsyncIterator[bytes]:
        """What `follow` finds from `cursor` on, until the stream's time is over."""
        self._open += 1
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            end, said = time.monotonic() + self._seconds, time.monotonic()
            while time.monotonic() < end:
                found = await run_sync(follow, cursor)
                for entry in found.items:
                    data = json.dumps(to_plain(entry), separators=(",", ":"))
                    yield f"event: execution\ndata: {data}\n\n".encode()
                if found.items or time.monotonic() - said > QUIET_SECONDS:
                    said = time.monotonic()
                    yield f"id: {found.cursor}\nevent: cursor\ndata: {found.cursor}\n\n".encode()
                cursor = found.cursor
                if not found.more:
                    await anyio.sleep(self._pause)
        finally:
            self._open -= 1
