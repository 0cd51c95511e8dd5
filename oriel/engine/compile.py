"""A component made into an artifact: `python -m oriel.engine.compile IN.wasm OUT.cwasm [--fuel]`.

Compiling is fed by strangers, and its time and memory are bounded by nothing in the engine. The registry therefore
runs this module as a child process that it limits and may kill; the module itself limits nothing.

One JSON line goes to standard output. On success, with exit code 0:

    {"fingerprint": hex, "sha256": hex of the artifact, "imports": {…}, "exports": {…}}

Where the component is refused, with exit code 1:

    {"error": "invalid_component", "findings": [{"at", "message"}, …]}

Any other end (a signal, another exit code) says that the compiler did not finish: too slow, too large, or crashed.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import wasmtime
from msgspec import Struct
from wasmtime.component import Component

from oriel.engine.config import fingerprint, new_engine
from oriel.engine.inspect import Shape, check_header, describe, handler_findings, invalid
from oriel.errors import Finding, InvalidInput

_MESSAGE_LIMIT = 500


class Compiled(Struct, frozen=True):
    """Native code for one engine, and what the component it was made from looks like."""

    cwasm: bytes
    fingerprint: str
    shape: Shape


def compile_component(wasm: bytes, *, fuel: bool = False) -> Compiled:
    """Compile a component that exports a `handler`.

    Its imports are described, not judged: what it may import is decided by its manifest.

    Raises:
        InvalidInput: `invalid_component`, with every finding that could be made.
    """
    engine = new_engine(fuel=fuel)
    component = parse(wasm, engine)
    shape = describe(component, engine)
    if findings := list(handler_findings(shape)):
        raise invalid(findings)
    return Compiled(cwasm=bytes(component.serialize()), fingerprint=fingerprint(engine), shape=shape)


def parse(wasm: bytes, engine: wasmtime.Engine) -> Component:
    """Validate and compile a binary component; component text is refused like other garbage.

    Raises:
        InvalidInput: `invalid_component`.
    """
    check_header(wasm)
    try:
        return Component(engine, wasm)
    except wasmtime.WasmtimeError as error:
        reason = " ".join(str(error).split())[:_MESSAGE_LIMIT]
        raise invalid([Finding("component", reason)]) from error


def main(arguments: Sequence[str]) -> int:
    """The child process; returns its exit code. `--fuel` is for an engine that counts it."""
    source, target = map(Path, arguments[:2])
    try:
        compiled = compile_component(source.read_bytes(), fuel="--fuel" in arguments[2:])
    except InvalidInput as error:
        print(json.dumps({"error": error.code, "findings": error.extra["findings"]}))
        return 1
    target.write_bytes(compiled.cwasm)
    line = {
        "fingerprint": compiled.fingerprint,
        "sha256": hashlib.sha256(compiled.cwasm).hexdigest(),
        "imports": compiled.shape.imports,
        "exports": compiled.shape.exports,
    }
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
