"""From a project's directory to a bundle, and from a bundle to its parts.

Rules kept here:

- `pack` takes `manifest.json`, `dist/main.wasm`, the SBOM the manifest names and the files under `ui/` that its
  `assets` match. It leaves out everything else: other files and folders, and hidden ones under `ui/`.
- It reads regular files only; a link on the way is refused by its path. Nothing of the machine enters the bundle: no
  times, owners, modes or order of the file system.
- `unpack` trusts nothing and writes nothing: bytes in, parts in memory out, every bound checked before it is reached.
"""

import hashlib
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from oriel.bundle.frame import MAX_BUNDLE_BYTES, MAX_UNPACKED_BYTES, Frame, compress
from oriel.bundle.layout import (
    COMPONENT,
    MANIFEST,
    MAX_SIZES,
    SBOM,
    UI,
    check_component,
    check_layout,
    is_asset,
    place_problem,
)
from oriel.bundle.tar import read_tar, write_tar
from oriel.errors import OrielError
from oriel.manifest import Manifest
from oriel.strict_json import shown


class Packed(Struct, frozen=True):
    """A new bundle."""

    data: bytes
    content_hash: str
    manifest: Manifest


class Bundle(Struct, frozen=True):
    """A bundle's parts. `ui` maps a path below `ui/` to its bytes; `size` is the bundle's own, in bytes."""

    manifest: Manifest
    component: bytes
    ui: Mapping[str, bytes]
    sbom: bytes | None
    content_hash: str
    size: int

    @property
    def component_digest(self) -> str:
        return content_hash(self.component)


def content_hash(data: bytes) -> str:
    """`sha256:` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def pack(source: Path) -> Packed:
    """The bundle of a project. The same files give the same bytes on every machine.

    Args:
        source: the directory that holds `manifest.json`.

    Raises:
        InvalidInput: `invalid_manifest`, or `invalid_bundle` with every file that is missing or in the way.
        OrielError: `invalid_bundle`, `invalid_component`, `bundle_too_large`.
    """
    first = _read(source, MANIFEST)
    if first is None:
        raise OrielError("invalid_bundle", f"There is no {MANIFEST} in {source}.", hint="Name the project's folder.")
    manifest = Manifest.parse(first)
    names = [COMPONENT, *([manifest.sbom] if manifest.sbom else []), *_ui_names(source, manifest)]
    found = {name: data for name in names if (data := _read(source, name)) is not None}
    files = {MANIFEST: first, **found}
    check_layout(files, manifest)
    check_component(files[COMPONENT])
    data = compress(write_tar(files))
    unpack(data)  # every bound of a reader is one of the writer's too
    return Packed(data, content_hash(data), manifest)


def unpack(data: bytes | BinaryIO) -> Bundle:
    """The parts of a bundle from anywhere.

    Args:
        data: the bytes, or a file open at their start; no more than `MAX_BUNDLE_BYTES` are read of it.

    Raises:
        InvalidInput: `invalid_manifest`, or `invalid_bundle` with every file that is missing or in the way.
        OrielError: `invalid_bundle`, `invalid_component`, `bundle_too_large`.
    """
    raw = _within_limit(data if isinstance(data, bytes) else data.read(MAX_BUNDLE_BYTES + 1))
    files: dict[str, bytes] = {}
    for name, content in read_tar(Frame(raw), max_size=MAX_SIZES, default_max_size=MAX_UNPACKED_BYTES):
        if problem := place_problem(name):
            raise OrielError("invalid_bundle", f"The entry {shown(name)} {problem}.")
        files[name] = content
    if MANIFEST not in files:
        raise OrielError("invalid_bundle", f"The bundle holds no {MANIFEST}.")
    manifest = Manifest.parse(files[MANIFEST])
    check_layout(files, manifest)
    check_component(files[COMPONENT])
    ui = {name.removeprefix(UI): content for name, content in files.items() if name.startswith(UI)}
    return Bundle(manifest, files[COMPONENT], ui, files.get(SBOM), content_hash(raw), len(raw))


def _ui_names(source: Path, manifest: Manifest) -> Iterator[str]:
    """The names of the files under `ui/` that are packed, in any order."""
    folders = [UI.rstrip("/")]
    while folders:
        folder = folders.pop()
        if not _is_there(source, folder, stat.S_ISDIR):
            continue
        for entry in (source / folder).iterdir():
            name = f"{folder}/{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                folders.append(name)
            elif is_asset(name, manifest):
                yield name


def _read(source: Path, name: str) -> bytes | None:
    """The bytes of a regular file; None where there is none."""
    return (source / name).read_bytes() if _is_there(source, name, stat.S_ISREG) else None


def _is_there(source: Path, name: str, is_kind: Callable[[int], bool]) -> bool:
    """Whether `name` is there below `source`, as the kind that is wanted and without a link on the way."""
    path = source
    for part in name.split("/"):
        if path != source and not path.is_dir():
            return False
        path /= part
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return False
        if stat.S_ISLNK(mode):
            raise _in_the_way(path, "a symbolic link; put the file itself there")
    if not is_kind(mode):
        raise _in_the_way(path, "no regular file" if is_kind is stat.S_ISREG else "no folder")
    return True


def _in_the_way(path: Path, what: str) -> OrielError:
    return OrielError("invalid_bundle", f"{path} is {what}.", hint="Mend it, or leave it out with 'assets'.")


def _within_limit(data: bytes) -> bytes:
    if len(data) > MAX_BUNDLE_BYTES:
        raise OrielError("bundle_too_large", f"The bundle has more than {MAX_BUNDLE_BYTES:,} bytes.")
    return data
