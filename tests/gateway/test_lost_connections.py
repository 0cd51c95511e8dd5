"""Connections to workers that end: what is sent again, and what is not. A socket plays the workers, one by one."""

import socket
import struct
import threading

import pytest
from msgspec.structs import replace

from oriel.errors import OrielError
from tests.gateway.test_transport import REQUEST, runner
from tests.support.gateway import answer

BODY = answer(200, b"hello").to_json()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
LARGE = replace(REQUEST, http=replace(REQUEST.http, body_bytes=b"A" * 15_000_000))


def read_all(connection):
    """A whole request."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65_536)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    rest = length - len(head.split(b"\r\n\r\n", 1)[1])
    while rest:
        rest -= len(connection.recv(min(65_536, rest)))


def serves(connection):
    """One request, and keeps the connection."""
    read_all(connection)
    connection.sendall(ANSWER)
    return "kept"


def serves_and_ends(connection):
    serves(connection)


def reads_and_ends(connection):
    """The guest may have run."""
    read_all(connection)


def ends_unread(connection):
    """Ends with the whole request in its kernel's hands: that is a reset."""
    seen = b""
    while not arrived_whole(seen):
        seen = connection.recv(1_000_000, socket.MSG_PEEK)
    connection.recv(1)


def arrived_whole(seen):
    head, end, body = seen.partition(b"\r\n\r\n")
    return bool(end) and len(body) == int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])


def ends_early(connection):
    """Ends while the request is still being sent."""
    connection.recv(1)


def begins_to_answer_and_is_reset(connection):
    read_all(connection)
    connection.sendall(ANSWER[:-3])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Workers:
    """Each connection is handled by the next of `lives`; what was accepted is counted."""

    def __init__(self, *lives):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepted, self.ended = 0, threading.Event()
        self._kept = []
        self._thread = threading.Thread(target=self._serve, args=(lives,), daemon=True)
        self._thread.start()

    def _serve(self, lives):
        for live in lives:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed while nobody came
                return
            self.accepted += 1
            if live(connection) == "kept":
                self._kept.append(connection)
            else:
                connection.close()
                self.ended.set()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for the next connection
        self._thread.join(5)
        self._listener.close()
        for connection in self._kept:
            connection.close()


@pytest.fixture
def call():
    """Workers that live like this, one connection each, and a transport to them."""
    opened = []

    def make(*lives, **settings):
        workers = Workers(*lives)
        transport = runner(workers.url, **settings)
        opened.extend((transport, workers))
        return workers, transport

    yield make
    for thing in opened:
        thing.close()


def outcome(transport, request=REQUEST):
    try:
        return transport.execute(request).body()
    except OrielError as error:
        return error.code


def test_a_worker_that_ended_with_an_idle_connection_costs_no_request(call):
    workers, transport = call(serves_and_ends, serves)
    assert outcome(transport) == b"hello"
    assert workers.ended.wait(5)
    assert outcome(transport) == b"hello"
    assert workers.accepted == 2


def test_a_call_that_the_dead_worker_had_not_read_is_sent_again(call):
    workers, transport = call(ends_unread, serves, direct=True)
    assert outcome(transport) == b"hello"
    assert workers.accepted == 2


def test_where_something_lies_between_a_reset_proves_nothing(call):
    workers, transport = call(ends_unread, serves)
    assert outcome(transport) == "worker_lost"
    assert workers.accepted == 1


@pytest.mark.parametrize("direct", [True, False])
def test_a_call_that_could_not_be_sent_whole_is_sent_again_on_any_way(call, direct):
    workers, transport = call(ends_early, serves, direct=direct)
    assert outcome(transport, LARGE) == b"hello"
    assert workers.accepted == 2


@pytest.mark.parametrize("end", [reads_and_ends, begins_to_answer_and_is_reset])
def test_a_call_that_was_read_whole_is_never_sent_again(call, end):
    workers, transport = call(end, serves, direct=True)
    assert outcome(transport) == "worker_lost"
    assert workers.accepted == 1


def test_a_call_is_sent_again_once(call):
    workers, transport = call(ends_unread, ends_unread, serves, direct=True)
    assert outcome(transport) == "worker_lost"
    assert workers.accepted == 2
