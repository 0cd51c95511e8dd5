"""Node.js and the npm packages that turn JavaScript into components.

The packages are pinned by `package-lock.json` beside this file, whose integrity hashes npm checks. They are installed
once into the cache, under a name made of the lock's and the script's hash, and used by every build after it. No
package's install script runs.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from oriel.build.tools import INSTALL_HINT, cache_dir, made_once, run
from oriel.errors import OrielError

OLDEST_NODE = 20
SCRIPT = "componentize.mjs"
_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json", SCRIPT)


class Node(Struct, frozen=True):
    """The commands of one Node.js."""

    node: str
    npm: str


class Toolchain(Struct, frozen=True):
    """An installed toolchain: `script` stands beside its `node_modules`."""

    node: str
    script: Path


def find_node() -> Node:
    """Node.js 20 or newer: the one that came with this Python environment, else the one on PATH.

    Raises:
        OrielError: `toolchain_missing`.
    """
    too_old = ""
    for folder in (str(Path(sys.executable).parent), os.environ.get("PATH", "")):
        node, npm = shutil.which("node", path=folder), shutil.which("npm", path=folder)
        if node is None or npm is None:
            continue
        version = _version(node)
        if int(version.split(".")[0] or 0) >= OLDEST_NODE:
            return Node(node, npm)
        too_old = f" {node} is {version or 'of an unknown version'}."
    raise OrielError(
        "toolchain_missing", f"Node.js {OLDEST_NODE} or newer is not installed.{too_old}", hint=INSTALL_HINT
    )


def toolchain(progress: Callable[[str], None]) -> Toolchain:
    """The JavaScript toolchain, installed now where this is its first use.

    Raises:
        OrielError: `toolchain_missing` without Node.js; `build_failed` where npm fails, with what it said.
    """
    node = find_node()
    home = cache_dir() / "toolchain" / lock_hash()
    if not home.is_dir():
        progress("installing the JavaScript toolchain, once (about 200 MB)")
        install_packages(home, _HERE, _FILES, node, "npm could not install the JavaScript toolchain")
    return Toolchain(node.node, home / SCRIPT)


def lock_hash() -> str:
    """What names this toolchain: 16 hex digits over the lock and the script."""
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update(hashlib.sha256((_HERE / name).read_bytes()).digest())
    return digest.hexdigest()[:16]


def install_packages(home: Path, source: Path, files: Sequence[str], node: Node, failure: str) -> None:
    """Install what `package-lock.json` in `source` pins into `home`, beside copies of `files`. No install script runs.

    Where another process is at it, this waits for it; `home` is whole whenever it is there.

    Raises:
        OrielError: `build_failed`, with `failure` and what npm said.
    """

    def make(work: Path) -> None:
        work.mkdir()
        for name in files:
            shutil.copy(source / name, work)
        command = [node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run(command, failure=failure, cwd=work, env=_environment(node))

    made_once(home, make)


def _environment(node: Node) -> dict[str, str]:
    """PATH with this very Node.js first: npm finds its interpreter there."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(node.node).parent), os.environ.get("PATH", "")])}


def _version(node: str) -> str:
    """`24.19.0`, or nothing where it does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout  # noqa: S603 - a program found on PATH
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.strip().removeprefix("v")
