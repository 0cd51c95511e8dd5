"""What a Lambda function or the layer holds: its own code, what it imports, bytecode. `sam build` calls this.

    python tools/package.py [--arch arm64|x86_64] PART FOLDER

Rules kept here:

- A function gets the modules of ours that it comes to (`tools.imports`) and no other, and the wheels of its lock
  (`requirements/function-*.txt`) for Lambda's architecture, whatever this machine's is.
- Bytecode is made here, for Lambda's own Python: a function without pays for it at every start. It is valid whatever
  a file's time is (unchecked hash), so that packing does not undo it.
- The same sources give the same bytes: order, times and paths do not depend on the machine or the day.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # it is started by its path, from any folder

from tools.imports import ENTRIES, reachable, source_of
from tools.lambda_python import UV, lambda_python

ROOT = Path(__file__).parents[1]
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
TIME = 315_532_800  # 1980-01-01, the oldest that a zip archive knows
TASK, LAYER = "/var/task", "/opt"

UNNEEDED_FILES = (
    "zstandard/_cffi*.so",
    "zstandard/backend_cffi.py",
    "*.pyi",
    "py.typed",
    "*.pxd",
    "*.h",
    "*.c",
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    ".lock",
)
UNNEEDED_FOLDERS = ("tests", "test", "testing", "__pycache__", "bin", "examples")
# cryptography's wheel wants `_cffi_backend` alone, the built half of cffi. Of SQLAlchemy its core speaks PostgreSQL.
# FastAPI imports pydantic's former self where it is there, to refuse its models.
UNNEEDED_LIBRARIES = ("cffi", "pycparser", "pydantic/v1", "sqlalchemy/orm")
UNNEEDED_LIBRARIES += ("sqlalchemy/dialects/mssql", "sqlalchemy/dialects/mysql", "sqlalchemy/dialects/oracle")
# zstandard has two ways to its library, of 12 MB each; CPython takes the other one.
# botocore describes every service there is; these are asked, and what a client of theirs reads beside.
BOTOCORE_DATA = ("s3", "endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json")


class Part(NamedTuple):
    """A lock, where its wheels go, the module with the handler, and the browser libraries that go along."""

    lock: str
    folder: str = ""
    entry: str = ""
    web: tuple[str, ...] = ()


PARTS = {
    "gateway": Part("function-gateway", entry=ENTRIES["gateway"]),
    "events": Part("function-events", entry=ENTRIES["events"]),
    "runner": Part("function-runner", entry=ENTRIES["runner"]),
    "registry": Part("function-registry", entry=ENTRIES["registry"], web=("host", "guest", "console")),
    "publisher": Part("function-publisher", entry=ENTRIES["publisher"]),
    "library": Part("function-library", entry=ENTRIES["library"], web=("guest",)),
    "migration": Part("function-migration", entry=ENTRIES["migration"]),
    "wasmtime": Part("layer-wasmtime", folder="python"),
    "postgresql": Part("layer-postgresql", folder="python"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/package.py", description="Fill a folder with a function or a layer.")
    parser.add_argument("--arch", choices=PLATFORMS, default="arm64")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    package(PARTS[options.part], options.arch, options.folder)
    return 0


def package(part: Part, arch: str, target: Path) -> None:
    """Fill `target`, which is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    folder = target / part.folder
    folder.mkdir(parents=True)
    _install(part.lock, PLATFORMS[arch], folder)
    _prune(folder)
    if part.entry:
        _copy_modules(part.entry, folder)
    for name in part.web:
        shutil.copytree(ROOT / "web" / name, folder / "oriel/_data/web" / name)
        shutil.copy(ROOT / f"web/{name}.js", folder / "oriel/_data/web")
    _compile(folder, f"{LAYER if part.folder else TASK}/{part.folder}".rstrip("/"))
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (TIME, TIME))


def _install(lock: str, platform: str, folder: Path) -> None:
    command = [str(UV), "pip", "install", "--quiet", "--target", str(folder), "--python", str(lambda_python())]
    command += ["--python-platform", platform, "--only-binary", ":all:", "--no-deps", "--link-mode", "copy"]
    command += ["--require-hashes", "-r", str(ROOT / "requirements" / f"{lock}.txt")]
    subprocess.run(command, check=True, stdout=sys.stderr)


def _prune(folder: Path) -> None:
    """Take away what wheels bring and nobody imports."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if path.name in UNNEEDED_FOLDERS and path.parent.name != "pydantic":
                _remove(path)
        elif any(path.match(pattern) for pattern in UNNEEDED_FILES):
            path.unlink()
    for name in UNNEEDED_LIBRARIES:
        _remove(folder / name)
    data = folder / "botocore/data"
    for path in list(data.iterdir()) if data.is_dir() else ():
        if path.name.removesuffix(".gz") not in BOTOCORE_DATA:
            _remove(path)


def _copy_modules(entry: str, folder: Path) -> None:
    """The modules that a function comes to, and the files that lie beside a package's modules as its data."""
    for module in sorted(reachable(entry).own):
        source = source_of(module)
        assert source is not None
        target = folder.joinpath(*module.split("."))
        files = [source]
        if source.name == "__init__.py":
            files += [path for path in source.parent.iterdir() if path.is_file() and path.suffix != ".py"]
        else:
            target = target.parent
        target.mkdir(parents=True, exist_ok=True)
        for path in files:
            shutil.copyfile(path, target / path.name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _compile(folder: Path, seen_as: str) -> None:
    """Bytecode for every module, as it is called in Lambda. Sets are written in one order (PYTHONHASHSEED)."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.writelines(f"{path}\n" for path in _sources(folder))
        listed.flush()
        command = [lambda_python(), "-m", "compileall", "-q", "-i", listed.name, "-s", str(folder), "-p", seen_as]
        command += ["--invalidation-mode", "unchecked-hash"]
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""}
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)


def _sources(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.rglob("*.py")))


if __name__ == "__main__":
    sys.exit(main())
