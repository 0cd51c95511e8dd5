"""The bundle: `bundle.tar.zst`, what an extension is shipped as.

    manifest.json     required; says what belongs in the bundle
    dist/main.wasm    required; a WebAssembly component
    sbom.spdx.json    where the manifest names it
    ui/**             the files that the manifest's `assets` match

    layout    which files belong in a bundle
    tar       the archive: one byte sequence for one set of files
    frame     the compression: one bounded zstd frame
    packing   a directory to a bundle, and a bundle to its parts

Pure but for `pack`, which reads the directory it is given.
"""

from oriel.bundle.frame import MAX_BUNDLE_BYTES, MAX_RATIO, MAX_UNPACKED_BYTES
from oriel.bundle.layout import COMPONENT, MANIFEST, SBOM
from oriel.bundle.packing import Bundle, Packed, content_hash, pack, unpack
from oriel.bundle.tar import MAX_ENTRIES

__all__ = [
    "COMPONENT",
    "MANIFEST",
    "MAX_BUNDLE_BYTES",
    "MAX_ENTRIES",
    "MAX_RATIO",
    "MAX_UNPACKED_BYTES",
    "SBOM",
    "Bundle",
    "Packed",
    "content_hash",
    "pack",
    "unpack",
]
