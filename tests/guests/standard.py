"""Test guests that are standard components: WASI imports, and `wasi:http/incoming-handler`, in component text.

`standard_guest` takes the body of `handle` in core WebAssembly text, with the handles `$request` and `$out` as
parameters, `$i`, `$p`, `$n` as locals, and as functions `$alloc` of `tests.guests.build`, each imported function under
the name `$interface.function`, and `$drop.resource` for each resource that is used.
"""

from collections.abc import Iterator, Sequence
from functools import cache

from wasmtime import wat2wasm

from oriel.engine.standard import standard_types
from oriel.engine.types import Function, Handle, Type
from tests.guests.build import _LIBC
from tests.guests.wit import TypeWriter, lowered

ORDER = (
    "io/error",
    "io/poll",
    "io/streams",
    "cli/stdin",
    "cli/stdout",
    "cli/environment",
    "cli/exit",
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "random/random",
    "filesystem/types",
    "filesystem/preopens",
    "sockets/network",
    "sockets/instance-network",
    "sockets/tcp",
    "sockets/tcp-create-socket",
    "sockets/ip-name-lookup",
    "http/types",
    "http/outgoing-handler",
)
"""Interfaces in an order in which each uses resources of those before it."""

INCOMING = "wasi:http/types.incoming-request"
OUTPARAM = "wasi:http/types.response-outparam"


@cache
def standard_guest(body: str, *, imports: Sequence[str] = (), version: str = "0.2.3", functions: str = "") -> bytes:
    """A component that exports the incoming handler.

    Args:
        imports: functions such as `"io/poll#poll"` and `"http/types#[constructor]fields"`.
        version: of every interface that it names.
        functions: further core functions and globals.
    """
    wanted: dict[str, list[str]] = {"http/types": []}
    for name in dict.fromkeys(imports):
        interface, function = name.split("#")
        wanted.setdefault(interface, []).append(function)
    needed = {resource for function in _functions(wanted) for resource in _resources(function)} | {INCOMING, OUTPARAM}
    parts, canons, core_imports, core_exports = [], [], [], []
    idents: dict[str, str] = {}
    for interface in ORDER:
        own = sorted(name for name in needed if name.startswith(f"wasi:{interface}."))
        if interface not in wanted and not own:
            continue
        ident = f"${interface.replace('/', '-')}"
        parts.append(f'(import "wasi:{interface}@{version}" {_instance(ident, interface, wanted, own, idents)})')
        for resource in own:
            short = resource.rpartition(".")[2]
            idents[resource] = f"$r-{short}"
            parts.append(f'(alias export {ident} "{short}" (type {idents[resource]}))')
            canons.append(f"(core func $drop.{short} (canon resource.drop {idents[resource]}))")
            core_imports.append(f'(import "host" "drop.{short}" (func $drop.{short} (param i32)))')
            core_exports.append(f'(export "drop.{short}" (func $drop.{short}))')
        for name in wanted.get(interface, ()):
            called = f"{interface.rpartition('/')[2]}.{name.rpartition(']')[2]}"
            options = "(memory $memory) (realloc $realloc)"
            canons.append(f'(core func ${called} (canon lower (func {ident} "{name}") {options}))')
            core_imports.append(f'(import "host" "{called}" (func ${called} {lowered(_function(interface, name))}))')
            core_exports.append(f'(export "{called}" (func ${called}))')
    text = f"""(component
  {" ".join(parts)}
  {_LIBC.format(pages=2)}
  {" ".join(canons)}
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "libc" "alloc" (func $alloc (param i32) (result i32)))
    {" ".join(core_imports)}
    (data (i32.const 1024) "hello\\0a")
    {functions}
    (func (export "handle") (param $request i32) (param $out i32)
      (local $i i32) (local $p i32) (local $n i32)
      {body}))
  (core instance $host {" ".join(core_exports)})
  (core instance $main (instantiate $main (with "libc" (instance $libc)) (with "host" (instance $host))))
  (func $handle (param "request" (own {idents[INCOMING]})) (param "response-out" (own {idents[OUTPARAM]}))
    (canon lift (core func $main "handle")))
  (instance $incoming (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@{version}" (instance $incoming)))"""
    return bytes(wat2wasm(text))


def answering(before: str = "", *, imports: Sequence[str] = (), **options: str) -> bytes:
    """A guest that does something, and then answers 200 with `hello`."""
    return standard_guest(before + ANSWER, imports=(*imports, *ANSWER_IMPORTS), **options)


ANSWER_IMPORTS = (
    "http/types#[constructor]fields",
    "http/types#[constructor]outgoing-response",
    "http/types#[method]outgoing-response.body",
    "http/types#[method]outgoing-body.write",
    "http/types#[static]outgoing-body.finish",
    "http/types#[static]response-outparam.set",
    "io/streams#[method]output-stream.write",
)
ANSWER = """
  (local.set $n (call $types.outgoing-response (call $types.fields)))
  (call $types.outgoing-response.body (local.get $n) (i32.const 200))
  (local.set $i (i32.load (i32.const 204)))
  (call $types.response-outparam.set (local.get $out) (i32.const 0) (local.get $n)
    (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
  (call $types.outgoing-body.write (local.get $i) (i32.const 208))
  (call $streams.output-stream.write (i32.load (i32.const 212)) (i32.const 1024) (i32.const 5) (i32.const 216))
  (call $drop.output-stream (i32.load (i32.const 212)))
  (call $types.outgoing-body.finish (local.get $i) (i32.const 0) (i32.const 0) (i32.const 320))
"""


def _function(interface: str, name: str) -> Function:
    function = standard_types()[f"wasi:{interface}@0.2"][name]
    assert isinstance(function, Function)
    return function


def _functions(wanted: dict[str, list[str]]) -> Iterator[Function]:
    return (_function(interface, name) for interface, names in wanted.items() for name in names)


def _resources(part: object) -> Iterator[str]:
    """The resources in a type, a function, or whatever they are made of."""
    if isinstance(part, Handle):
        yield part.resource
    elif isinstance(part, tuple):
        for inner in part:
            yield from _resources(inner)
    elif isinstance(part, Function | Type):
        for name in part.__slots__:
            yield from _resources(getattr(part, name))


def _instance(ident: str, interface: str, wanted: dict[str, list[str]], own: list[str], idents: dict[str, str]) -> str:
    """An instance type: its own resources, those that it uses of others, and its functions."""
    functions = {name: _function(interface, name) for name in wanted.get(interface, ())}
    used = sorted({resource for function in functions.values() for resource in _resources(function)} - set(own))
    known = {str(item): name for name, item in standard_types()[f"wasi:{interface}@0.2"].items()}
    writer, lines = TypeWriter(), []
    for resource in own:
        short = resource.rpartition(".")[2]
        writer.resources[resource] = f"$own-{short}"
        lines.append(f'(export "{short}" (type $own-{short} (sub resource)))')
    for resource in used:
        name = known[f"resource {resource}"]
        writer.resources[resource] = f"$used-{name}"
        lines.append(f"(alias outer 1 {idents[resource]} (type $outer-{name}))")
        lines.append(f'(export "{name}" (type $used-{name} (eq $outer-{name})))')
    exports = [f'(export "{name}" {writer.function(function)})' for name, function in functions.items()]
    return f"(instance {ident} {' '.join(lines + writer.lines + exports)})"
