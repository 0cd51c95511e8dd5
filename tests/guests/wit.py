"""WIT types as component text, and as the core WebAssembly types they flatten to (Canonical ABI, "Flattening").

Test guests are written in component text. What they import and export is derived from `oriel.engine.types`, so that
it cannot differ from the WIT package.
"""

from collections.abc import Iterable

from oriel.engine.types import (
    Enum,
    Flags,
    Function,
    Handle,
    ListOf,
    Option,
    Record,
    Result,
    Scalar,
    TupleOf,
    Type,
    Variant,
)

_WIDE = {"s64": "i64", "u64": "i64", "f32": "f32", "f64": "f64"}
MAX_FLAT_PARAMS = 16


class TypeWriter:
    """Writes types inside an instance type; records, variants, enums and flags must have exported names there."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[Type, str] = {}
        self.resources: dict[str, str] = {}

    def ref(self, type_: Type) -> str:  # noqa: PLR0911 - one return for each kind of type
        """How the type is referred to; its definition is written first where it needs one."""
        match type_:
            case Scalar(name):
                return name
            case ListOf(element):
                return f"(list {self.ref(element)})"
            case TupleOf(elements):
                return f"(tuple {' '.join(map(self.ref, elements))})"
            case Option(some):
                return f"(option {self.ref(some)})"
            case Handle(mode, resource):
                return f"({mode} {self.resources[resource]})"
            case Result(ok, err):
                parts = [self.ref(ok)] if ok else []
                return f"(result {' '.join(parts + ([f'(error {self.ref(err)})'] if err else []))})"
        if type_ not in self.names:
            text = self._definition(type_)
            name = f"t{len(self.names)}"
            self.names[type_] = f"${name}"
            self.lines.append(f'(type ${name}-def {text}) (export "{name}" (type ${name} (eq ${name}-def)))')
        return self.names[type_]

    def _definition(self, type_: Type) -> str:
        match type_:
            case Record(fields):
                return "(record " + " ".join(f'(field "{name}" {self.ref(field)})' for name, field in fields) + ")"
            case Variant(cases):
                texts = (f'(case "{name}"{" " + self.ref(case) if case else ""})' for name, case in cases)
                return f"(variant {' '.join(texts)})"
            case Enum(names):
                return "(enum " + " ".join(f'"{name}"' for name in names) + ")"
            case Flags(names):
                return "(flags " + " ".join(f'"{name}"' for name in names) + ")"
        raise TypeError(str(type_))

    def function(self, function: Function) -> str:
        params = " ".join(f'(param "{name}" {self.ref(type_)})' for name, type_ in function.params)
        result = f"(result {self.ref(function.result)})" if function.result else ""
        return f"(func {params} {result})"


def instance(functions: dict[str, Function]) -> str:
    """An instance type with these functions."""
    writer = TypeWriter()
    exports = [f'(export "{name}" {writer.function(function)})' for name, function in functions.items()]
    return f"(instance {' '.join(writer.lines + exports)})"


def types_instance(ident: str, types: Iterable[Type]) -> tuple[str, dict[Type, str]]:
    """The import of an interface of types alone with aliases beside it, and how the named types are referred to."""
    writer = TypeWriter()
    for type_ in types:
        writer.ref(type_)
    aliases = (f'(alias export ${ident} "{name[1:]}" (type {name}))' for name in writer.names.values())
    return f"(instance ${ident} {' '.join(writer.lines)}))\n{' '.join(aliases)}", writer.names


def flat(type_: Type) -> list[str]:  # noqa: PLR0911 - one return for each kind of type
    """The core types that a value is passed as."""
    match type_:
        case Scalar("string") | ListOf():
            return ["i32", "i32"]
        case Scalar(name):
            return [_WIDE.get(name, "i32")]
        case Record(fields):
            return [core for _, field in fields for core in flat(field)]
        case TupleOf(elements):
            return [core for element in elements for core in flat(element)]
        case Enum() | Flags() | Handle():
            return ["i32"]
        case Variant(cases):
            return ["i32", *_joined([case for _, case in cases])]
        case Option(some):
            return ["i32", *_joined([some])]
        case Result(ok, err):
            return ["i32", *_joined([ok, err])]
    raise TypeError(str(type_))


def _joined(payloads: list[Type | None]) -> list[str]:
    joined: list[str] = []
    for payload in payloads:
        for at, core in enumerate(flat(payload) if payload else []):
            if at == len(joined):
                joined.append(core)
            elif joined[at] != core:
                joined[at] = "i32" if {joined[at], core} == {"i32", "f32"} else "i64"
    return joined


def core_params(function: Function) -> list[str]:
    """The core parameters of the function, lifted or lowered, without a place for the result."""
    params = [core for _, type_ in function.params for core in flat(type_)]
    return params if len(params) <= MAX_FLAT_PARAMS else ["i32"]


def core_result(function: Function) -> list[str]:
    """The core results; more than one of them go through memory."""
    return flat(function.result) if function.result else []


def lowered(function: Function) -> str:
    """The core type of the function as a guest calls it."""
    params, result = core_params(function), core_result(function)
    if len(result) > 1:
        params, result = [*params, "i32"], []
    return f"(param {' '.join(params)}) (result {' '.join(result)})"
