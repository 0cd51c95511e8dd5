import base64

import pytest

from runner.host.bodies import LARGEST_LIST, from_bytes, is_texty, least_size, to_bytes


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (("empty", None), b""),
        (("text", "grüß"), "grüß".encode()),
        (("bytes", b"\x00\xff"), b"\x00\xff"),
        (("base64", "AP8="), b"\x00\xff"),
    ],
)
def test_every_form_of_a_body_has_its_bytes(body, data):
    assert to_bytes(body) == data


@pytest.mark.parametrize("text", ["Ā", "AP8", "A P 8=", "AP8=AP8=", "_w==", "AP8=\n"])
def test_what_is_not_base64_is_refused(text):
    with pytest.raises(ValueError):
        to_bytes(("base64", text))


@pytest.mark.parametrize("size", range(8))
def test_the_least_size_of_a_body_is_at_most_its_size(size):
    data = bytes(size)
    written = base64.b64encode(data).decode()
    assert size - 2 <= least_size(("base64", written)) <= size
    assert least_size(("bytes", data)) == size
    assert least_size(("empty", None)) == 0


def test_text_crosses_as_text():
    assert from_bytes(b'{"a":1}', "application/json") == ("text", '{"a":1}')


def test_broken_text_crosses_as_bytes():
    assert from_bytes(b"\xff", "text/plain") == ("bytes", b"\xff")


def test_bytes_over_the_largest_list_cross_as_base64():
    assert from_bytes(b"\xff" * LARGEST_LIST)[0] == "bytes"
    form, value = from_bytes(b"\xff" * (LARGEST_LIST + 1))
    assert form == "base64"
    assert to_bytes((form, value)) == b"\xff" * (LARGEST_LIST + 1)


def test_no_bytes_are_empty():
    assert from_bytes(b"", "text/plain") == ("empty", None)


@pytest.mark.parametrize(
    ("content_type", "texty"),
    [
        ("text/html", True),
        ("TEXT/PLAIN; charset=UTF-8", True),
        ('application/json; charset="utf-8"', True),
        ("application/problem+json", True),
        ("text/plain; charset=iso-8859-1", False),
        ("application/octet-stream", False),
        ("image/png", False),
        ("", False),
    ],
)
def test_which_media_types_are_text(content_type, texty):
    assert is_texty(content_type) is texty
