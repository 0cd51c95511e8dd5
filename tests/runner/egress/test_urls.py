import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.egress.model import EgressError
from runner.egress.urls import Origin, join, parse


def case(text):
    with pytest.raises(EgressError) as refused:
        parse(text)
    return refused.value.case


@pytest.mark.parametrize(
    ("text", "origin", "target"),
    [
        ("https://api.acme.com/a/b?c=d", Origin("https", "api.acme.com", 443), "/a/b?c=d"),
        ("HTTPS://API.Acme.COM/A", Origin("https", "api.acme.com", 443), "/A"),
        ("https://acme.com", Origin("https", "acme.com", 443), "/"),
        ("https://acme.com?x=1", Origin("https", "acme.com", 443), "/?x=1"),
        ("https://acme.com/x#part", Origin("https", "acme.com", 443), "/x"),
        ("http://acme.com:8080/", Origin("http", "acme.com", 8080), "/"),
        ("https://xn--bcher-kva.example/", Origin("https", "xn--bcher-kva.example", 443), "/"),
        ("https://1password.com/", Origin("https", "1password.com", 443), "/"),
        ("https://acme.com/a@b:c", Origin("https", "acme.com", 443), "/a@b:c"),
        ("https://acme.com//../%2e%2e/x", Origin("https", "acme.com", 443), "//../%2e%2e/x"),
    ],
)
def test_a_plain_url_is_read(text, origin, target):
    url = parse(text)
    assert (url.origin, url.target) == (origin, target)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "8.8.8.8",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "0",
        "0x",
        "1.2.3.4.5",
        "acme.com.0x7f",
        "999.999.999.999",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "[v1.x]",
        "[",
    ],
)
def test_an_address_in_any_notation_is_denied(host):
    assert case(f"https://{host}/") == "denied"
    assert case(f"https://{host}:8443/") == "denied"


@pytest.mark.parametrize(
    "text",
    [
        "https://user@acme.com/",
        "https://user:password@acme.com/",
        "https://good.com@evil.com/",
        "https://@acme.com/",
        "https://[::1]@acme.com/",
    ],
    ids=str,
)
def test_userinfo_is_refused(text):
    assert case(text) == "invalid-request"


@pytest.mark.parametrize(
    "text",
    [
        "https:\\\\acme.com/",
        "https://acme.com\\@evil.com/",
        "https://acme.com/\\evil",
        "https://ac\tme.com/",
        "https://acme.com/\r\nx: y",
        "https://acme.com/\n",
        "https://acme.com/\x00",
        "https://acme.com/\x7f",
        " https://acme.com/",
        "https://acme.com/ ",
        "https://acme.com/a b",
        "https://acme.com/\x85",
    ],
    ids=ascii,
)
def test_backslash_tab_line_ends_spaces_and_controls_are_refused(text):
    assert case(text) == "invalid-request"


@pytest.mark.parametrize(
    "host",
    [
        "acme\u3002com",
        "acme\uff0ecom",
        "acme\uff61com",
        "b\u00fccher.example",
        "\uff41cme.com",
        "\uff11\uff12\uff17.0.0.1",
        "acme.com\u00ad",
        "\ufb00.com",
    ],
    ids=ascii,
)
def test_idna_dots_and_other_scripts_are_refused(host):
    assert case(f"https://{host}/") == "invalid-request"


@pytest.mark.parametrize("host", ["acme.com.", "127.0.0.1.", "acme..com", ".acme.com", "."])
def test_trailing_and_doubled_dots_are_refused(host):
    assert case(f"https://{host}/") == "invalid-request"


@pytest.mark.parametrize(
    "text",
    [
        "ftp://acme.com/",
        "file:///etc/passwd",
        "gopher://acme.com/",
        "unix:///var/run/docker.sock",
        "javascript:alert(1)",
        "data:text/plain,x",
        "ws://acme.com/",
        "//acme.com/",
        "/path",
        "acme.com",
        "",
        "https:acme.com",
        "https:/acme.com",
        "https:///acme.com",
        "https://",
        "https://?x",
    ],
)
def test_other_schemes_and_forms_are_refused(text):
    assert case(text) == "invalid-request"


@pytest.mark.parametrize(
    "host",
    [
        "%31%32%37.0.0.1%2e",
        "acme%2ecom",
        "a_b.com",
        "-a.com",
        "a-.com",
        "a" * 64 + ".com",
        ".".join(["a" * 60] * 5),
        "acme.com:",
        "acme.com:0",
        "acme.com:65536",
        "acme.com:123456",
        "acme.com:80:80",
        "acme.com:+80",
        "acme.com:8o",
        "::1",
        "acme.com;evil.com",
        "acme.com,evil.com",
        "*.acme.com",
    ],
)
def test_a_host_or_port_of_another_form_is_refused(host):
    assert case(f"https://{host}/") == "invalid-request"


def test_a_url_over_the_limit_is_refused():
    assert case("https://acme.com/" + "a" * 9_000) == "invalid-request"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/x", "https://acme.com/x"),
        ("y?z", "https://acme.com/a/y?z"),
        ("?z", "https://acme.com/a/b?z"),
        ("../../../x", "https://acme.com/x"),
        ("//other.com/x", "https://other.com/x"),
        ("http://other.com:81/x", "http://other.com:81/x"),
    ],
)
def test_a_location_is_resolved_against_where_it_came_from(location, expected):
    assert str(join(parse("https://acme.com/a/b"), location)) == expected


@pytest.mark.parametrize(
    "location",
    [
        "\thttps://acme.com/",
        "ht\ntps://acme.com",
        "https:\\\\evil.com",
        "file:///x",
        "http://",
        "https:x",
        "//",
        "///x",
        "é",
    ],
)
def test_a_location_is_read_as_strictly_as_a_url(location):
    with pytest.raises(EgressError):
        join(parse("https://acme.com/a/b"), location)


@given(st.text(max_size=60))
def test_whatever_is_read_is_read_the_same_again(text):
    try:
        url = parse(f"https://{text}")
    except EgressError:
        return
    assert parse(str(url)) == url
    assert url.origin.host == url.origin.host.lower()
