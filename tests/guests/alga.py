"""Components of `alga:extension`: one in JavaScript, built as such components are, and small ones in text.

The first is built and compiled once and kept in the build's cache, under a hash of what it was made from.
"""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from wasmtime import wat2wasm

from oriel.build.toolchain import lock_hash, toolchain
from oriel.build.tools import cache_dir, made_once
from oriel.engine.alga import PREFIX, alga_types
from oriel.engine.types import Function, Type
from tests.guests.build import native
from tests.guests.wit import TypeWriter, instance, types_instance

SOURCE = Path(__file__).with_suffix(".js")
WIT = Path(__file__).parents[2] / "oriel" / "engine" / "alga.wit"
_BUILD = """
import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';
const { source, wit, output } = JSON.parse(process.argv[1]);
const { component } = await componentize({ sourcePath: source, witPath: wit, worldName: 'runner' });
await writeFile(output, component);
"""


@cache
def component() -> tuple[bytes, bytes]:
    """The component, and its native code."""
    made_from = lock_hash().encode() + SOURCE.read_bytes() + WIT.read_bytes()
    home = cache_dir() / "tests" / f"alga-{hashlib.sha256(made_from).hexdigest()[:16]}"
    wasm = made_once(home / "main.wasm", _build).read_bytes()
    return wasm, native(home, wasm)


def _build(output: Path) -> None:
    tools = toolchain(print)
    job = {"source": str(SOURCE), "wit": str(WIT), "output": str(output)}
    command = [tools.node, "--input-type=module", "-e", _BUILD, json.dumps(job)]
    subprocess.run(command, cwd=tools.script.parent, check=True)


_SMALL = """(component
  (import "alga:extension/types" {types}
  {imports}
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $log (canon lower (func $logging "log-info") (memory $memory) (realloc $realloc)))
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "log" (func $log (param i32 i32)))
    (data (i32.const 1024) "hello")
    (func (export "handler") (param i32) (result i32)
      (call $log (i32.const 1024) (i32.const 5))
      (i32.store16 (i32.const 64) (i32.const 204))
      (i32.const 64)))
  (core instance $host (export "log" (func $log)))
  (core instance $main (instantiate $main (with "libc" (instance $libc)) (with "host" (instance $host))))
  (func $handler {handler}
    (canon lift (core func $main "handler") (memory $memory) (realloc $realloc)))
  (export "handler" (func $handler)))"""


@cache
def small(*others: str, rename: tuple[tuple[str, str], ...] = ()) -> bytes:
    """A component of few interfaces, as older ones are: it logs "hello" and answers 204.

    Args:
        others: functions to import beside `logging.log-info` and never call, such as `"storage.get"`.
        rename: parameters that the component calls otherwise, `(("key", "id"),)`.
    """
    named = alga_types()
    handler = named[""]["handler"]
    types, names = types_instance("types", [*(type_ for _, type_ in handler.params), *_results(handler)])
    writer = TypeWriter()
    writer.names = names
    imports = []
    for interface, members in _grouped(("logging.log-info", *others)).items():
        chosen = {member: _renamed(named[PREFIX + interface][member], dict(rename)) for member in members}
        text = instance(chosen).replace("(instance", f"(instance ${interface}", 1)
        imports.append(f'(import "{PREFIX}{interface}" {text})')
    lifted = writer.function(handler).removeprefix("(func").removesuffix(")")
    return bytes(wat2wasm(_SMALL.format(types=types, imports="\n  ".join(imports), handler=lifted)))


def _grouped(functions: Sequence[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in functions:
        interface, function = name.split(".")
        groups.setdefault(interface, []).append(function)
    return groups


def _renamed(function: Function, names: dict[str, str]) -> Function:
    return Function(tuple((names.get(name, name), type_) for name, type_ in function.params), function.result)


def _results(function: Function) -> list[Type]:
    return [] if function.result is None else [function.result]
