from urllib.parse import urlsplit

import pytest

from oriel.hosts import covered, included, intersection, normal


def origin(url):
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}[parts.scheme]


def covers(grant, url):
    return covered(*origin(url), (grant,))


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
        ("münchen.example", "https://xn--mnchen-3ya.example/"),
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
    assert not covered(*origin("https://acme.com/"), ())


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("API.Acme.com", "api.acme.com"),
        ("https://api.acme.com:443", "api.acme.com"),
        ("http://api.acme.com:80", "http://api.acme.com"),
        ("http://api.acme.com:443", "http://api.acme.com:443"),
        ("*.Acme.com:8443", "*.acme.com:8443"),
    ],
)
def test_equal_patterns_are_written_alike(text, written):
    assert normal(text) == written


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10.0.0.1", "IP address"),
        ("localhost", "full name"),
        ("acme.com/x", "more than a name"),
        ("a.*.com", "first label"),
        ("acme.com:0", "port"),
        ("ftp://acme.com", "scheme"),
    ],
)
def test_a_pattern_that_cannot_be_read_says_why(text, reason):
    with pytest.raises(ValueError, match=reason):
        normal(text)


@pytest.mark.parametrize(
    ("asked", "granted", "both"),
    [
        (["*.acme.com"], ["api.acme.com"], ("api.acme.com",)),
        (["api.acme.com"], ["*.acme.com"], ("api.acme.com",)),
        (["*.acme.com"], ["*.eu.acme.com"], ("*.eu.acme.com",)),
        (["*.acme.com"], ["*.acme.com"], ("*.acme.com",)),
        (["*.acme.com"], ["acme.com"], ()),
        (["*.acme.com"], ["evilacme.com"], ()),
        (["*.acme.com"], ["http://x.acme.com", "x.acme.com:8443"], ()),
        (["*.acme.com"], ["evil.example/.acme.com", "evil.example#.acme.com"], ()),
        (["api.acme.com"], ["API.acme.com"], ("api.acme.com",)),
        (["api.acme.com"], [], ()),
        ([], ["api.acme.com"], ()),
        (["api.acme.com"], ["*"], ()),
    ],
)
def test_hosts_are_intersected(asked, granted, both):
    assert intersection(asked, granted) == both


def test_a_wildcard_includes_names_and_wildcards_below_it():
    assert all(included(text, ["*.acme.com"]) for text in ("api.acme.com", "*.eu.acme.com", "*.acme.com"))
    assert not any(included(text, ["*.acme.com"]) for text in ("acme.com", "http://api.acme.com", "*.acme.org"))
