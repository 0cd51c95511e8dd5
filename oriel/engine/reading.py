"""The engine's component types as ours.

Rules kept here:

- Types that Oriel does not carry across the boundary (streams, futures, async functions, error contexts) are
  refused here: the engine would abort the process when a host function met one.
- A resource has identity and no name in the engine. Here it has the name of the place where it was first met, its
  interface without the version, whatever another interface that uses it calls it: `wasi:io/poll.pollable`.
- Everything is read, and every fault found, before a component is refused.
"""

from collections.abc import Mapping

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as wc
from wasmtime.component._types import ComponentExtern

from oriel.engine import types
from oriel.engine.standard import unversioned
from oriel.errors import Finding

TypedInterfaces = Mapping[str, Mapping[str, types.Item]]
MAX_RESOURCES = 200  # in one component; all of WASI 0.2 has 25, and each is compared with those before it


class Reader:
    """Reads the interfaces of one component, its imports first: what it exports may use their resources.

    Args:
        findings: what is wrong is added here.
    """

    def __init__(self, engine: wasmtime.Engine, findings: list[Finding]) -> None:
        self._engine = engine
        self._findings = findings
        self._resources: list[tuple[wc.ResourceType, str]] = []

    def interfaces(self, side: str, items: Mapping[str, ComponentExtern]) -> TypedInterfaces:
        """The functions and resources by interface; those of the world itself stand under ''."""
        found: dict[str, dict[str, types.Item]] = {}
        for name, item in items.items():
            place = f"{side}.{name}"
            match item.ty:
                case wc.ComponentInstanceType() as instance:
                    members = found.setdefault(name, {})
                    for inner, extern in instance.exports(self._engine).items():
                        self._add(members, name, inner, f"{place}.{inner}", extern.ty)
                case wc.ComponentType() | wc.ModuleType():
                    self._find(place, "is a module or component; only functions and types are allowed")
                case _:
                    self._add(found.setdefault("", {}), "", name, place, item.ty)
        return {interface: members for interface, members in found.items() if members or interface}

    def _add(
        self, members: dict[str, types.Item], interface: str, name: str, place: str, item: wc.ComponentItem
    ) -> None:
        try:
            match item:
                case wc.FuncType():
                    members[name] = self._function(item)
                case wc.ResourceType():
                    members[name] = types.Resource(self._resource(item, f"{unversioned(interface)}.{name}"))
                case wc.ComponentInstanceType() | wc.ComponentType() | wc.ModuleType():
                    self._find(place, "is nested; only functions and types are allowed in an interface")
        except TypeError as problem:
            self._find(place, str(problem))

    def _find(self, place: str, message: str) -> None:
        self._findings.append(Finding(place, message))

    def _resource(self, type_: wc.ResourceType, name: str) -> str:
        known = next((known for seen, known in self._resources if seen == type_), None)
        if known is not None:
            return known
        if len(self._resources) == MAX_RESOURCES:
            raise TypeError(f"is one resource more than the {MAX_RESOURCES} that a component may have")
        self._resources.append((type_, name))
        return name

    def _function(self, function: wc.FuncType) -> types.Function:
        if ffi.wasmtime_component_func_type_async(function.ptr()):
            raise TypeError("is an async function, which cannot be called")
        result = function.result
        return types.Function(
            tuple((name, self._type(type_)) for name, type_ in function.params),
            None if result is None else self._type(result),
        )

    def _type(self, type_: wc.ValType) -> types.Type:  # noqa: PLR0911 - one return for each kind of type
        match type_:
            case wc.ListType():
                return types.ListOf(self._type(type_.element))
            case wc.RecordType():
                return types.Record(tuple((name, self._type(field)) for name, field in type_.fields))
            case wc.TupleType():
                return types.TupleOf(tuple(self._type(element) for element in type_.elements))
            case wc.VariantType():
                return types.Variant(tuple((name, self._maybe(case)) for name, case in type_.cases))
            case wc.EnumType():
                return types.Enum(tuple(type_.names))
            case wc.FlagsType():
                return types.Flags(tuple(type_.names))
            case wc.OptionType():
                return types.Option(self._type(type_.payload))
            case wc.ResultType():
                return types.Result(self._maybe(type_.ok), self._maybe(type_.err))
            case wc.OwnType():
                return types.Handle("own", self._resource(type_.ty, "?"))
            case wc.BorrowType():
                return types.Handle("borrow", self._resource(type_.ty, "?"))
        name = type(type_).__name__.lower()
        if name not in types.SCALARS:
            raise TypeError(f"uses the type {name.removesuffix('type')}, which cannot cross the boundary")
        return types.Scalar(name)

    def _maybe(self, type_: wc.ValType | None) -> types.Type | None:
        return None if type_ is None else self._type(type_)
