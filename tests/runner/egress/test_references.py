"""`{{secret:NAME}}` in outgoing headers."""

import gzip

import pytest

from oriel.errors import OrielError
from runner.egress.model import EgressError
from tests.runner.egress.servers import LOOPBACK, http

CANARY = "sk_live_CANARY_0123456789"


class Secrets:
    """Secrets in memory, and which of them were opened."""

    def __init__(self, hosts, value=CANARY):
        self.bound = tuple(hosts)
        self.plain = value
        self.opened = []

    def hosts(self, name):
        return self.bound if name == "KEY" else None

    def value(self, name):
        self.opened.append(name)
        if self.plain is None:
            raise OrielError("unavailable", "The key service is away.")
        return self.plain


def bearer(name="KEY"):
    return [("authorization", f"Bearer {{{{secret:{name}}}}}")]


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def url(server):
    return f"http://good.test:{server.port}/"


def at(url):
    return url.rstrip("/")


def test_a_reference_is_filled_in_for_a_host_the_secret_is_bound_to(get, server, url):
    get(url, secrets=Secrets([at(url)]), headers=bearer())
    assert f"authorization: Bearer {CANARY}".encode() in server.requests[0]


def test_a_reference_is_filled_in_anywhere_in_a_value_and_more_than_once(get, server, url):
    get(url, secrets=Secrets([at(url)]), headers=[("x-pair", "a={{secret:KEY}};b={{secret:KEY}}")])
    assert f"x-pair: a={CANARY};b={CANARY}".encode() in server.requests[0]


@pytest.mark.parametrize("bound", [(), ("other.test",), ("good.test",), ("https://good.test",), ("*.good.test",)])
def test_a_reference_to_a_host_the_secret_is_not_bound_to_is_denied(failure, server, url, names, bound):
    secrets = Secrets(bound)
    assert failure(url, secrets=secrets, headers=bearer()) == "denied"
    assert (server.connections, secrets.opened, names.asked) == (0, [], [])


def test_a_granted_host_alone_gets_no_secret_in_report_mode_either(failure, server, url, make_egress):
    egress = make_egress(mode="report", report=lambda *_: None)
    assert failure(url, hosts=(), secrets=Secrets([]), headers=bearer(), egress=egress) == "denied"


def test_a_reference_to_no_secret_is_refused(failure, server, url):
    assert failure(url, secrets=Secrets([at(url)]), headers=bearer("OTHER")) == "invalid-request"
    assert failure(url, secrets=None, headers=bearer()) == "denied"
    assert server.connections == 0


@pytest.mark.parametrize(
    "value", ["{{secret:KEY", "{{secret:}}", "{{secret:{{secret:KEY}}}}", "{{secret:KEY}", "{{secret:a{b}}"]
)
def test_a_reference_that_cannot_be_read_is_not_sent(failure, server, url, value):
    assert failure(url, secrets=Secrets([at(url)]), headers=[("x", value)]) == "invalid-request"
    assert server.connections == 0


def test_a_secret_that_cannot_be_opened_is_denied_and_nothing_goes_out(failure, server, url):
    assert failure(url, secrets=Secrets([at(url)], value=None), headers=bearer()) == "denied"
    assert server.connections == 0


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\x00b", "\u0100"])
def test_a_value_that_no_header_carries_is_refused_without_saying_it(get, server, url, value):
    with pytest.raises(EgressError) as failed:
        get(url, secrets=Secrets([at(url)], value=value), headers=bearer())
    assert failed.value.case == "invalid-request"
    assert value not in failed.value.text
    assert server.connections == 0


def test_references_outside_header_values_stay_as_they_are(get, server, url):
    secrets = Secrets([at(url)])
    get(f"{url}?q={{{{secret:KEY}}}}", method="POST", secrets=secrets, body=b"{{secret:KEY}}")
    assert server.requests[0].count(b"{{secret:KEY}}") == 2
    assert secrets.opened == []


def test_a_secret_in_an_echoed_body_is_replaced(get, server, url):
    server.script = lambda request: http(b"you sent: " + request)
    answer = get(url, secrets=Secrets([at(url)]), headers=bearer())
    assert CANARY.encode() not in answer.body
    assert b"authorization: Bearer [secret]" in answer.body
    assert "content-length" not in dict(answer.headers)


def test_a_secret_in_an_echoed_header_is_replaced(get, server, url):
    server.script = lambda _: http(x_echo=f"was {CANARY}!")
    assert ("x-echo", "was [secret]!") in get(url, secrets=Secrets([at(url)]), headers=bearer()).headers


def test_a_secret_as_a_header_name_is_replaced(get, server, url):
    server.script = lambda _: f"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{CANARY}: x\r\n\r\n".encode()
    answer = get(url, secrets=Secrets([at(url)]), headers=bearer())
    assert CANARY.lower() not in repr(answer).lower()


def test_a_secret_in_a_packed_body_is_replaced(get, server, url):
    server.script = lambda request: http(gzip.compress(request), content_encoding="gzip")
    assert CANARY.encode() not in get(url, secrets=Secrets([at(url)]), headers=bearer()).body


def test_a_secret_cut_across_chunks_is_replaced(get, server, url):
    first, second = CANARY[:9].encode(), CANARY[9:].encode()
    chunks = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (first, second))
    server.script = lambda _: b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    assert get(url, secrets=Secrets([at(url)]), headers=bearer()).body == b"[secret]"


def test_a_secret_in_the_url_of_a_redirect_is_replaced(get, server, url):
    server.script = lambda request: (
        http() if b"/next" in request else http(b"", "302 Found", location=f"/next?k={CANARY}")
    )
    answer = get(url, secrets=Secrets([at(url)]), headers=bearer(), redirects=1)
    assert answer.url == f"{url}next?k=[secret]"


def test_a_secret_in_a_failure_is_replaced(get, server, url):
    server.script = lambda _: http(b"", "302 Found", location="https://sklivecanary0123456789.evil.test/")
    with pytest.raises(EgressError) as failed:
        get(url, secrets=Secrets([at(url)], value="SKLIVEcanary0123456789"), headers=bearer(), redirects=1)
    assert failed.value.case == "denied"
    assert "canary" not in failed.value.text.lower()


def test_an_answer_without_the_secret_is_left_alone(get, server, url):
    answer = get(url, secrets=Secrets([at(url)]), headers=bearer())
    assert answer.body == b"hello"
    assert ("content-length", "5") in answer.headers


def test_a_short_secret_does_not_blot_out_the_answer(get, server, url):
    assert get(url, secrets=Secrets([at(url)], value="l"), headers=bearer()).body == b"hello"


def test_a_header_with_a_secret_stays_behind_when_the_host_changes(get, server, url, names):
    names.set("other.test", [LOOPBACK])
    other = f"http://other.test:{server.port}"
    server.script = lambda request: http() if b"/next" in request else http(b"", "302 Found", location=f"{other}/next")
    get(url, (at(url), other), secrets=Secrets([at(url), other]), headers=[("x-key", "{{secret:KEY}}")], redirects=1)
    assert CANARY.encode() in server.requests[0]
    assert b"x-key" not in server.requests[1]


def test_a_header_with_a_secret_goes_along_within_the_origin(get, server, url):
    server.script = lambda request: http() if b"/next" in request else http(b"", "302 Found", location="/next")
    get(url, secrets=Secrets([at(url)]), headers=bearer(), redirects=1)
    assert CANARY.encode() in server.requests[1]


def test_nothing_is_logged_of_a_secret(get, server, url, caplog):
    caplog.set_level("DEBUG")
    get(url, secrets=Secrets([at(url)]), headers=bearer())
    assert CANARY not in caplog.text
