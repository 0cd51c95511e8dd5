"""Connections that are used again, and those that must not be."""

import threading

import pytest

from runner.egress.pool import Pool
from tests.runner.egress.servers import http


def test_a_connection_is_used_again(get, serve, names):
    server = serve()
    for _ in range(5):
        get(f"http://good.test:{server.port}/")
    assert server.connections == 1
    assert names.asked == ["good.test"]


def test_installs_do_not_share_connections(get, serve):
    server = serve()
    for install in ("ins_1", "ins_2", "ins_1", "ins_2"):
        get(f"http://good.test:{server.port}/", install=install)
    assert server.connections == 2


def test_names_at_one_address_do_not_share_connections(get, serve, names):
    server = serve()
    names.set("other.test", ["127.0.0.1"])
    get(f"http://good.test:{server.port}/")
    get(f"http://other.test:{server.port}/")
    assert server.connections == 2


def test_a_kept_connection_is_no_way_round_a_grant_that_was_taken_back(get, failure, serve):
    server = serve()
    url = f"http://good.test:{server.port}/"
    get(url)
    assert failure(url, hosts=()) == "denied"
    assert len(server.requests) == 1


def test_bytes_behind_an_answer_are_not_the_next_answer(get, serve):
    answers = iter([http(b"first") + http(b"poison"), http(b"second")])
    server = serve(lambda _: next(answers))
    url = f"http://good.test:{server.port}/"
    assert get(url).body == b"first"
    assert get(url).body == b"second"
    assert server.connections == 2


def test_bytes_that_come_while_idle_are_not_the_next_answer(get, serve):
    sent = threading.Event()
    first = iter([True])

    def answer(_):
        return late() if next(first, False) else http(b"second")

    def late():
        yield http(b"first")
        yield http(b"poison")
        sent.set()

    url = f"http://good.test:{serve(answer).port}/"
    assert get(url).body == b"first"
    assert sent.wait(5)
    assert get(url).body == b"second"


def test_a_connection_the_server_closed_is_not_used_again(get, serve):
    server = serve(http(b"x", connection="close"))
    for _ in range(2):
        assert get(f"http://good.test:{server.port}/").body == b"x"
    assert server.connections == 2


def closing_on_the_second():
    answers = iter([http(b"first"), None, http(b"third")])
    return lambda _: next(answers)


def test_what_can_be_repeated_is_sent_again_where_a_kept_connection_has_ended(get, serve):
    server = serve(closing_on_the_second())
    url = f"http://good.test:{server.port}/"
    assert get(url).body == b"first"
    assert get(url).body == b"third"


def test_a_post_is_not_sent_twice(get, failure, serve):
    server = serve(closing_on_the_second())
    url = f"http://good.test:{server.port}/"
    get(url)
    assert failure(url, method="POST", body=b"pay") == "connect"
    assert len(server.requests) == 2


def test_a_connection_is_given_up_when_it_has_been_idle_for_long(get, serve, monkeypatch):
    server = serve()
    monkeypatch.setattr("runner.egress.pool.IDLE_SECONDS", -1.0)
    for _ in range(2):
        get(f"http://good.test:{server.port}/")
    assert server.connections == 2


def test_a_connection_is_given_up_when_it_has_been_open_for_long(get, serve, names, monkeypatch):
    server = serve()
    monkeypatch.setattr("runner.egress.pool.OPEN_SECONDS", -1.0)
    for _ in range(2):
        get(f"http://good.test:{server.port}/")
    assert names.asked == ["good.test", "good.test"]


class Kept:
    opened_at = float("inf")

    def __init__(self):
        self.closed = False

    def renew(self):
        return True

    def is_quiet(self):
        return True

    def close(self):
        self.closed = True


def test_the_longest_idle_connection_gives_way():
    pool, connections = Pool(max_idle=2), [Kept() for _ in range(3)]
    for connection in connections:
        pool.put(("ins", "origin"), connection)
    assert [connection.closed for connection in connections] == [True, False, False]
    assert pool.take(("ins", "origin")) is connections[2]


def test_closing_the_pool_closes_what_is_idle():
    pool, connection = Pool(), Kept()
    pool.put(("ins", "origin"), connection)
    pool.close()
    assert connection.closed
    assert pool.take(("ins", "origin")) is None


def test_many_threads_share_one_client(get, serve):
    server = serve(lambda request: http(request.split(b" ")[1]))
    failures = []

    def work(number):
        for turn in range(20):
            path = f"/{number}/{turn}"
            answer = get(f"http://good.test:{server.port}{path}", install=f"ins_{number % 3}")
            if answer.body != path.encode():
                failures.append((path, answer.body))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(server.requests) == 240
    assert server.connections <= 36


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_leaves_the_connection_usable(get, serve, status):
    server = serve(f"HTTP/1.1 {status}\r\n\r\n".encode())
    for _ in range(2):
        get(f"http://good.test:{server.port}/")
    assert server.connections == 1
