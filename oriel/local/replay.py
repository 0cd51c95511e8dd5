"""Fixtures run again on this machine, against a component that its author has.

Rules kept here: nothing is asked of a platform; a component is compiled once, however many fixtures run against it.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from oriel import bundle as bundles
from oriel.engine.compile import compile_component
from oriel.errors import OrielError
from oriel.fixture import Fixture
from runner.replaying import Replay, Replayer

COMPONENT = Path("dist") / "main.wasm"
BUNDLE_SUFFIX = ".zst"


def component_at(path: Path) -> bytes:
    """The component of a project, of a bundle, or in a file of its own.

    Raises:
        OrielError: `invalid_component`, where there is none; as `oriel.bundle.unpack`.
    """
    found = path / COMPONENT if path.is_dir() else path
    if not found.is_file():
        raise OrielError("invalid_component", f"There is no component at {found}.", hint="Build it: oriel build.")
    data = found.read_bytes()
    return bundles.unpack(data).component if found.suffix == BUNDLE_SUFFIX else data


def replays(component: bytes, fixtures: Iterable[Fixture]) -> Iterator[Replay]:
    """Each fixture run against the component, one after the other."""
    with tempfile.TemporaryDirectory(prefix="oriel-replay-") as folder:
        artifact = Path(folder, "component.cwasm")
        artifact.write_bytes(compile_component(component).cwasm)
        replayer = Replayer(artifact)
        try:
            for fixture in fixtures:
                yield replayer.run(fixture)
        finally:
            replayer.close()
