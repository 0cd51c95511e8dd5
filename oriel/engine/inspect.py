"""What a component imports and exports, and whether the platform can run it.

Rules kept here:

- Descriptions come from the engine's own component types, never from reading WIT text.
- Types that Oriel does not carry across the boundary (streams, futures, async functions, error contexts) are
  refused here: the engine would abort the process when a host function met one.
- Signatures are compared as canonical text. The linker does not check the types of host functions, so what passes
  here is all that stands between a component and a call with arguments of another shape.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as wc
from wasmtime.component._types import ComponentExtern

from oriel.engine import types
from oriel.errors import Finding, InvalidInput

HANDLER = "handler"

Interfaces = Mapping[str, Mapping[str, str]]
"""Interface name to function name to signature; functions of the world itself stand under ''."""

TypedInterfaces = Mapping[str, Mapping[str, types.Function]]

_CORE_MODULE = b"\x00asm\x01\x00\x00\x00"
_COMPONENT = b"\x00asm\x0d\x00\x01\x00"
_MESSAGE_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Shape:
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
    """Imports and exports with their functions' types.

    Raises:
        InvalidInput: as `describe`.
    """
    findings: list[Finding] = []
    shape = component.type
    imports = _interfaces("imports", shape.imports(engine), engine, findings)
    exports = _interfaces("exports", shape.exports(engine), engine, findings)
    if findings:
        raise invalid(findings)
    return imports, exports


def signatures(interfaces: TypedInterfaces) -> Interfaces:
    """The same interfaces with each type as canonical text."""
    return {
        interface: {name: str(function) for name, function in functions.items()}
        for interface, functions in interfaces.items()
    }


@lru_cache(maxsize=1)
def offered_types() -> TypedInterfaces:
    """The functions of the WIT package `oriel:extension`, as `tools/signatures.py` recorded them; '' has the export."""
    recorded = json.loads(files("oriel.engine").joinpath("signatures.json").read_text())
    return {
        interface: {name: types.function_from_json(function) for name, function in functions.items()}
        for interface, functions in recorded["interfaces"].items()
    }


@lru_cache(maxsize=1)
def offered() -> Interfaces:
    """The signatures of the interfaces that the platform offers to import."""
    return {interface: functions for interface, functions in signatures(offered_types()).items() if interface}


def handler_signature() -> str:
    """The signature of the one export that every extension has."""
    return str(offered_types()[""][HANDLER])


def handler_findings(shape: Shape) -> Iterator[Finding]:
    """What is wrong with the component's `handler`; nothing where it is right."""
    expected = handler_signature()
    actual = shape.exports.get("", {}).get(HANDLER)
    if actual is None:
        yield Finding(f"exports.{HANDLER}", f"is missing; the component must export {HANDLER}: {expected}")
    elif actual != expected:
        yield Finding(f"exports.{HANDLER}", f"is {_short(actual)}; expected {expected}")


def import_findings(imports: Interfaces, available: Interfaces) -> Iterator[Finding]:
    """Each imported function that is not available, or not with this signature."""
    for interface, functions in imports.items():
        for name, signature in functions.items():
            place = f"imports.{interface or 'world'}.{name}"
            expected = available.get(interface, {}).get(name)
            if expected is None:
                yield Finding(place, "is not offered by the platform")
            elif expected != signature:
                yield Finding(place, f"is {_short(signature)}; the platform offers {_short(expected)}")


def invalid(findings: Sequence[Finding]) -> InvalidInput:
    return InvalidInput("invalid_component", findings, subject="The component")


def _short(text: str) -> str:
    return text if len(text) <= _MESSAGE_LIMIT else f"{text[:_MESSAGE_LIMIT]}…"


def _interfaces(
    side: str, items: Mapping[str, ComponentExtern], engine: wasmtime.Engine, findings: list[Finding]
) -> dict[str, dict[str, types.Function]]:
    found: dict[str, dict[str, types.Function]] = {}
    for name, item in items.items():
        place = f"{side}.{name}"
        match item.ty:
            case wc.FuncType() as function:
                _add(found.setdefault("", {}), name, place, function, findings)
            case wc.ComponentInstanceType() as instance:
                functions = found.setdefault(name, {})
                for inner, extern in instance.exports(engine).items():
                    _add(functions, inner, f"{place}.{inner}", extern.ty, findings)
            case wc.ComponentType() | wc.ModuleType():
                findings.append(Finding(place, "is a module or component; only functions and types are allowed"))
    return found


def _add(
    functions: dict[str, types.Function], name: str, place: str, item: wc.ComponentItem, findings: list[Finding]
) -> None:
    if isinstance(item, wc.ComponentInstanceType | wc.ComponentType | wc.ModuleType):
        findings.append(Finding(place, "is nested; only functions and types are allowed in an interface"))
    if not isinstance(item, wc.FuncType):
        return
    try:
        functions[name] = _function(item)
    except TypeError as problem:
        findings.append(Finding(place, str(problem)))


def _function(function: wc.FuncType) -> types.Function:
    if ffi.wasmtime_component_func_type_async(function.ptr()):
        raise TypeError("is an async function, which cannot be called")
    result = function.result
    return types.Function(
        tuple((name, _type(type_)) for name, type_ in function.params),
        None if result is None else _type(result),
    )


def _type(type_: wc.ValType) -> types.Type:  # noqa: PLR0911 - one return for each kind of type
    match type_:
        case wc.ListType():
            return types.ListOf(_type(type_.element))
        case wc.RecordType():
            return types.Record(tuple((name, _type(field)) for name, field in type_.fields))
        case wc.TupleType():
            return types.TupleOf(tuple(_type(element) for element in type_.elements))
        case wc.VariantType():
            return types.Variant(tuple((name, _maybe(case)) for name, case in type_.cases))
        case wc.EnumType():
            return types.Enum(tuple(type_.names))
        case wc.FlagsType():
            return types.Flags(tuple(type_.names))
        case wc.OptionType():
            return types.Option(_type(type_.payload))
        case wc.ResultType():
            return types.Result(_maybe(type_.ok), _maybe(type_.err))
        case wc.OwnType() | wc.BorrowType():
            return types.Handle(type(type_).__name__.removesuffix("Type").lower())
    name = type(type_).__name__.lower()
    if name not in types.SCALARS:
        raise TypeError(f"uses the type {name.removesuffix('type')}, which cannot cross the boundary")
    return types.Scalar(name)


def _maybe(type_: wc.ValType | None) -> types.Type | None:
    return None if type_ is None else _type(type_)
