"""Writes `oriel/engine/wasi.json`: the interfaces of WASI 0.2 with their types.

The WIT comes from the npm package that carries the standard's own files, pinned by its digest. A component that imports
all of it is made by the build's toolchain, and the engine is asked for the types it sees.

    python -m tools.wasi
"""

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

from wasmtime.component import Component

from oriel.build.toolchain import find_node, toolchain
from oriel.engine import types
from oriel.engine.config import new_engine
from oriel.engine.inspect import typed_interfaces
from oriel.engine.standard import track
from tools.signatures import rendered

TARGET = Path(__file__).resolve().parent.parent / "oriel/engine/wasi.json"
PACKAGE = "@spinframework/wasi-http-proxy@1.0.1"
PACKAGE_SHA256 = "9c454ab587cd22d04688285eadf65b681027b10096ec8ae8a03878891bef61ab"
VERSION = "0.2.3"
MEMBER = f"package/wit/wasi-http@{VERSION}.wit"

WORLD = f"""package oriel:everything;

world everything {{
  include wasi:cli/imports@{VERSION};
  include wasi:http/proxy@{VERSION};
}}
"""
EMBED = """
const [root, wit, out] = process.argv.slice(1);
const { componentEmbed, componentNew } = await import(`${root}/node_modules/@bytecodealliance/jco/src/api.js`);
const { writeFile } = await import('node:fs/promises');
const core = await componentEmbed({ dummy: true, witPath: wit, worldName: 'everything' });
await writeFile(out, await componentNew(core, []));
"""


def wit(folder: Path) -> Path:
    """The WIT package that imports everything, with what it depends on."""
    packed = subprocess.run([find_node().npm, "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True)
    archive = folder / packed.stdout.decode().strip()
    if hashlib.sha256(archive.read_bytes()).hexdigest() != PACKAGE_SHA256:
        raise SystemExit(f"{PACKAGE} is not the package that was pinned")
    deps = folder / "wit" / "deps"
    deps.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        member = tar.extractfile(MEMBER)
        if member is None:
            raise SystemExit(f"{PACKAGE} has no {MEMBER}")
        (deps / "wasi.wit").write_bytes(member.read())
    (folder / "wit" / "everything.wit").write_text(WORLD)
    return folder / "wit"


def build() -> bytes:
    """A component that imports everything."""
    tools = toolchain(print)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "everything.wasm")
        command = [tools.node, "--input-type=module", "-e", EMBED, tools.script.parent, wit(Path(scratch)), out]
        subprocess.run(command, check=True)
        return out.read_bytes()


def main() -> None:
    engine = new_engine()
    imports, exports = typed_interfaces(Component(engine, build()), engine)
    interfaces = {
        track(interface): {name: types.item_to_json(item) for name, item in items.items()}
        for interface, items in sorted({**imports, **exports}.items())
    }
    TARGET.write_text(rendered({"package": PACKAGE, "sha256": PACKAGE_SHA256}, interfaces))
    print(f"{TARGET.name}: {sum(map(len, interfaces.values()))} functions and resources")


if __name__ == "__main__":
    main()
