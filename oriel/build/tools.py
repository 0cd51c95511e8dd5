"""Running the tools of a build: their errors in the author's words, their files in a cache."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from oriel.errors import OrielError

CACHE_VARIABLE = "ORIEL_CACHE_DIR"
INSTALL_HINT = "Install the build tools: pip install 'oriel[build]'."
_TAIL = 4_000  # characters of a tool's output: the end says what went wrong
_MAKING = "making-"


def cache_dir() -> Path:
    """Where builds keep what they can make again: `ORIEL_CACHE_DIR`, else the user's cache directory (XDG)."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oriel"


def made_once(path: Path, make: Callable[[Path], None]) -> Path:
    """A file or folder of the cache, made now where it is not there; it is whole whenever it is there.

    Of several processes one makes it and the others wait for it. What a killed one left is removed by the next.

    Args:
        make: writes it to the path it is given, which has the same name and is on the same disk.

    Raises:
        OrielError: `build_failed`, where the folder cannot be made.
    """
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = f"Name a folder that can be written in {CACHE_VARIABLE}."
            raise OrielError("build_failed", f"The cache cannot be kept: {error}.", hint=hint) from None
        with _alone_in(path.parent):
            if not path.exists():
                _make(path, make)
    return path


def _make(path: Path, make: Callable[[Path], None]) -> None:
    for left in path.parent.glob(f"{_MAKING}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_MAKING, dir=path.parent) as work:
        made = Path(work) / path.name
        make(made)
        made.rename(path)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process however that ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def run(command: Sequence[str | Path], *, failure: str, cwd: Path, env: Mapping[str, str] | None = None) -> None:
    """Run one tool to its end.

    Raises:
        OrielError: `build_failed`; the detail is `failure` and the end of what the tool said.
    """
    finished = subprocess.run(  # noqa: S603 - the command is ours; only paths in it are the author's
        [str(part) for part in command],
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if finished.returncode:
        said = (finished.stderr.strip() or finished.stdout.strip())[-_TAIL:]
        raise OrielError("build_failed", f"{failure}:\n{said}" if said else f"{failure}, and said nothing.")


def required_source(path: Path, example: str) -> Path:
    """`path` where it is a file.

    Raises:
        OrielError: `build_failed`, with `example` for what to write there.
    """
    if not path.is_file():
        raise OrielError("build_failed", f"There is no {path}.", hint=f"Write it, for example: {example}")
    return path
