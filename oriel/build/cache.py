"""Components that were built before: the same sources and tools give the same bytes again, and at once.

Rules kept here:

- A component is found by everything it is made from: sources, packages, the guest library and the tools with their
  versions, the interfaces, and what the manifest says of runtime and capabilities. Nothing is found by a time.
- The tools do not build reproducibly, so this is also what makes a repeated build the same version and not another.
- The newest twenty are kept.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from oriel.build.tools import cache_dir, made_once
from oriel.build.world import wit_dir
from oriel.manifest import Manifest

KEPT = 20
COMPONENT = "main.wasm"
_TOOL = "componentize-py"  # the JavaScript tools' versions are in the lock, which lies in this package
_SOURCES = ("src", "vendor", "node_modules", "package.json")
_HERE = Path(__file__).parent


def cached_component(project: Path, manifest: Manifest, make: Callable[[Path], None]) -> Path:
    """The component of these sources, made now where it is not there.

    Args:
        make: builds it to the path that it is given.
    """
    home = cache_dir() / "components"
    path = home / made_from(project, manifest) / COMPONENT
    try:
        made_once(path, make)
    except BaseException:
        with suppress(OSError):
            path.parent.rmdir()
        raise
    path.parent.touch()
    _drop_the_oldest(home)
    return path


def made_from(project: Path, manifest: Manifest) -> str:
    """32 hex digits over everything that a component is made from."""
    digest = hashlib.sha256(f"{manifest.runtime}\0{_version(_TOOL)}\0".encode())
    for request in manifest.capabilities:
        digest.update(f"{request.name}\0".encode())
    for root in (*(project / name for name in _SOURCES), _HERE, wit_dir()):
        for path in _files(root):
            name = f"{root.name}/{path.relative_to(root).as_posix()}"
            digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _files(root: Path) -> Iterator[Path]:
    found = [root] if root.is_file() else sorted(root.rglob("*"))
    return (path for path in found if path.is_file() and "__pycache__" not in path.parts)


def _drop_the_oldest(home: Path) -> None:
    """By use; one that another process takes away at the same time is no matter."""
    with suppress(FileNotFoundError):
        for old in sorted(home.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
