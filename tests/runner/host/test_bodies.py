import pytest

from runner.host.bodies import LARGEST_LIST, from_bytes, is_texty, to_bytes


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (("empty", None), b""),
        (("text", "grüß"), "grüß".encode()),
        (("bytes", b"\x00\xff"), b"\x00\xff"),
        (("binary", "\x00\xff"), b"\x00\xff"),
    ],
)
def test_every_form_of_a_body_has_its_bytes(body, data):
    assert to_bytes(body) == data


def test_a_binary_string_above_latin_1_is_refused():
    with pytest.raises(ValueError):
        to_bytes(("binary", "Ā"))


def test_text_crosses_as_text():
    assert from_bytes(b'{"a":1}', "application/json") == ("text", '{"a":1}')


def test_broken_text_crosses_as_bytes():
    assert from_bytes(b"\xff", "text/plain") == ("bytes", b"\xff")


def test_bytes_over_the_largest_list_cross_as_a_binary_string():
    assert from_bytes(b"\xff" * LARGEST_LIST)[0] == "bytes"
    form, value = from_bytes(b"\xff" * (LARGEST_LIST + 1))
    assert form == "binary"
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
