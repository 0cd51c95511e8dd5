"""Paths, as facts of hostile requests list them, against `clean_segments`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oriel.errors import OrielError
from oriel.paths import MAX_PATH_BYTES, MAX_SEGMENT_BYTES, MAX_SEGMENTS, clean_segments

REFUSED = {
    "dot-dot": "/a/../b",
    "dot": "/a/./b",
    "dot-dot at the end": "/a/..",
    "encoded dots": "/%2e%2e/a",
    "encoded dots, upper case": "/%2E%2E/a",
    "half encoded dots": "/.%2e/a",
    "dots encoded twice": "/%252e%252e/a",
    "dots encoded three times": "/%25252e%25252e/a",
    "encoded slash": "/..%2fa",
    "encoded slash alone": "/a%2Fb",
    "slash encoded twice": "/a%252fb",
    "encoded backslash": "/..%5ca",
    "backslash": "/..\\a",
    "overlong dots": "/%c0%ae%c0%ae/a",
    "overlong slash": "/a%c0%afb",
    "overlong in three bytes": "/%e0%80%ae/a",
    "not UTF-8": "/%ff",
    "encoded surrogate": "/%ed%a0%80",
    "lone surrogate": "/\ud800",
    "path parameter": "/..;/a",
    "semicolon": "/a;b",
    "encoded semicolon": "/a%3bb",
    "NUL": "/a\0b",
    "encoded NUL": "/a%00b",
    "line break": "/a%0d%0ab",
    "tab": "/a%09b",
    "delete": "/a%7fb",
    "C1 control": "/a%c2%85b",
    "line separator": "/a%e2%80%a8b",
    "two slashes": "/a//b",
    "two slashes first": "//a",
    "two slashes last": "/a//",
    "hidden file": "/.env",
    "hidden file, encoded": "/%2eenv",
    "well-known": "/.well-known/x",
    "fullwidth dots": "/%ef%bc%8e%ef%bc%8e/a",
    "fullwidth slash": "/a%ef%bc%8fb",
    "two-dot leader": "/%e2%80%a5/a",
    "broken escape": "/a%",
    "broken escape with a letter": "/a%2",
    "escape of no byte": "/a%zz",
    "letter beyond ASCII": "/\u00e9",
    "space": "/a b",
    "no slash": "a",
    "nothing": "",
    "a URL": "http://host/a",
}


@pytest.mark.parametrize("path", REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_path_is_refused(path):
    with pytest.raises(OrielError) as caught:
        clean_segments(path)
    assert caught.value.code == "invalid_path"


@pytest.mark.parametrize("path", ["/a\xffb", "/\x80"])
def test_raw_bytes_beyond_ascii_are_refused(path):
    with pytest.raises(OrielError, match="ASCII"):
        clean_segments(path.encode("latin-1"))


def test_a_segment_of_4_kb_is_refused():
    with pytest.raises(OrielError, match=r"Segment 2 .* 1,024 bytes"):
        clean_segments("/a/" + "x" * 4096)
    assert clean_segments("/" + "x" * MAX_SEGMENT_BYTES)


def test_too_many_segments_are_refused():
    assert len(clean_segments("/a" * MAX_SEGMENTS)) == MAX_SEGMENTS
    with pytest.raises(OrielError, match="64 segments"):
        clean_segments("/a" * (MAX_SEGMENTS + 1))


def test_too_long_a_path_is_refused_before_it_is_read():
    with pytest.raises(OrielError, match="8,192 bytes"):
        clean_segments("/" * (MAX_PATH_BYTES + 1))


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/", ()),
        ("/reports", ("reports",)),
        ("/reports/", ("reports",)),
        (b"/reports/a%20b", ("reports", "a b")),
        ("/r%c3%a9sum%c3%a9", ("r\u00e9sum\u00e9",)),
        ("/100%25", ("100%",)),
        ("/a..b/c.", ("a..b", "c.")),
        ("/sha256:00/app.js", ("sha256:00", "app.js")),
        ("/a%3fb%23c", ("a?b#c",)),
        ("/~u/@x/a+b/(c)!$&',=*", ("~u", "@x", "a+b", "(c)!$&',=*")),
    ],
)
def test_an_ordinary_path_is_decoded_once(path, segments):
    assert clean_segments(path) == segments


@given(st.binary(max_size=200))
def test_whatever_comes_either_is_plain_or_refused(raw):
    try:
        segments = clean_segments(b"/" + raw)
    except OrielError:
        return
    for segment in segments:
        assert segment
        assert not segment.startswith(".")
        assert not re.search(r"[\x00-\x1f\x7f/\\;]|%[0-9a-fA-F]{2}", segment)
