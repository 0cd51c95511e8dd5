"""A Python like Lambda's on this machine: for bytecode, which is good for one version, and for running functions.

python tools/lambda_python.py    prints its path
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

VERSION = "3.13"
UV = Path(__file__).parents[1] / ".venv/bin/uv"


@cache
def lambda_python() -> Path:
    """The interpreter itself, not a shim or a virtual environment's. Ends the process where there is none."""
    for candidate in _candidates():
        code = "import sys; print(sys.base_prefix if sys.prefix == sys.base_prefix else '', *sys.version_info[:2])"
        found = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        prefix, _, version = found.stdout.strip().partition(" ")
        if found.returncode == 0 and prefix and version == VERSION.replace(".", " "):
            return Path(prefix, "bin", f"python{VERSION}")
    sys.exit(
        f"Python {VERSION}, which Lambda runs, is not on this machine; '.venv/bin/uv python install {VERSION}' helps"
    )


def _candidates() -> Iterator[str]:
    if on_path := shutil.which(f"python{VERSION}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{VERSION}.*/bin/python{VERSION}"), reverse=True))
    if UV.exists():
        found = subprocess.run(
            [UV, "python", "find", "--no-project", VERSION], capture_output=True, text=True, check=False
        )
        if found.returncode == 0:
            yield found.stdout.strip()


if __name__ == "__main__":
    print(lambda_python())
