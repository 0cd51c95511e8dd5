"""What a component imports and exports, and whether the platform can run it.

Rules kept here:

- Descriptions come from the engine's own component types, never from reading WIT text.
- Signatures are compared as canonical text. The linker does not check the types of host functions, so what passes
  here is all that stands between a component and a call with arguments of another shape.
- There are three ways in: Oriel's own `handler`, the `handler` of `alga:extension`, and `wasi:http/incoming-handler`.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import wasmtime
from msgspec import Struct
from wasmtime import component as wc

from oriel.engine import alga, types
from oriel.engine.reading import Reader, TypedInterfaces
from oriel.engine.standard import INCOMING_HANDLER, standard, standard_types, track
from oriel.errors import Finding, InvalidInput

HANDLER = "handler"
INCOMING = "handle"

Kind = Literal["oriel", "alga", "wasi-http"]
"""The way into a component: `handler` of `oriel:extension` or of `alga:extension`, or `handle` of
`wasi:http/incoming-handler`."""

Interfaces = Mapping[str, Mapping[str, str]]
"""Interface name to item name to signature; functions of the world itself stand under ''."""

_CORE_MODULE = b"\x00asm\x01\x00\x00\x00"
_COMPONENT = b"\x00asm\x0d\x00\x01\x00"
_MESSAGE_LIMIT = 300


class Shape(Struct, frozen=True):
    """A component seen from outside."""

    imports: Interfaces
    exports: Interfaces


def check_header(wasm: bytes) -> None:
    """Refuse what is plainly no component, in words better than a parser's.

    Raises:
        InvalidInput: `invalid_component`.
    """
    if wasm[:8] == _COMPONENT:
        return
    if not wasm:
        message = "is empty"
    elif wasm[:8] == _CORE_MODULE:
        message = "is a core WebAssembly module, not a component"
    elif wasm[:4] == _CORE_MODULE[:4]:
        message = f"is of an unknown WebAssembly version ({wasm[4:8].hex(' ') or 'cut off'})"
    else:
        message = "is not WebAssembly"
    raise invalid([Finding("component", message)])


def describe(component: wc.Component, engine: wasmtime.Engine) -> Shape:
    """The component's imports and exports with their canonical signatures.

    Raises:
        InvalidInput: `invalid_component`, where a function's type cannot cross Oriel's boundary.
    """
    imports, exports = typed_interfaces(component, engine)
    return Shape(imports=signatures(imports), exports=signatures(exports))


def typed_interfaces(component: wc.Component, engine: wasmtime.Engine) -> tuple[TypedInterfaces, TypedInterfaces]:
    """Imports and exports with their functions' types, and their resources.

    Raises:
        InvalidInput: as `describe`.
    """
    findings: list[Finding] = []
    shape, reader = component.type, Reader(engine, findings)
    imports = reader.interfaces("imports", shape.imports(engine))
    exports = reader.interfaces("exports", shape.exports(engine))
    if findings:
        raise invalid(findings)
    return imports, exports


def signatures(interfaces: TypedInterfaces) -> Interfaces:
    """The same interfaces with each type as canonical text."""
    return {
        interface: {name: signature(interface, item) for name, item in items.items()}
        for interface, items in interfaces.items()
    }


def signature(interface: str, item: types.Item) -> str:
    """The text that an item of an interface is compared by."""
    if interface.startswith(alga.PREFIX) and isinstance(item, types.Function):
        return alga.signature(item)
    return str(item)


@lru_cache(maxsize=1)
def offered_types() -> Mapping[str, Mapping[str, types.Function]]:
    """The functions of the WIT package `oriel:extension`, as `tools/signatures.py` recorded them; '' has the export."""
    return types.recorded("signatures.json", types.function_from_json)


@lru_cache(maxsize=1)
def offered() -> Interfaces:
    """The signatures of the interfaces that the platform offers to import."""
    return {interface: functions for interface, functions in signatures(offered_types()).items() if interface}


@lru_cache(maxsize=1)
def importable() -> Interfaces:
    """All that a component may import: `offered`, `alga:extension`, and the standard interfaces by their tracks."""
    return {**offered(), **alga.alga(), **standard()}


def item_type(interface: str, name: str) -> types.Item | None:
    """What the platform knows under a name: of either package, or standard; None where there is no such thing."""
    if interface.startswith(alga.PREFIX):
        return alga.alga_types().get(interface, {}).get(name)
    return offered_types().get(interface, {}).get(name) or standard_types().get(track(interface), {}).get(name)


def handler_type(kind: Literal["oriel", "alga"] = "oriel") -> types.Function:
    """The type of `handler`."""
    return (alga.alga_types() if kind == "alga" else offered_types())[""][HANDLER]


def handler_signature(kind: Literal["oriel", "alga"] = "oriel") -> str:
    """The signature of `handler`."""
    return str(handler_type(kind))


def handler_kind(shape: Shape) -> Kind | None:
    """The way into the component; `handler` where it has both, and None where it has neither."""
    handler = shape.exports.get("", {}).get(HANDLER)
    if handler is not None:
        is_alga = any(name.startswith(alga.PREFIX) for name in shape.imports) or handler == handler_signature("alga")
        return "alga" if is_alga else "oriel"
    return "wasi-http" if _incoming(shape) else None


def incoming_interface(shape: Shape) -> str | None:
    """The incoming handler as the component names it, `wasi:http/incoming-handler@0.2.10`."""
    exported = _incoming(shape)
    return exported[0] if exported else None


def handler_findings(shape: Shape) -> Iterator[Finding]:
    """What is wrong with the way into the component; nothing where it is right."""
    kind = handler_kind(shape)
    if kind is None:
        yield Finding(
            f"exports.{HANDLER}",
            f"is missing; the component must export {HANDLER}: {handler_signature()}, "
            "or the interface wasi:http/incoming-handler@0.2.x",
        )
    elif kind != "wasi-http":
        actual, expected = shape.exports[""][HANDLER], handler_signature(kind)
        if actual != expected:
            yield Finding(f"exports.{HANDLER}", f"is {_short(actual)}; expected {expected}")
    elif (exported := _incoming(shape)) is not None:
        expected = str(standard_types()[INCOMING_HANDLER][INCOMING])
        if exported[1] != expected:
            place = f"exports.{exported[0]}.{INCOMING}"
            yield Finding(place, f"is {_short(exported[1] or 'missing')}; expected {expected}")


def _incoming(shape: Shape) -> tuple[str, str] | None:
    """The incoming handler's name, and the signature of its function."""
    exported = ((name, items.get(INCOMING, "")) for name, items in shape.exports.items())
    return next((found for found in exported if track(found[0]) == INCOMING_HANDLER), None)


def import_findings(imports: Interfaces, available: Interfaces) -> Iterator[Finding]:
    """Each imported function or resource that is not available, or not with this signature."""
    for interface, items in imports.items():
        offer = available.get(interface) or available.get(track(interface), {})
        for name, signature in items.items():
            place = f"imports.{interface or 'world'}.{name}"
            expected = offer.get(name)
            if expected is None:
                yield Finding(place, "is not offered by the platform")
            elif expected != signature:
                yield Finding(place, f"is {_short(signature)}; the platform offers {_short(expected)}")


def invalid(findings: Sequence[Finding]) -> InvalidInput:
    return InvalidInput("invalid_component", findings, subject="The component")


def _short(text: str) -> str:
    return text if len(text) <= _MESSAGE_LIMIT else f"{text[:_MESSAGE_LIMIT]}…"
