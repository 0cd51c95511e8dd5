"""Archives as an attacker writes them: tar blocks and zstd frames built by hand."""

import io
import tarfile

import zstandard

from oriel.bundle.frame import compress
from oriel.bundle.tar import BLOCK, write_tar
from tests.support.bundles import EMPTY_COMPONENT, manifest_document

END = bytes(2 * BLOCK)


def good_files(**manifest_overrides):
    """What a small bundle holds."""
    return {
        "dist/main.wasm": EMPTY_COMPONENT,
        "manifest.json": json_bytes(manifest_document(**manifest_overrides)),
        "ui/index.html": b"<!doctype html>",
    }


def json_bytes(document):
    import json

    return json.dumps(document).encode()


def entry(name, data=b"", *, form=tarfile.USTAR_FORMAT, **fields):
    """One entry with any header; `fields` are of `tarfile.TarInfo`."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(form, "utf-8", "surrogateescape") + data + bytes(-len(data) % BLOCK)


def patched(block, offset, value):
    """A header with other bytes and a checksum that fits them."""
    header = bytearray(block)
    header[offset : offset + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:BLOCK])
    return bytes(header)


def bundle_with(*extra, end=END):
    """A good bundle with these raw entries behind its own."""
    return compress(write_tar(good_files())[: -len(END)] + b"".join(extra) + end)


def tarred(files, **options):
    """An archive as `tarfile` writes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **options) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def frame(data, **options):
    """A zstd frame with other options than ours."""
    return zstandard.ZstdCompressor(**options).compress(data)
