"""What every blob store keeps."""

import threading

import pytest

from oriel.blobs import BlobMismatch, BlobMissing, BlobTooLarge, open_blobs
from oriel.errors import InvalidInput

BAD_KEYS = [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/./b",
    "a/../b",
    "../a",
    "a\\..\\b",
    "a\0b",
    "a\nb",
    ".incoming/a",
    "a" * 256,
    "/".join(["aaaa"] * 300),
]


def test_bytes_come_back(blobs):
    blobs.put_new("bundles/sha256/aa/bundle.tar.zst", b"\0\xff")
    assert blobs.get("bundles/sha256/aa/bundle.tar.zst") == b"\0\xff"
    with blobs.open("bundles/sha256/aa/bundle.tar.zst") as stream:
        assert stream.read(1) == b"\0"
    assert blobs.info("bundles/sha256/aa/bundle.tar.zst").size == 2


def test_an_empty_blob_is_a_blob(blobs):
    blobs.put_new("a", b"")
    assert blobs.get("a") == b""


def test_a_key_is_never_overwritten(blobs):
    blobs.put_new("a/b", b"first")
    with pytest.raises(BlobMismatch):
        blobs.put_new("a/b", b"other")
    with pytest.raises(BlobMismatch):
        blobs.put_new("a/b", b"firsT")
    assert blobs.get("a/b") == b"first"


def test_the_same_bytes_again_are_no_error(blobs):
    blobs.put_new("a/b", b"same")
    blobs.put_new("a/b", b"same")
    assert blobs.get("a/b") == b"same"


def test_of_many_writers_of_one_key_one_wins(blobs):
    outcomes, barrier = [], threading.Barrier(8)

    def write(value):
        barrier.wait()
        try:
            blobs.put_new("x/y/z", value)
            outcomes.append(value)
        except BlobMismatch:
            outcomes.append(None)

    threads = [threading.Thread(target=write, args=(bytes([n]) * 100_000,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if outcome is not None]
    assert len(winners) == 1
    assert blobs.get("x/y/z") == winners[0]


def test_what_is_not_there_is_missing(blobs):
    blobs.put_new("a/b", b"")
    for key in ("missing", "a/missing", "a", "a/b/c"):
        assert blobs.info(key) is None
        with pytest.raises(BlobMissing):
            blobs.get(key)


def test_a_stream_is_stored_and_replaced_under_staging(blobs):
    assert blobs.put_stream("staging/u1", iter([b"ab", b"", b"c"]), limit=3).size == 3
    assert blobs.put_stream("staging/u1", [b"de"], limit=3).size == 2
    assert blobs.get("staging/u1") == b"de"


def test_a_stream_over_the_limit_stores_nothing_and_keeps_what_was_there(blobs):
    blobs.put_stream("staging/u1", [b"old"], limit=3)

    def endless():
        while True:
            yield b"x"

    with pytest.raises(BlobTooLarge, match="1,000"):
        blobs.put_stream("staging/u1", endless(), limit=1000)
    with pytest.raises(BlobTooLarge):
        blobs.put_stream("staging/u2", [b"abcd"], limit=3)
    assert [info.key for info in blobs.list("")] == ["staging/u1"]
    assert blobs.get("staging/u1") == b"old"


def test_a_stream_that_breaks_off_stores_nothing(blobs):
    def broken():
        yield b"ab"
        raise ConnectionResetError

    with pytest.raises(Exception):  # noqa: B017 - the stream's own error, or the store's
        blobs.put_stream("staging/u1", broken(), limit=10)
    assert list(blobs.list("")) == []


def test_only_staging_is_streamed_to(blobs):
    for key in ("bundles/a", "stagingx/a", "staging"):
        with pytest.raises(ValueError):
            blobs.put_stream(key, [b""], limit=1)


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_is_no_plain_path_is_refused_everywhere(blobs, key):
    for use in (blobs.get, blobs.info, blobs.delete, lambda bad: blobs.put_new(bad, b"")):
        with pytest.raises(ValueError):
            use(key)


def test_listing_is_by_prefix_and_ordered_by_bytes(blobs):
    keys = ["a/b", "a/b.txt", "a/b-c", "a.b", "ab/c", "a/é", "a/Z", "b"]
    for key in keys:
        blobs.put_new(key if key != "a/b" else "a/b/x", b"1")
    keys[0] = "a/b/x"
    for prefix in ("", "a", "a/", "a/b", "a/b/", "a.", "zz", "a/b/x"):
        expected = sorted((key for key in keys if key.startswith(prefix)), key=str.encode)
        assert [info.key for info in blobs.list(prefix)] == expected


def test_deleting_is_idempotent(blobs):
    blobs.put_new("a/b", b"1")
    blobs.delete("a/b")
    blobs.delete("a/b")
    blobs.delete("never/was")
    assert blobs.info("a/b") is None
    blobs.put_new("a/b", b"2")
    assert blobs.get("a/b") == b"2"


@pytest.mark.parametrize("url", ["", "file:", "gopher://x", "blobs"])
def test_an_unknown_blob_store_is_refused_with_what_would_do(url):
    with pytest.raises(InvalidInput, match="file:DIR"):
        open_blobs(url)
