"""Test guests: components written in text, with a `handler` by the Canonical ABI.

`guest` takes the handler's body in core WebAssembly text. In it stand, as locals, the request's parts (`$method`,
`$method_len`, … `$headers`, `$headers_len`, `$body_case`, `$body`, `$body_len`), and as functions

    $alloc (size) -> pointer            memory that is never freed; grows the memory as needed, traps where it cannot
    $respond (status, headers, headers_len, body_case, body, body_len) -> the handler's result
    $interface.name                     each function named in `imports`, lowered

Bodies are 0 empty, 1 text, 2 bytes, 3 base64; a header is four words: name, its length, value, its length.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from wasmtime import wat2wasm

from oriel.build.tools import made_once
from oriel.engine.compile import Compiled, compile_component
from oriel.engine.config import current_fingerprint
from oriel.engine.inspect import HANDLER, offered_types
from oriel.engine.types import Function
from tests.guests.wit import TypeWriter, core_params, core_result, instance, lowered, types_instance

PACKAGE = "oriel:extension"
VERSION = "1.0.0"
TEXT, BYTES, BASE64 = 1, 2, 3

_PARTS = ("method", "path", "query", "route", "params", "headers")
_LOCALS = " ".join(
    [f"(param ${part} i32) (param ${part}_len i32)" for part in _PARTS]
    + ["(param $body_case i32) (param $body i32) (param $body_len i32)"]
)

_LIBC = """
  (core module $libc
    (memory (export "memory") {pages})
    (global $next (mut i32) (i32.const 4096))
    (func $alloc (export "alloc") (param $size i32) (result i32) (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
      (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
        (then (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1)
                (i32.div_u (i32.sub (global.get $next) (i32.mul (memory.size) (i32.const 65536))) (i32.const 65536)))))
              (then unreachable))))
      (local.get $at))
    (func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (call $alloc (local.get $size)))
      (memory.copy (local.get $at) (local.get $old) (local.get $old_size))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
"""

_RESPOND = """
    (func $respond (param $status i32) (param $headers i32) (param $headers_len i32)
                   (param $case i32) (param $body i32) (param $body_len i32) (result i32)
      (i32.store16 (i32.const 64) (local.get $status))
      (i32.store (i32.const 68) (local.get $headers))
      (i32.store (i32.const 72) (local.get $headers_len))
      (i32.store8 (i32.const 76) (local.get $case))
      (i32.store (i32.const 80) (local.get $body))
      (i32.store (i32.const 84) (local.get $body_len))
      (i32.const 64))
"""


@cache
def guest(
    body: str, *, imports: Sequence[str] = (), pages: int = 2, functions: str = "", data: str = "", beside: str = ""
) -> bytes:
    """A component with a `handler`.

    Args:
        body: of the handler; leaves the result on the stack.
        imports: functions of the WIT package, such as `"storage.get"`.
        pages: the memory's size at the start, of 64 KiB each.
        functions: further core functions, tables and globals beside the handler.
        data: a string placed at 1024 in memory.
        beside: further definitions of the component.
    """
    interfaces: dict[str, list[str]] = {}
    for name in imports:
        interface, function = name.split(".")
        interfaces.setdefault(interface, []).append(function)
    offered = offered_types()
    handler = offered[""][HANDLER]
    types, names = types_instance("types", [*(type_ for _, type_ in handler.params), handler.result])
    writer = TypeWriter()
    writer.names = names
    parts = [f'(import "{PACKAGE}/types@{VERSION}" {types}']
    lowerings, core_imports, core_exports = [], [], []
    for interface, members in interfaces.items():
        full = f"{PACKAGE}/{interface}@{VERSION}"
        chosen = {member: offered[full][member] for member in members}
        parts.append(f'(import "{full}" {instance(chosen).replace("(instance", f"(instance ${interface}", 1)})')
        for member, function in chosen.items():
            ident = f"${interface}.{member}"
            lowerings.append(
                f'(core func {ident} (canon lower (func ${interface} "{member}") (memory $memory) (realloc $realloc)))'
            )
            core_imports.append(f'(import "host" "{ident[1:]}" (func {ident} {lowered(function)}))')
            core_exports.append(f'(export "{ident[1:]}" (func {ident}))')
    main = f"""
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "libc" "alloc" (func $alloc (param i32) (result i32)))
    {" ".join(core_imports)}
    (data (i32.const 1024) "{data}")
    {_RESPOND}
    {functions}
    (func (export "{HANDLER}") {_LOCALS} (result i32)
      (local $i i32) (local $p i32) (local $n i32)
      {body}))
  (core instance $host {" ".join(core_exports)})
  (core instance $main (instantiate $main (with "libc" (instance $libc)) (with "host" (instance $host))))
"""
    lifted = writer.function(handler).removeprefix("(func").removesuffix(")")
    export = f"""
  (func $handler {lifted}
    (canon lift (core func $main "{HANDLER}") (memory $memory) (realloc $realloc)))
  (export "{HANDLER}" (func $handler))
"""
    text = (
        "(component\n"
        + "\n".join(parts)
        + _LIBC.format(pages=pages)
        + "\n".join(lowerings)
        + main
        + beside
        + export
        + ")"
    )
    return bytes(wat2wasm(text))


@cache
def passing(function: Function) -> bytes:
    """A component that imports `host/call` with this type, and exports `call`, which passes everything on and back."""
    types, names = types_instance(
        "types", [t for _, t in function.params] + ([function.result] * bool(function.result))
    )
    writer = TypeWriter()
    writer.names = names
    params, result = core_params(function), core_result(function)
    place, answer = ("", "") if len(result) < 2 else ("(i32.const 64)", "(i32.const 64)")
    returned = "i32" if place else " ".join(result)
    locals_ = " ".join(f"(local.get {at})" for at in range(len(params)))
    text = f"""(component
  (import "types" {types}
  (import "host" {instance({"call": function}).replace("(instance", "(instance $host", 1)})
  {_LIBC.format(pages=2)}
  (core func $call (canon lower (func $host "call") (memory $memory) (realloc $realloc)))
  (core module $main
    (import "host" "call" (func $call {lowered(function)}))
    (func (export "call") (param {" ".join(params)}) (result {returned}) (call $call {locals_} {place}) {answer}))
  (core instance $host-core (export "call" (func $call)))
  (core instance $main (instantiate $main (with "host" (instance $host-core))))
  (func $exported {writer.function(function).removeprefix("(func").removesuffix(")")}
    (canon lift (core func $main "call") (memory $memory) (realloc $realloc)))
  (export "call" (func $exported)))"""
    return bytes(wat2wasm(text))


@cache
def compiled(wasm: bytes, *, fuel: bool = False) -> Compiled:
    """The guest's artifact, made once a test process."""
    return compile_component(wasm, fuel=fuel)


def native(home: Path, wasm: bytes) -> bytes:
    """The artifact of a component that takes long to compile, kept in the folder `home` of the build's cache."""
    path = home / f"{current_fingerprint()[:16]}.cwasm"
    return made_once(path, lambda target: _write(target, compiled(wasm).cwasm)).read_bytes()


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def artifact(wasm: bytes, directory: Path, *, fuel: bool = False) -> Path:
    """The guest's artifact as a file."""
    path = directory / f"{hash(wasm) & 0xFFFFFFFF:08x}{'-fuel' if fuel else ''}.cwasm"
    path.write_bytes(compiled(wasm, fuel=fuel).cwasm)
    return path
