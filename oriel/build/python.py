"""`wasm-py@1`: Python sources to a component, by componentize-py.

`src/main.py` holds the `app`. Pure-Python packages from elsewhere lie in `vendor/`. WASI is stubbed out, so that the
component imports the interfaces of its world and nothing else; the guest library leads the clock, randomness and
output to the host.
"""

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from oriel.build.tools import INSTALL_HINT, required_source, run
from oriel.build.world import WORLD
from oriel.errors import OrielError

GUEST = Path(__file__).parent / "guest" / "python"
_ENTRY = "oriel_component"
_ENTRY_TEXT = 'from oriel_guest._entry import world\n\nWitWorld = world("main")\n'
_EXAMPLE = "from oriel_guest import App; app = App()"
_CACHES = shutil.ignore_patterns("__pycache__")
_RUN = "import sys, componentize_py; sys.exit(componentize_py.script())"


def build_python(project: Path, wit: Path, output: Path, progress: Callable[[str], None]) -> None:
    """Write the component of `project/src/main.py` to `output`.

    Raises:
        OrielError: `build_failed`, with the Python traceback where the author's code raised; `toolchain_missing`.
    """
    if importlib.util.find_spec("componentize_py") is None:
        raise OrielError("toolchain_missing", "componentize-py is not installed.", hint=INSTALL_HINT)
    source = required_source(project / "src" / "main.py", _EXAMPLE).parent
    work = output.parent
    folders = _copied(source, project / "vendor", work)
    progress("building src/main.py with componentize-py")
    command: list[str | Path] = [sys.executable, "-c", _RUN, "--quiet", "--wit-path", wit, "--world", WORLD]
    command += ["componentize", "--stub-wasi", *_options("--python-path", folders), "--output", output, _ENTRY]
    try:
        run(command, failure="src/main.py does not build", cwd=work, env=_environment(work))
    except OrielError as error:
        raise OrielError(error.code, _without_machinery(error.detail)) from None


def _copied(source: Path, vendor: Path, work: Path) -> list[Path]:
    """Copies of the sources, to be searched in this order; the tool writes bytecode beside what it reads."""
    shutil.copytree(GUEST, work / "guest", ignore=_CACHES)
    (work / "guest" / f"{_ENTRY}.py").write_text(_ENTRY_TEXT, encoding="ascii")
    shutil.copytree(source, work / "src", ignore=_CACHES)
    folders = [work / "guest", work / "src"]
    if vendor.is_dir():
        folders.append(Path(shutil.copytree(vendor, work / "vendor", ignore=_CACHES)))
    return folders


def _options(name: str, values: list[Path]) -> list[str]:
    return [part for value in values for part in (name, str(value.absolute()))]


def _environment(work: Path) -> dict[str, str]:
    """An environment whose site-packages is empty; componentize-py would add the platform's own."""
    (work / "environment" / "lib" / "python3" / "site-packages").mkdir(parents=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "VIRTUAL_ENV": str(work / "environment"), "RUST_BACKTRACE": "0"}


def _without_machinery(detail: str) -> str:
    """The guest's own traceback alone, without the frames of the tool and the guest library around it."""
    start = detail.rfind("AssertionError: Traceback")
    if start < 0:
        return detail
    heading, _, _ = detail.partition("\n")
    traceback = re.split(r"\n\s*\n|\nCaused by:", detail[start:].removeprefix("AssertionError: "), maxsplit=1)[0]
    return f"{heading}\n{traceback}".replace('File "/1/', 'File "src/')
