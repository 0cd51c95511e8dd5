"""One set of files, one archive; one archive, one set of files."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oriel.bundle import unpack
from oriel.bundle.frame import compress
from oriel.bundle.tar import read_tar, write_tar
from oriel.errors import OrielError
from tests.bundle.archives import good_files

NAMES = st.from_regex(r"ui/[A-Za-z0-9_@+~-]{1,60}(/[A-Za-z0-9_@+~-][A-Za-z0-9._-]{0,60}){0,2}", fullmatch=True)
ARCHIVE = write_tar(good_files())


def read(archive):
    return dict(read_tar(io.BytesIO(archive), max_size={}, default_max_size=1_000_000))


@given(st.dictionaries(NAMES, st.binary(max_size=1_200), max_size=6))
def test_what_is_written_is_read(files):
    try:
        archive = write_tar(files)
    except OrielError:
        assert any(len(name) > 100 for name in files)
        return
    assert read(archive) == files


@settings(max_examples=600)
@given(st.integers(0, len(ARCHIVE) - 1), st.integers(0, 255), st.integers(0, len(ARCHIVE)))
def test_an_archive_that_is_read_is_the_one_that_would_be_written(position, value, length):
    changed = bytearray(ARCHIVE)
    changed[position] = value
    for candidate in (bytes(changed), bytes(changed[:length]), bytes(changed) + bytes(length % 1_500)):
        try:
            files = read(candidate)
        except OrielError:
            continue
        assert write_tar(files) == candidate


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_words(data):
    for candidate in (data, b"\x28\xb5\x2f\xfd" + data, compress(data)):
        with pytest.raises(OrielError) as caught:
            unpack(candidate)
        assert caught.value.code in {"invalid_bundle", "bundle_too_large"}
