"""What goes over the wire and what comes back, within its bounds."""

import contextlib
import gzip
import itertools
import socket
import tracemalloc
import zlib

import pytest

from runner.egress.content import BodyReader
from runner.egress.model import EgressError
from tests.runner.egress.servers import LOOPBACK, dripping, http


def endless(start, piece):
    yield start
    yield from itertools.repeat(piece)


def test_a_request_goes_out_and_its_answer_comes_back(get, serve):
    server = serve(http(b'{"a":1}', "201 Created", content_type="application/json", x_twice="1"))
    url = f"http://good.test:{server.port}/a/b?c=d"
    answer = get(url, method="POST", headers=[("X-Mine", "yes"), ("x-mine", "again")], body=b"hello")
    assert (answer.status, answer.body, answer.url) == (201, b'{"a":1}', url)
    assert ("content-type", "application/json") in answer.headers
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a/b?c=d HTTP/1.1"
    assert sorted(lines[1:]) == [
        "accept-encoding: gzip, deflate",
        "content-length: 5",
        f"host: good.test:{server.port}",
        "user-agent: Oriel/test (com.acme.x)",
        "x-mine: again",
        "x-mine: yes",
    ]
    assert body == b"hello"


def test_the_guest_may_name_its_own_user_agent(get, serve):
    server = serve()
    get(f"http://good.test:{server.port}/", headers=[("User-Agent", "mine/1")])
    assert server.requests[0].lower().count(b"user-agent") == 1
    assert b"mine/1" in server.requests[0]


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "proxy-connection",
        "TE",
        "trailer",
        "upgrade",
        "expect",
    ],
)
def test_headers_that_frame_or_route_are_refused(failure, serve, name):
    server = serve()
    assert failure(f"http://good.test:{server.port}/", headers=[(name, "x")]) == "invalid-request"
    assert server.connections == 0


@pytest.mark.parametrize(
    "header",
    [
        ("x", "a\r\nhost: evil"),
        ("x", "a\nb"),
        ("x", "a\rb"),
        ("x", "a\x00b"),
        ("x", "a\x7fb"),
        ("x", "a\x85b"),
        ("x", "\u0100"),
        ("x\r\ny", "a"),
        ("x y", "a"),
        ("x:", "a"),
        ("", "a"),
        ("\u00e9", "a"),
        ("x" * 300, "a"),
        ("x", "a" * 40_000),
    ],
    ids=lambda header: ascii(header)[:24],
)
def test_a_header_that_would_grow_another_is_refused(failure, header):
    assert failure("http://good.test:1/", headers=[header]) == "invalid-request"


def test_too_many_headers_are_refused(failure):
    assert failure("http://good.test:1/", headers=[("x", "1")] * 65) == "invalid-request"


@pytest.mark.parametrize("method", ["", "get", "CONNECT", "TRACE", "GET /x HTTP/1.1\r\nx:", "G ET", "A" * 40])
def test_a_method_of_another_form_is_refused(failure, method):
    assert failure("http://good.test:1/", method=method) == "invalid-request"


def test_hop_by_hop_headers_of_the_answer_stay_behind(get, serve):
    server = serve(
        http(b"x", connection="x-secret-hop", x_secret_hop="1", keep_alive="timeout=5", proxy_x="1", x_kept="1")
    )
    answered = {name for name, _ in get(f"http://good.test:{server.port}/").headers}
    assert answered == {"x-kept", "content-length"}


def test_interim_answers_are_passed_over(get, serve):
    server = serve(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + http(b"done"))
    assert get(f"http://good.test:{server.port}/").body == b"done"


def test_interim_answers_without_end_are_a_protocol_failure(failure, serve):
    server = serve(lambda _: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"))
    assert failure(f"http://good.test:{server.port}/") == "protocol"


def test_a_switch_of_protocols_is_a_protocol_failure(failure, serve):
    server = serve(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
    assert failure(f"http://good.test:{server.port}/") == "protocol"


def test_a_header_that_never_ends_is_too_large(failure, serve):
    server = serve(lambda _: endless(b"HTTP/1.1 200 OK\r\nx: ", b"a" * 10_000))
    assert failure(f"http://good.test:{server.port}/") == "too-large"


def test_headers_that_never_end_are_too_large(failure, serve):
    server = serve(lambda _: endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1_000))
    assert failure(f"http://good.test:{server.port}/") == "too-large"


def test_too_many_headers_in_an_answer_are_too_large(failure, serve):
    server = serve(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"content-length: 0\r\n\r\n")
    assert failure(f"http://good.test:{server.port}/") == "too-large"


def test_trailers_that_never_end_are_too_large(failure, serve):
    start = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n"
    server = serve(lambda _: endless(start, b"x: y\r\n" * 1_000))
    assert failure(f"http://good.test:{server.port}/") == "too-large"


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"2710\r\n" + b"a" * 10_000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", b"a" * 10_000),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", b"a" * 10_000),
    ],
    ids=["chunked", "until closed", "a length"],
)
def test_a_body_that_never_ends_is_too_large(failure, serve, start, piece):
    server = serve(lambda _: endless(start, piece))
    assert failure(f"http://good.test:{server.port}/", max_body_bytes=100_000) == "too-large"


def test_a_body_of_just_the_limit_is_taken(get, failure, serve):
    url = f"http://good.test:{serve(http(b'a' * 1_000)).port}/"
    assert len(get(url, max_body_bytes=1_000).body) == 1_000
    assert failure(url, max_body_bytes=999) == "too-large"


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nx: ", b"a"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"a"),
        (b"", b""),
    ],
    ids=["headers", "chunks", "a body", "nothing at all"],
)
def test_a_server_that_drips_is_left_at_the_deadline(failure, serve, start, piece):
    server = serve(lambda _: dripping(start, piece))
    assert failure(f"http://good.test:{server.port}/", seconds=0.2) == "timeout"


def test_a_server_that_does_not_read_is_left_at_the_deadline(failure):
    with contextlib.closing(socket.create_server((LOOPBACK, 0))) as deaf:
        url = f"http://good.test:{deaf.getsockname()[1]}/"
        assert failure(url, method="POST", body=b"a" * 20_000_000, seconds=0.2) == "timeout"


def test_every_byte_both_ways_is_charged(get, serve):
    answer = http(b"a" * 5_000)
    server, charged = serve(answer), []
    get(f"http://good.test:{server.port}/", method="POST", body=b"b" * 3_000, charge=charged.append)
    assert sum(charged) == len(server.requests[0]) + len(answer)


def test_a_charge_that_is_refused_ends_the_exchange_and_its_connection(get, serve):
    class Spent(Exception):
        pass

    def charge(size):
        if size > 50_000:
            raise Spent

    server = serve(http(b"a" * 200_000))
    url = f"http://good.test:{server.port}/"
    with pytest.raises(Spent):
        get(url, method="POST", body=b"b" * 60_000, charge=charge)
    assert get(url).status == 200


def test_gzip_is_undone(get, serve):
    packed = gzip.compress(b"hello " * 1_000)
    server = serve(http(packed, content_encoding="gzip"))
    answer = get(f"http://good.test:{server.port}/")
    assert answer.body == b"hello " * 1_000
    assert not {"content-encoding", "content-length"} & {name for name, _ in answer.headers}


def test_gzip_in_several_members_is_undone(get, serve):
    server = serve(http(gzip.compress(b"one ") + gzip.compress(b"two"), content_encoding="X-GZip"))
    assert get(f"http://good.test:{server.port}/").body == b"one two"


@pytest.mark.parametrize("window", [zlib.MAX_WBITS, -zlib.MAX_WBITS], ids=["zlib", "raw"])
def test_deflate_is_undone_in_both_its_forms(get, serve, window):
    packer = zlib.compressobj(wbits=window)
    packed = packer.compress(b"hello") + packer.flush()
    assert get(f"http://good.test:{serve(http(packed, content_encoding='deflate')).port}/").body == b"hello"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "identity", "unheard-of"])
def test_codings_that_are_not_offered_are_left_as_they_are(get, serve, coding):
    answer = get(f"http://good.test:{serve(http(b'as it is', content_encoding=coding)).port}/")
    assert answer.body == b"as it is"
    assert ("content-encoding", coding) in answer.headers


def test_a_decompression_bomb_is_too_large(failure, serve):
    server = serve(http(gzip.compress(b"\0" * 50_000_000), content_encoding="gzip"))
    assert failure(f"http://good.test:{server.port}/", max_body_bytes=1_000_000) == "too-large"


def test_a_decompression_bomb_is_never_unpacked():
    bomb = gzip.compress(b"\0" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(EgressError):
        BodyReader("gzip", 1_000_000).feed(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_bomb_of_many_members_is_too_large():
    reader = BodyReader("gzip", 1_000)
    with pytest.raises(EgressError) as failed:
        reader.feed(gzip.compress(b"a" * 100) * 20)
    assert failed.value.case == "too-large"


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b"hello" * 100)[:-9], gzip.compress(b"a") + b"trailing"],
    ids=["none", "cut", "trailing"],
)
def test_a_broken_coding_is_a_protocol_failure(failure, serve, body):
    assert failure(f"http://good.test:{serve(http(body, content_encoding='gzip')).port}/") == "protocol"


def test_an_answer_to_head_has_no_body_to_undo(get, serve):
    server = serve(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1234\r\n\r\n")
    answer = get(f"http://good.test:{server.port}/", method="HEAD")
    assert answer.body == b""
    assert ("content-length", "1234") in answer.headers


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\x00b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
    ],
    ids=lambda raw: ascii(raw)[9:40],
)
def test_an_answer_that_is_not_http_is_a_protocol_failure(failure, serve, raw):
    assert failure(f"http://good.test:{serve(raw).port}/") == "protocol"


def test_an_answer_that_breaks_off_is_a_failure(failure, serve):
    server = serve(lambda _: iter([b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"]))
    assert failure(f"http://good.test:{server.port}/") == "protocol"


def test_a_server_that_says_nothing_and_closes_is_a_connect_failure(failure, serve):
    assert failure(f"http://good.test:{serve(lambda _: None).port}/") == "connect"


def test_a_body_until_the_end_of_the_connection_is_taken(get, serve):
    server = serve(lambda _: iter([b"HTTP/1.0 200 OK\r\n\r\n", b"all of it"]))
    assert get(f"http://good.test:{server.port}/").body == b"all of it"
