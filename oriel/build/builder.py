"""Choose the way to build by the manifest's `runtime`, and put the component in its place."""

import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec import Struct

from oriel.build.cache import cached_component
from oriel.build.javascript import build_javascript
from oriel.build.python import build_python
from oriel.build.world import write_world
from oriel.engine.inspect import check_header
from oriel.errors import OrielError
from oriel.manifest import Manifest

COMPONENT = Path("dist") / "main.wasm"


class BuildResult(Struct, frozen=True):
    """The component, its size in bytes, the seconds it took, and whether it was built before."""

    component: Path
    size: int
    seconds: float
    cached: bool


def build(project: Path, *, progress: Callable[[str], None], cache: bool = True) -> BuildResult:
    """Build `project/dist/main.wasm` from the sources, as `project/manifest.json` says.

    Args:
        project: the folder of manifest.json.
        progress: is told what happens, a few words at a time.
        cache: take the component of the very same sources and tools where it was built before.

    Raises:
        InvalidInput: `invalid_manifest`, with every finding; `invalid_component` for a `wasm@1` that is none.
        OrielError: `build_failed`, `toolchain_missing`.
    """
    started = time.monotonic()
    manifest = _manifest(project)
    component, made = project / COMPONENT, list[Path]()

    def make(output: Path) -> None:
        _build_from_sources(project, manifest, output, progress)
        made.append(output)

    if manifest.runtime == "wasm@1":
        _check_own(component)
    elif cache:
        source = cached_component(project, manifest, make)
        _put(component, partial(shutil.copyfile, source))
    else:
        _put(component, make)
    is_cached = manifest.runtime != "wasm@1" and not made
    return BuildResult(component, component.stat().st_size, time.monotonic() - started, is_cached)


def _manifest(project: Path) -> Manifest:
    path = project / "manifest.json"
    if not path.is_file():
        raise OrielError(
            "build_failed", f"There is no {path}.", hint="Run the command in the extension's folder, or name it."
        )
    return Manifest.parse(path.read_bytes())


def _put(component: Path, make: Callable[[Path], object]) -> None:
    """Make it beside its place and move it, so that a failure leaves the last component as it was."""
    component.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=component.parent) as temporary:
        output = Path(temporary) / component.name
        make(output)
        output.replace(component)


def _build_from_sources(project: Path, manifest: Manifest, component: Path, progress: Callable[[str], None]) -> None:
    capabilities = [request.name for request in manifest.capabilities]
    with tempfile.TemporaryDirectory(prefix="oriel-building-", dir=component.parent) as temporary:
        work = Path(temporary).absolute()
        standard = manifest.runtime == "wasi-js@1"
        wit, output = write_world(work, capabilities, standard=standard), work / "main.wasm"
        if manifest.runtime == "wasm-py@1":
            build_python(project, wit, output, progress)
        else:
            build_javascript(project, wit, output, capabilities, progress, standard=standard)
        output.replace(component)


def _check_own(component: Path) -> None:
    """The author's own component stays as it is; the registry looks at it closely when it is published."""
    if not component.is_file():
        raise OrielError(
            "build_failed",
            f"There is no {component}.",
            hint="The runtime 'wasm@1' takes a component that you build yourself and put there.",
        )
    check_header(component.read_bytes())
