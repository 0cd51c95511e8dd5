"""One HTTP/1.1 exchange after another over a channel (RFC 9112); h11 keeps the protocol, this keeps the bounds.

Rules kept here:

- The head of an answer, its trailers, and the number of interim (1xx) answers are bounded.
- Bodies are decoded as they come, and never more than the bound of it (`runner.egress.content`).
- A connection is used again only after a whole answer with nothing behind it: bytes of nobody's answer would be
  taken for the next one's.
"""

from typing import Final

import h11
from msgspec import Struct

from runner.egress.content import BodyReader
from runner.egress.dialer import Channel
from runner.egress.messages import decoded_headers
from runner.egress.model import Answer, Bounds, EgressError
from runner.egress.urls import Url

MAX_HEAD_BYTES: Final = 65_536
MAX_HEADERS: Final = 128
MAX_INTERIM: Final = 8


class Prepared(Struct, frozen=True):
    """A request as it goes over the wire."""

    url: Url
    head: h11.Request
    body: bytes


class BrokenConnection(Exception):
    """The other side went away. `silent`: before it sent a single byte of an answer."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent
        super().__init__("the connection broke")


class Connection:
    """A channel with its HTTP state. For one thread at a time."""

    def __init__(self, channel: Channel, opened_at: float) -> None:
        self.opened_at = opened_at
        self._channel = channel
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._silent = True
        self._cut_short = False

    def exchange(self, request: Prepared, bounds: Bounds) -> Answer:
        """Send a request and read the whole answer. After an exception the connection is of no more use.

        Raises:
            BrokenConnection: the other side went away.
            EgressError: `timeout`, `too-large`, `protocol`; and what `bounds.charge` raises.
        """
        self._silent = True
        try:
            self._send(request, bounds)
            head = self._head(bounds)
            reader = BodyReader(_coding(request.head, head), bounds.max_body_bytes)
            self._read_body(reader, bounds)
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:
                raise EgressError("too-large", f"The answer's head is over {MAX_HEAD_BYTES:,} bytes.") from None
            # h11's own words quote the answer, and with it perhaps a secret that is echoed in it.
            raise EgressError("protocol", "The answer is not valid HTTP/1.1.") from None
        except OSError:
            raise BrokenConnection(silent=self._silent) from None
        headers = decoded_headers(head.headers, decoded=reader.decodes)
        return Answer(head.status_code, headers, reader.finish(), str(request.url))

    def renew(self) -> bool:
        """Make ready for the next exchange; False where the connection must be closed."""
        done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if not done or self._cut_short or self._http.trailing_data[0]:
            return False
        self._http.start_next_cycle()
        return True

    def is_quiet(self) -> bool:
        return self._channel.is_quiet()

    def close(self) -> None:
        self._channel.close()

    def _send(self, request: Prepared, bounds: Bounds) -> None:
        events = (request.head, h11.Data(data=request.body), h11.EndOfMessage())
        data = b"".join(self._http.send(event) for event in events)
        bounds.charge(len(data))
        try:
            self._channel.send(data, bounds.deadline)
        except OSError:
            # A server may answer (413, say) and close before it has read everything: its answer is still to be read.
            if not request.body:
                raise
            self._cut_short = True

    def _head(self, bounds: Bounds) -> h11.Response:
        for _ in range(MAX_INTERIM + 1):
            event = self._next(bounds)
            if isinstance(event, h11.Response):
                if event.http_version not in {b"1.1", b"1.0"}:
                    raise EgressError("protocol", "The answer is of another version of HTTP.")
                if len(event.headers) > MAX_HEADERS:
                    raise EgressError("too-large", f"The answer has over {MAX_HEADERS} headers.")
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise BrokenConnection(silent=self._silent)
        raise EgressError("protocol", f"The server sent over {MAX_INTERIM} interim answers.")

    def _read_body(self, reader: BodyReader, bounds: Bounds) -> None:
        while True:
            event = self._next(bounds)
            if isinstance(event, h11.Data):
                reader.feed(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return

    def _next(self, bounds: Bounds) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._http.next_event()
            if not isinstance(event, type) or event is h11.PAUSED:
                return event
            data = self._channel.receive(bounds.deadline)
            if not data and self._silent:
                raise BrokenConnection(silent=True)
            self._silent = False
            bounds.charge(len(data))
            self._http.receive_data(data)


def _coding(request: h11.Request, head: h11.Response) -> str:
    """The content coding of a body that is there; empty where there is none to decode."""
    if request.method == b"HEAD" or head.status_code in {204, 304}:
        return ""
    codings = [value.decode("latin-1") for name, value in head.headers if name == b"content-encoding"]
    return ", ".join(codings).strip().lower()
