"""The npm packages that the browser libraries are checked with: TypeScript, axe, React, esbuild.

They are pinned by the lock in `tools/web` and installed once into the cache. Nothing of them is in what is shipped.
"""

import hashlib
import subprocess
from pathlib import Path

from oriel.build.toolchain import find_node, install_packages
from oriel.build.tools import cache_dir

SOURCE = Path(__file__).parent / "web"
LOCKS = ("package.json", "package-lock.json")


def packages() -> Path:
    """The folder with `node_modules`; installed now where it is not there. `OrielError` where Node.js is missing."""
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in LOCKS)).hexdigest()[:16]
    home = cache_dir() / f"web-tools-{digest}"
    if not home.is_dir():
        install_packages(home, SOURCE, LOCKS, find_node(), "npm could not install the tools for the browser libraries")
    return home


def node(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a script of Node.js to its end, whatever its exit code."""
    command = [find_node().node, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
