"""The guests that benchmarks run: two projects built as `oriel build` does it, and two written as component text.

What was built lies in the build's cache under a hash of everything that it was made from: only a change builds again.
Each answers `GET /hello`, `standard` by `wasi:http/incoming-handler`; `javascript` and `python` also send a body back,
as text (`POST /text`) and as bytes (`POST /bytes`).
"""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from oriel.build import COMPONENT, build
from oriel.build.tools import cache_dir
from oriel.bundle import pack
from oriel.manifest import Manifest
from tests.guests.build import TEXT, guest
from tests.guests.standard import answering

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
JAVASCRIPT, PYTHON, PLAIN, STANDARD = "javascript", "python", "plain", "standard"
NAMES = (JAVASCRIPT, PYTHON, PLAIN, STANDARD)
HELLO = "hello"


class Guest(NamedTuple):
    """A packed extension and the component in it."""

    manifest: Manifest
    component: bytes
    bundle: bytes


@cache
def load(name: str) -> Guest:
    """One of `NAMES`, built now where the cache has none."""
    home = cache_dir() / "benchmarks" / f"{name}-{source_hash(name)}"
    if not home.is_dir():
        _make(name, home)
    packed = pack(home)
    return Guest(packed.manifest, (home / COMPONENT).read_bytes(), packed.data)


def source_hash(name: str) -> str:
    """16 hex digits over all that a guest is made from: sources and the build, or the writer of component text."""
    writer = (ROOT / "tests" / "guests" / file for file in ("build.py", "standard.py", "wit.py"))
    made_by = (HERE / name, ROOT / "oriel" / "build") if (HERE / name).is_dir() else (*writer, HERE / JAVASCRIPT)
    return hash_of(*made_by, ROOT / "wit", Path(__file__))


def hash_of(*places: Path) -> str:
    """16 hex digits over files, and over all files below folders, with their names."""
    digest = hashlib.sha256()
    for path in (path for place in places for path in _files(place)):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    for path in sorted(place.rglob("*")):
        if path.is_file() and not {"__pycache__", "dist"}.intersection(path.parts):
            yield path


def _make(name: str, home: Path) -> None:
    """Make the project beside `home` and rename it, so that `home` is whole whenever it is there."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=home.parent) as temporary:
        work = Path(temporary) / name
        if name == PLAIN:
            _write(work, name, _plain())
        elif name == STANDARD:
            _write(work, name, answering())
        else:
            shutil.copytree(HERE / name, work, ignore=shutil.ignore_patterns("dist"))
            build(work, progress=lambda line: print(f"{name}: {line}", file=sys.stderr))
        keep(work, home)


def keep(made: Path, home: Path) -> None:
    """Rename what was made to `NAME-HASH` in the cache, and drop what former sources made under the same name."""
    made.rename(home)
    name, _, _ = home.name.rpartition("-")
    for former in home.parent.glob(f"{name}-*"):
        if former.is_dir() and former != home:
            shutil.rmtree(former, ignore_errors=True)
        elif former != home:
            former.unlink(missing_ok=True)


def _plain() -> bytes:
    """A component that does nothing but answer: what is measured with it is the way to it and back."""
    return guest(
        f"(call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const {TEXT}) (i32.const 1024)"
        f" (i32.const {len(HELLO)}))",
        data=HELLO,
    )


def _write(project: Path, name: str, component: bytes) -> None:
    manifest = json.loads((HERE / JAVASCRIPT / "manifest.json").read_text(encoding="utf-8"))
    manifest |= {"name": f"com.acme.bench-{name}", "runtime": "wasm@1"}
    (project / COMPONENT).parent.mkdir(parents=True)
    (project / COMPONENT).write_bytes(component)
    (project / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
