"""Writes `oriel/engine/signatures.json` and `alga.json`: the functions of two WIT packages, with their types.

    oriel:extension    `wit/`                   -> signatures.json
    alga:extension     `oriel/engine/alga.wit`  -> alga.json

A component that imports every interface of the package is built with componentize-py, and the engine is asked for
the types it sees. Run it after every change of the WIT; a test compares the digest it leaves.

    python tools/signatures.py
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct
from wasmtime.component import Component

from oriel.engine import types
from oriel.engine.config import new_engine
from oriel.engine.inspect import typed_interfaces

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "oriel/engine"
PACKAGE = "oriel:extension@1.0.0"
APP = """
import wit_world

class WitWorld(wit_world.WitWorld):
    def handler(self, request):
        raise NotImplementedError
"""


class Package(Struct, frozen=True):
    """A WIT package: its files, and the world that imports all of it, written beside them where there is none."""

    name: str
    files: tuple[Path, ...]
    world: str
    target: Path
    world_text: str = ""


def packages() -> tuple[Package, Package]:
    native = tuple(sorted((ROOT / "wit").glob("*.wit")))
    return (
        Package(PACKAGE, native, "everything", ENGINE / "signatures.json", everything(native)),
        Package("alga:extension", (ENGINE / "alga.wit",), "runner", ENGINE / "alga.json"),
    )


def wit_digest(files: Iterable[Path] = ()) -> str:
    """One digest over the names and contents of the files; of `wit/*.wit` where none are given."""
    digest = hashlib.sha256()
    for path in sorted(files or (ROOT / "wit").glob("*.wit")):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def everything(files: Iterable[Path]) -> str:
    """A world that extends `extension` with every interface of the package."""
    text = "\n".join(path.read_text() for path in files)
    declared = re.findall(r"^interface ([a-z-]+) \{", text, re.MULTILINE)
    imports = "\n".join(f"  import {name};" for name in sorted(declared))
    return f"package {PACKAGE};\n\nworld everything {{\n  include extension;\n{imports}\n}}\n"


def build(package: Package) -> bytes:
    """A component that imports everything."""
    with tempfile.TemporaryDirectory() as scratch:
        wit = Path(scratch, "wit")
        wit.mkdir()
        for path in package.files:
            (wit / path.name).write_bytes(path.read_bytes())
        if package.world_text:
            (wit / "everything.wit").write_text(package.world_text)
        Path(scratch, "app.py").write_text(APP)
        tool = Path(sys.executable).with_name("componentize-py")
        options = ["--quiet", "-d", "wit", "-w", package.world, "componentize", "--stub-wasi", "app", "-o", "out.wasm"]
        subprocess.run([tool, *options], cwd=scratch, check=True)
        return Path(scratch, "out.wasm").read_bytes()


def rendered(head: dict[str, str], interfaces: dict[str, dict[str, Any]]) -> str:
    """JSON with one function a line, so that a change of one shows as one."""
    blocks = []
    for interface, functions in interfaces.items():
        lines = ",\n".join(f"   {json.dumps(name)}: {json.dumps(function)}" for name, function in functions.items())
        blocks.append(f"  {json.dumps(interface)}: {{\n{lines}\n  }}")
    members = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    members.append(' "interfaces": {\n' + ",\n".join(blocks) + "\n }")
    return "{\n" + ",\n".join(members) + "\n}\n"


def main() -> None:
    engine = new_engine()
    for package in packages():
        imports, exports = typed_interfaces(Component(engine, build(package)), engine)
        interfaces = {
            interface: {name: types.item_to_json(item) for name, item in sorted(items.items())}
            for interface, items in sorted({**imports, "": exports[""]}.items())
            if items
        }
        head = {"package": package.name, "wit_sha256": wit_digest(package.files)}
        package.target.write_text(rendered(head, interfaces))
        print(f"{package.target.relative_to(ROOT)}: {sum(map(len, interfaces.values()))} functions")


if __name__ == "__main__":
    main()
