"""Redirects: returned, or followed with every hop screened like the first request."""

import pytest

from tests.runner.egress.servers import LOOPBACK, dripping, http


def to(place, status="302 Found"):
    return http(b"", status, location=place)


def route(**answers):
    """A script: `a="…"` answers `/a`."""
    return lambda request: answers[request.split(b" ")[1].decode().strip("/") or "root"]


def test_a_redirect_is_returned_where_nobody_asked_to_follow_it(get, serve):
    server = serve(to("http://169.254.169.254/"))
    answer = get(f"http://good.test:{server.port}/")
    assert (answer.status, dict(answer.headers)["location"]) == (302, "http://169.254.169.254/")


def test_redirects_are_followed_as_far_as_asked(get, failure, serve):
    server = serve(route(a=to("/b"), b=to("c"), c=http(b"there")))
    url = f"http://good.test:{server.port}"
    answer = get(f"{url}/a", redirects=2)
    assert (answer.body, answer.url) == (b"there", f"{url}/c")
    assert failure(f"{url}/a", redirects=1) == "too-many-redirects"


def test_redirects_that_never_end_are_too_many(failure, serve):
    server = serve(to("/again"))
    assert failure(f"http://good.test:{server.port}/", redirects=5) == "too-many-redirects"
    assert len(server.requests) == 6


@pytest.mark.parametrize("redirects", [6, 255])
def test_more_than_five_redirects_cannot_be_asked_for(failure, redirects):
    assert failure("http://good.test:1/", redirects=redirects) == "invalid-request"


@pytest.mark.parametrize(
    "place",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://[64:ff9b::7f00:1]/",
        "//127.0.0.1:9001/",
        "https://not-granted.test/",
        "https://good.test/",
    ],
)
def test_a_redirect_to_where_nobody_may_go_is_denied(failure, serve, place):
    server = serve(to(place))
    assert failure(f"http://good.test:{server.port}/", redirects=5) == "denied"


@pytest.mark.parametrize(
    "place",
    [
        "file:///etc/passwd",
        "gopher://good.test/",
        "http://user@good.test/",
        "http:\\\\good.test\\",
        "http://good.test./",
        "/a b",
        "/a\tb",
        "/\xe9",
        "http://",
    ],
    ids=ascii,
)
def test_a_redirect_that_cannot_be_read_is_a_protocol_failure(failure, serve, place):
    raw = b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: " + place.encode("latin-1") + b"\r\n\r\n"
    assert failure(f"http://good.test:{serve(raw).port}/", redirects=5) == "protocol"


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "64:ff9b::7f00:1", "fd00:ec2::254"]
)
def test_a_redirect_to_a_granted_name_at_a_bad_address_is_denied(failure, serve, names, address):
    names.set("inside.test", [address])
    server = serve(to("http://inside.test/"))
    hosts = (f"http://good.test:{server.port}", "http://inside.test")
    assert failure(f"http://good.test:{server.port}/", hosts, redirects=5) == "denied"


def test_a_redirect_to_a_name_with_a_good_and_a_bad_address_is_denied(failure, serve, names):
    server = serve(lambda _: to(f"http://mixed.test:{server.port}/"))
    names.set("mixed.test", [LOOPBACK, "10.0.0.1"])
    hosts = (f"http://good.test:{server.port}", f"http://mixed.test:{server.port}")
    assert failure(f"http://good.test:{server.port}/", hosts, redirects=5) == "denied"
    assert len(server.requests) == 1


def test_a_redirect_to_the_same_name_at_its_next_address_is_denied(failure, serve, names):
    names.set("rebind.test", [LOOPBACK], ["10.0.0.1"])
    server = serve(http(b"", "302 Found", location="/again", connection="close"))
    assert failure(f"http://rebind.test:{server.port}/", redirects=5) == "denied"


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        ("301 Moved", "POST", "GET"),
        ("302 Found", "POST", "GET"),
        ("303 See Other", "POST", "GET"),
        ("303 See Other", "PUT", "GET"),
        ("303 See Other", "HEAD", "HEAD"),
        ("302 Found", "PUT", "PUT"),
        ("307 Temporary", "POST", "POST"),
        ("308 Permanent", "POST", "POST"),
    ],
)
def test_the_method_behind_a_redirect_is_the_standards(get, serve, status, method, then):
    server = serve(route(a=to("/b", status), b=http()))
    body = b"" if method == "HEAD" else b"data"
    url = f"http://good.test:{server.port}/a"
    get(url, method=method, body=body, headers=[("content-type", "text/plain"), ("x-kept", "1")], redirects=1)
    second = server.requests[1]
    assert second.startswith(then.encode() + b" /b ")
    assert second.endswith(b"data") == (then not in {"GET", "HEAD"})
    assert (b"content-type" in second) == (then == method)
    assert b"x-kept: 1" in second


CREDENTIALS = [("authorization", "Bearer canary"), ("cookie", "canary"), ("x-plain", "1")]


def test_credentials_stay_behind_when_the_host_changes(get, serve, names):
    names.set("other.test", [LOOPBACK])
    server = serve(route(a=to("/b"), b=http()))
    server.script = route(a=to(f"http://other.test:{server.port}/b"), b=http())
    hosts = tuple(f"http://{name}.test:{server.port}" for name in ("good", "other"))
    get(f"http://good.test:{server.port}/a", hosts, headers=CREDENTIALS, redirects=1)
    assert b"canary" in server.requests[0]
    assert b"canary" not in server.requests[1]
    assert b"x-plain: 1" in server.requests[1]


def test_credentials_stay_behind_when_the_port_changes(get, serve):
    second = serve()
    first = serve(to(f"http://good.test:{second.port}/"))
    hosts = tuple(f"http://good.test:{server.port}" for server in (first, second))
    get(f"http://good.test:{first.port}/", hosts, headers=CREDENTIALS, redirects=1)
    assert b"canary" not in second.requests[0]


def test_credentials_go_along_within_the_origin(get, serve):
    server = serve(route(a=to("/b"), b=http()))
    get(f"http://good.test:{server.port}/a", headers=CREDENTIALS, redirects=1)
    assert b"canary" in server.requests[1]


def test_the_time_is_for_all_hops_together(failure, serve):
    server = serve(lambda request: dripping(b"", b"") if b"/hang" in request else to("/hang"))
    assert failure(f"http://good.test:{server.port}/", redirects=5, seconds=0.2) == "timeout"
