"""WIT types as plain values.

Rules kept here:

- A type is structure alone: named types are spelled out, so that two types are equal exactly where a value of
  one is a value of the other. The names of fields, cases and parameters are part of it.
- `str(type)` is the canonical text that findings show and signatures are compared by.
- `to_json` and `from_json` carry types in `signatures.json`.
- A type says nothing about memory; that is the business of the runner's codec.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

T = TypeVar("T")

SCALARS = ("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string")


class Scalar(Struct, frozen=True):
    """A number, a truth value, a character or a string; `name` is one of `SCALARS`."""

    name: str

    def __str__(self) -> str:
        return self.name


class ListOf(Struct, frozen=True):
    element: "Type"

    def __str__(self) -> str:
        return f"list<{self.element}>"


class Record(Struct, frozen=True):
    fields: tuple[tuple[str, "Type"], ...]

    def __str__(self) -> str:
        return "record{" + ", ".join(f"{name}: {type_}" for name, type_ in self.fields) + "}"


class TupleOf(Struct, frozen=True):
    elements: tuple["Type", ...]

    def __str__(self) -> str:
        return "tuple<" + ", ".join(map(str, self.elements)) + ">"


class Variant(Struct, frozen=True):
    cases: tuple[tuple[str, "Type | None"], ...]

    def __str__(self) -> str:
        return "variant{" + ", ".join(name if type_ is None else f"{name}({type_})" for name, type_ in self.cases) + "}"


class Enum(Struct, frozen=True):
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "enum{" + ", ".join(self.names) + "}"


class Flags(Struct, frozen=True):
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "flags{" + ", ".join(self.names) + "}"


class Option(Struct, frozen=True):
    some: "Type"

    def __str__(self) -> str:
        return f"option<{self.some}>"


class Result(Struct, frozen=True):
    ok: "Type | None"
    err: "Type | None"

    def __str__(self) -> str:
        return f"result<{self.ok or '_'}, {self.err or '_'}>"


class Handle(Struct, frozen=True):
    """A resource, `own` or `borrow`ed, by the name of its resource; see `Resource`."""

    mode: str
    resource: str

    def __str__(self) -> str:
        return f"{self.mode}<{self.resource}>"


Type = Scalar | ListOf | Record | TupleOf | Variant | Enum | Flags | Option | Result | Handle


class Function(Struct, frozen=True):
    """A function's parameters, with their names, and its result."""

    params: tuple[tuple[str, Type], ...]
    result: Type | None

    def __str__(self) -> str:
        params = ", ".join(f"{name}: {type_}" for name, type_ in self.params)
        return f"func({params})" + (f" -> {self.result}" if self.result is not None else "")


class Resource(Struct, frozen=True):
    """A resource as a member of an interface: its own, or another's that it uses.

    `name` is where it is defined, without the version: `wasi:io/poll.pollable`.
    """

    name: str

    def __str__(self) -> str:
        return f"resource {self.name}"


Item = Function | Resource


def to_json(type_: Type | None) -> Any:  # noqa: PLR0911 - one return for each kind of type
    """The JSON form: a scalar is its name, all else an object with one member named after the kind of type."""
    match type_:
        case None:
            return None
        case Scalar(name):
            return name
        case ListOf(element):
            return {"list": to_json(element)}
        case Record(fields):
            return {"record": [[name, to_json(field)] for name, field in fields]}
        case TupleOf(elements):
            return {"tuple": [to_json(element) for element in elements]}
        case Variant(cases):
            return {"variant": [[name, to_json(case)] for name, case in cases]}
        case Enum(names):
            return {"enum": list(names)}
        case Flags(names):
            return {"flags": list(names)}
        case Option(some):
            return {"option": to_json(some)}
        case Result(ok, err):
            return {"result": [to_json(ok), to_json(err)]}
        case Handle(mode, resource):
            return {mode: resource}


def from_json(data: Any) -> Type | None:  # noqa: PLR0911 - one return for each kind of type
    """The inverse of `to_json`; `None` is the absent payload of a case or a result."""
    if data is None:
        return None
    if isinstance(data, str):
        return Scalar(data)
    ((kind, body),) = data.items()
    match kind:
        case "list":
            return ListOf(_present(body))
        case "record":
            return Record(tuple((name, _present(field)) for name, field in body))
        case "tuple":
            return TupleOf(tuple(map(_present, body)))
        case "variant":
            return Variant(tuple((name, from_json(case)) for name, case in body))
        case "enum":
            return Enum(tuple(body))
        case "flags":
            return Flags(tuple(body))
        case "option":
            return Option(_present(body))
        case "result":
            return Result(*map(from_json, body))
        case "own" | "borrow":
            return Handle(kind, body)
    raise ValueError(f"no WIT type is written {kind!r}")


def item_to_json(item: Item) -> dict[str, Any]:
    """A function's parameters and result, or `{"resource": name}`."""
    return function_to_json(item) if isinstance(item, Function) else {"resource": item.name}


def item_from_json(data: dict[str, Any]) -> Item:
    return Resource(data["resource"]) if "resource" in data else function_from_json(data)


def function_to_json(function: Function) -> dict[str, Any]:
    return {
        "params": [[name, to_json(type_)] for name, type_ in function.params],
        "result": to_json(function.result),
    }


def function_from_json(data: dict[str, Any]) -> Function:
    return Function(tuple((name, _present(type_)) for name, type_ in data["params"]), from_json(data["result"]))


def _present(data: Any) -> Type:
    type_ = from_json(data)
    if type_ is None:
        raise ValueError("a type is missing")
    return type_


def recorded(file: str, read: Callable[[dict[str, Any]], T]) -> dict[str, dict[str, T]]:
    """What `tools/signatures.py` wrote into a file beside this module: items by interface and name.

    Args:
        read: `function_from_json`, or `item_from_json` where there are resources.
    """
    content = json.loads(Path(__file__).with_name(file).read_bytes())
    return {
        interface: {name: read(item) for name, item in items.items()}
        for interface, items in content["interfaces"].items()
    }
