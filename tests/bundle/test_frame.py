"""What a compressed frame from a stranger may not do."""

import random
import struct
import tracemalloc

import pytest
import zstandard

from oriel.bundle import MAX_RATIO, MAX_UNPACKED_BYTES, content_hash, unpack
from oriel.bundle.frame import MAX_WINDOW_BYTES, Frame, compress
from oriel.bundle.tar import write_tar
from oriel.errors import OrielError
from tests.bundle.archives import frame, good_files

ARCHIVE = write_tar(good_files())
GOOD = compress(ARCHIVE)


def refusal(data, code="invalid_bundle"):
    with pytest.raises(OrielError) as caught:
        unpack(data)
    assert caught.value.code == code
    return caught.value.detail


def rle_frame(size, *, announced=None, window_log=20, blocks=None):
    """A frame of blocks that each repeat one byte: four bytes make up to 128 KiB."""
    header = b"\x28\xb5\x2f\xfd" + bytes([0b1100_0000, (window_log - 10) << 3])
    header += struct.pack("<Q", size if announced is None else announced)
    lengths = blocks if blocks is not None else [131_072] * (size // 131_072) + [size % 131_072]
    body = b"".join(
        ((length << 3) | (1 << 1) | (number == len(lengths) - 1)).to_bytes(3, "little") + b"\0"
        for number, length in enumerate(lengths)
    )
    return header + body


def test_a_frame_gives_back_its_content_in_pieces():
    opened = Frame(GOOD)
    pieces = []
    while piece := opened.read(1_000):
        assert len(piece) <= 1_000
        pieces.append(piece)
    assert b"".join(pieces) == ARCHIVE
    assert opened.size == len(ARCHIVE)


def test_equal_content_gives_equal_frames():
    assert compress(ARCHIVE) == GOOD


def test_the_bytes_of_a_frame_are_known():
    # The same tree gives the same bytes on every machine: a change here is a new release of zstd or of Oriel.
    source = random.Random(0)
    words = [source.randbytes(source.randrange(2, 9)) for _ in range(500)]
    data = compress(b"".join(source.choices(words, k=60_000)))
    assert content_hash(data) == "sha256:79b4f160a475d4074a9937cd5526d02253ed4855886979de4098f573c96f83a2"


@pytest.mark.parametrize("data", [b"", b"x", b"BZh9", b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"\x28\xb5\x2f", ARCHIVE])
def test_another_compression_is_refused(data):
    assert refusal(data) == "The bundle is not compressed with zstd."


def test_a_bomb_of_a_million_to_one_is_refused_before_it_is_unpacked():
    bomb = rle_frame(MAX_UNPACKED_BYTES)
    assert MAX_UNPACKED_BYTES // len(bomb) > 10_000
    tracemalloc.start()
    assert "more than 200 times its own size" in refusal(bomb, "bundle_too_large")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_bomb_that_lies_about_its_size_is_held_to_what_it_said():
    opened = Frame(rle_frame(0, announced=1_000, blocks=[131_072] * 50))
    with pytest.raises(OrielError, match="damaged"):
        opened.read(1 << 20)


def test_content_shorter_than_announced_is_refused():
    assert refusal(rle_frame(1_024, announced=2_048))


def test_content_over_the_bound_is_refused():
    assert "unpacks to 256,000,001 bytes" in refusal(rle_frame(MAX_UNPACKED_BYTES + 1), "bundle_too_large")


def test_a_size_near_two_to_the_64_is_refused():
    assert refusal(rle_frame(1_024, announced=2**64 - 3), "bundle_too_large")


def test_a_frame_that_does_not_say_its_size_is_refused():
    assert "does not say how large" in refusal(frame(ARCHIVE, write_content_size=False))


def test_a_window_of_2_gb_is_refused():
    assert "a zstd window of 2,147,483,648 bytes" in refusal(rle_frame(1_024, window_log=31))


def test_the_window_is_bounded_at_8_mib():
    assert refusal(rle_frame(1_024, window_log=24))
    assert Frame(rle_frame(1_024, window_log=23)).size == 1_024
    assert MAX_WINDOW_BYTES == 8 * 1024 * 1024


def test_a_dictionary_is_refused():
    trained = zstandard.ZstdCompressionDict(ARCHIVE * 4, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    raw = frame(ARCHIVE, dict_data=trained)  # a raw dictionary has no id: its content just cannot be unpacked
    assert refusal(raw)
    named = bytes([*GOOD[:4], GOOD[4] | 1, *GOOD[5:7], 7, *GOOD[7:]])
    assert refusal(named)


@pytest.mark.parametrize(
    ("trailing", "count"),
    [(b"\0", 1), (GOOD, len(GOOD)), (b"\x50\x2a\x4d\x18\x04\0\0\0abcd", 12), (b"x" * 1_000, 1_000)],
)
def test_bytes_after_the_frame_are_refused(trailing, count):
    assert refusal(GOOD + trailing) == f"The bundle has {count:,} bytes after its end."


def test_a_skippable_frame_before_the_bundle_is_refused():
    assert refusal(b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + GOOD) == "The bundle is not compressed with zstd."


def test_a_frame_cut_anywhere_is_refused():
    for length in range(len(GOOD)):
        assert refusal(GOOD[:length])


def test_a_frame_with_any_byte_changed_is_refused_or_is_another_bundle():
    for position in range(len(GOOD)):
        changed = bytearray(GOOD)
        changed[position] ^= 0xFF
        with pytest.raises(OrielError):
            unpack(bytes(changed))


def test_a_frame_of_empty_blocks_is_refused_before_it_is_walked():
    assert "too many small blocks" in refusal(rle_frame(0, announced=1_024, blocks=[0] * 1_000_000 + [1]))


def test_a_reserved_block_is_refused():
    header = rle_frame(0, announced=1_024, blocks=[])
    assert "damaged block" in refusal(header + (1 | 3 << 1).to_bytes(3, "little"))


def test_the_ratio_leaves_room_for_real_bundles():
    assert MAX_RATIO >= 100
