"""Extism, a peer: its plugin that answers `hello`, in a fresh instance for every call.

An equal JavaScript plugin would need a compiler that no package registry has, so the two sides run the smallest equal
thing: a plugin in core WebAssembly text that hands `hello` over by Extism's own functions, and Oriel's component
written in text that answers `hello` (`benchmarks.guests.PLAIN`). What differs is then the way to a guest and back.
Extism's plugin is compiled once (`CompiledPlugin`) and has no time limit and no memory limit.
"""

from benchmarks.guests import HELLO
from benchmarks.sides import Work

_STORES = "\n".join(
    f"(call $store (i64.add (local.get $at) (i64.const {at})) (i32.const {byte}))"
    for at, byte in enumerate(HELLO.encode())
)
PLUGIN = f"""(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (memory (export "memory") 2)
  (func (export "handler") (result i32) (local $at i64)
    (local.set $at (call $alloc (i64.const {len(HELLO)})))
    {_STORES}
    (call $output (local.get $at) (i64.const {len(HELLO)}))
    (i32.const 0)))"""


def work() -> Work:
    """What calls the plugin once, in a fresh instance."""
    import wasmtime
    from extism import extism

    compiled = extism.CompiledPlugin(bytes(wasmtime.wat2wasm(PLUGIN)), functions=[])

    def call() -> None:
        with extism.Plugin(compiled) as plugin:
            if plugin.call("handler", b"") != HELLO.encode():
                raise RuntimeError("Extism's plugin answers something else")

    return call
