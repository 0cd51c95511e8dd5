"""What Oriel needs on this machine: looked at, never changed."""

import importlib.metadata
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from oriel.engine.config import fingerprint, new_engine
from oriel.errors import OrielError
from oriel.keyring import Keyring
from oriel.settings import Settings
from oriel.store.opening import open_store, without_password
from oriel.values import to_plain

FREE_BYTES_WANTED = 2_000_000_000


class Check(Struct, frozen=True):
    """One thing looked at. `missing` is a part that not everybody needs; `bad` keeps the platform from working."""

    name: str
    state: Literal["good", "missing", "bad"]
    detail: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        return to_plain(self)


def examine(settings: Settings) -> tuple[Check, ...]:
    """All checks, in the order in which a person would mend them."""
    return tuple(_examine(settings))


def _examine(settings: Settings) -> Iterator[Check]:
    yield _python()
    yield _guarded("engine", _engine, "Install it again: pip install wasmtime.")
    yield _data_dir(settings.data_dir)
    yield _guarded("keyring", lambda: _keyring(settings), "Restore it, or move the data directory away.")
    yield _guarded("store", lambda: _store(settings), "Check ORIEL_STORE and the data directory.")
    yield _port("product and API", settings.host, settings.port)
    yield _port("UI origin", settings.host, settings.ui_port)
    yield _builder("componentize-py", "Python extensions")
    yield _node()


def _python() -> Check:
    found = sys.version.split()[0]
    good = sys.version_info >= (3, 11)
    return Check("Python", "good" if good else "bad", found, "" if good else "Install Python 3.11 or newer.")


def _guarded(name: str, look: Callable[[], str], remedy: str) -> Check:
    try:
        return Check(name, "good", look())
    except OrielError as error:
        return Check(name, "bad", error.detail, error.hint)
    except Exception as error:
        return Check(name, "bad", f"{type(error).__name__}: {error}", remedy)


def _engine() -> str:
    return f"wasmtime {importlib.metadata.version('wasmtime')}, fingerprint {fingerprint(new_engine())[:12]}"


def _data_dir(path: Path) -> Check:
    existing = next(parent for parent in (path.resolve(), *path.resolve().parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return Check("data directory", "bad", f"{existing} cannot be written", "Name another with --data-dir.")
    free = shutil.disk_usage(existing).free
    if free < FREE_BYTES_WANTED:
        return Check("data directory", "bad", f"{free // 1_000_000:,} MB free", "Free some space, 2 GB at least.")
    return Check("data directory", "good", f"{path.resolve()}, {free // 1_000_000_000:,} GB free")


def _keyring(settings: Settings) -> str:
    if not settings.keyring_path.exists():
        return "none yet; 'oriel serve' makes it"
    Keyring.open(settings.keyring_path)
    return f"{settings.keyring_path}, private"


def _store(settings: Settings) -> str:
    if not settings.data_dir.exists():
        return "none yet; 'oriel serve' makes it"
    store = open_store(settings.store_url)
    try:
        store.ping()
    finally:
        store.close()
    return without_password(settings.store_url)


def _port(what: str, host: str, port: int) -> Check:
    with socket.socket() as probe:
        probe.settimeout(1)
        taken = probe.connect_ex((host, port)) == 0
    detail = "somebody answers there: Oriel, if it runs" if taken else "free"
    return Check(f"port {port}", "good", f"{detail} ({what})")


def _builder(package: str, what: str) -> Check:
    try:
        return Check(package, "good", importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return Check(package, "missing", f"{what} cannot be built", "pip install 'oriel[build]'")


def _node() -> Check:
    path = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if path:
        return Check("Node.js", "good", path)
    return Check("Node.js", "missing", "JavaScript extensions cannot be built", "pip install 'oriel[build]'")
