import pytest

from runner.egress.grants import covered
from runner.egress.urls import parse


def covers(grant, url):
    return covered(parse(url).origin, (grant,))


@pytest.mark.parametrize(
    ("grant", "url"),
    [
        ("api.acme.com", "https://api.acme.com/x"),
        ("API.Acme.com", "https://api.acme.com/"),
        ("https://api.acme.com", "https://api.acme.com/"),
        ("api.acme.com:443", "https://api.acme.com/"),
        ("api.acme.com", "https://api.acme.com:443/"),
        ("api.acme.com:8443", "https://api.acme.com:8443/"),
        ("http://api.acme.com", "http://api.acme.com/"),
        ("http://localhost:9000", "http://localhost:9000/"),
        ("*.acme.com", "https://api.acme.com/"),
        ("*.acme.com", "https://eu.api.acme.com/"),
        ("http://*.acme.com:8080", "http://api.acme.com:8080/"),
    ],
)
def test_a_grant_covers_what_it_names(grant, url):
    assert covers(grant, url)


@pytest.mark.parametrize(
    ("grant", "url"),
    [
        ("acme.com", "https://api.acme.com/"),
        ("acme.com", "https://evilacme.com/"),
        ("acme.com", "https://acme.com.evil.com/"),
        ("acme.com", "http://acme.com/"),
        ("http://acme.com", "https://acme.com/"),
        ("acme.com", "https://acme.com:8443/"),
        ("acme.com:8443", "https://acme.com/"),
        ("acme.com:8443", "https://acme.com:8444/"),
        ("acme.com:80", "http://acme.com/"),
        ("*.acme.com", "https://acme.com/"),
        ("*.acme.com", "https://evilacme.com/"),
        ("*.acme.com", "http://api.acme.com/"),
        ("*.acme.com", "https://api.acme.com:8443/"),
    ],
)
def test_a_grant_covers_nothing_else(grant, url):
    assert not covers(grant, url)


@pytest.mark.parametrize(
    "grant",
    [
        "",
        "*",
        "*.",
        "*.com",
        "**.acme.com",
        "*acme.com",
        "api.*.com",
        "api.*",
        "*.*.acme.com",
        "acme.com.",
        "user@acme.com",
        "ftp://acme.com",
        "//acme.com",
        "acme.com/",
        "acme.com/path",
        " acme.com",
        "acme.com:",
        "[::1]",
        "127.0.0.1",
        "*.127.0.0.1",
    ],
)
def test_a_grant_that_cannot_be_read_covers_nothing(grant):
    assert not covers(grant, "https://acme.com/")
    assert not covers(grant, "https://api.acme.com/")


def test_no_grants_cover_nothing():
    assert not covered(parse("https://acme.com/").origin, ())
