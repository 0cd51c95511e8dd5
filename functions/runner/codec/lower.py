"""Python values into the engine's.

`lowering(type)` gives one function for the type, made of those of its parts; nothing is looked up while it runs.

Rules kept here:

- A value that is not of the type is a `TypeError` that names the place in it. Nothing is coerced but an `int` to a
  float, and whatever is a buffer to `list<u8>`.
- Strings must be Unicode scalar values: a lone surrogate is such an error.
- Any object may be handed over as `own` of a resource; what it is, is the host function's affair.
- `option` of `option` cannot be told apart in Python and is refused when the function is made.
"""

import ctypes
import struct
from collections.abc import Callable
from functools import cache, lru_cache, singledispatch
from typing import Any

from oriel.engine import types
from runner.codec import layout
from runner.codec.arena import Arena
from runner.codec.text import LONG

Lowering = Callable[[Arena, memoryview, int, Any], None]
"""Writes the 32 bytes of a value into the block at the offset; what the value points to goes into the arena."""

_TRIPLE = struct.Struct("<B7xQQ")
_QUAD = struct.Struct("<B7xQQQ")
_RESULT = struct.Struct("<B7xB7xQ")
_POINTER = struct.Struct("<B7xQ")
_CHAR = struct.Struct("<B7xI")
_U8_KIND = bytes([layout.U8])

_names: list[object] = []  # what the addresses of names point to; they live as long as the process


@lru_cache(maxsize=1024)
def lowering(type_: types.Type) -> Lowering:
    """The lowering of a type.

    Raises:
        TypeError: the type has no lowering.
    """
    return _make(type_)


@singledispatch
def _make(type_: types.Type) -> Lowering:
    raise TypeError(f"{type_}: no codec carries this type")


def _payload(type_: types.Type | None) -> Lowering | None:
    return None if type_ is None else lowering(type_)


@cache
def _name(text: str) -> tuple[int, int]:
    """Length and address of the name of a field, a case or a flag."""
    data = text.encode()
    pinned = ctypes.create_string_buffer(data, len(data))
    _names.append(pinned)
    return len(data), ctypes.addressof(pinned)


def _mismatch(expected: str, value: object) -> TypeError:
    return TypeError(f"expected {expected}, not {type(value).__name__}")


def _at(step: object, error: TypeError) -> TypeError:
    """The same error, with one more step in front of the place it names."""
    text = str(error)
    return TypeError(f"{step}{text}" if text.startswith((".", "[")) else f"{step}: {text}")


@_make.register
def _scalar(type_: types.Scalar) -> Lowering:
    name = type_.name
    if name in ("string", "char"):
        return _string if name == "string" else _char
    kind, letter = layout.SCALAR_KINDS[name]
    pack = struct.Struct(f"<B7x{letter}").pack_into
    accepted: Any = {"bool": bool, "f32": float | int, "f64": float | int}.get(name, int)

    def lower(_arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        if not isinstance(value, accepted):
            raise _mismatch(name, value)
        try:
            pack(view, offset, kind, value)
        except (struct.error, OverflowError) as error:
            raise TypeError(f"{value!r:.40} is out of range for {name}") from error

    return lower


def _char(_arena: Arena, view: memoryview, offset: int, value: Any) -> None:
    if not isinstance(value, str) or len(value) != 1 or "\ud800" <= value <= "\udfff":
        raise TypeError("expected one character that is a Unicode scalar value")
    _CHAR.pack_into(view, offset, layout.CHAR, ord(value))


def _string(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
    if not isinstance(value, str):
        raise _mismatch("str", value)
    try:
        size, address = arena.hold(value) if len(value) > LONG else arena.put_text(value)
    except UnicodeEncodeError as error:
        raise TypeError(f"the string has a lone surrogate at {error.start}") from error
    _TRIPLE.pack_into(view, offset, layout.STRING, size, address)


def _bytes(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise _mismatch("bytes", value)
    data = bytes(value)
    block = bytearray(layout.VALUE_SIZE * len(data))
    block[:: layout.VALUE_SIZE] = _U8_KIND * len(data)
    block[layout.PAYLOAD :: layout.VALUE_SIZE] = data
    _TRIPLE.pack_into(view, offset, layout.LIST, len(data), arena.keep(block) if block else 0)


@_make.register
def _list(type_: types.ListOf) -> Lowering:
    if type_.element == types.Scalar("u8"):
        return _bytes
    lower_element = lowering(type_.element)

    def lower(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        if not isinstance(value, list | tuple):
            raise _mismatch("a list", value)
        block, start, address = arena.reserve(layout.VALUE_SIZE * len(value))
        _TRIPLE.pack_into(view, offset, layout.LIST, len(value), address)
        place = start
        for element in value:
            try:
                lower_element(arena, block, place, element)
            except TypeError as error:
                raise _at(f"[{(place - start) // layout.VALUE_SIZE}]", error) from error
            place += layout.VALUE_SIZE

    return lower


@_make.register
def _tuple(type_: types.TupleOf) -> Lowering:
    lowerings = [lowering(element) for element in type_.elements]
    count = len(lowerings)

    def lower(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        if not isinstance(value, tuple) or len(value) != count:
            raise TypeError(f"expected a tuple of {count}")
        block, place, address = arena.reserve(layout.VALUE_SIZE * count)
        _TRIPLE.pack_into(view, offset, layout.TUPLE, count, address)
        for index in range(count):
            try:
                lowerings[index](arena, block, place, value[index])
            except TypeError as error:
                raise _at(f"[{index}]", error) from error
            place += layout.VALUE_SIZE

    return lower


@_make.register
def _record(type_: types.Record) -> Lowering:
    count = len(type_.fields)
    # All entries with their names filled in: one copy writes what never changes.
    template = b"".join(layout.PAIR.pack(*_name(name)).ljust(layout.FIELD_SIZE, b"\0") for name, _ in type_.fields)
    steps = [
        (name.replace("-", "_"), index * layout.FIELD_SIZE + layout.FIELD_VALUE, lowering(field))
        for index, (name, field) in enumerate(type_.fields)
    ]

    def lower(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        if not isinstance(value, dict):
            raise _mismatch("a dict", value)
        if len(value) != count:
            raise TypeError(f"expected the fields {', '.join(key for key, _, _ in steps)}; has {', '.join(value)}")
        block, start, address = arena.reserve(len(template))
        block[start : start + len(template)] = template
        _TRIPLE.pack_into(view, offset, layout.RECORD, count, address)
        for key, place, lower_field in steps:
            if key not in value:
                raise TypeError(f"has no field {key!r}")
            try:
                lower_field(arena, block, start + place, value[key])
            except TypeError as error:
                raise _at(f".{key}", error) from error

    return lower


@_make.register
def _variant(type_: types.Variant) -> Lowering:
    table = {name: (*_name(name), _payload(payload)) for name, payload in type_.cases}

    def lower(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        case, payload = _case(value, table)
        length, name, lower_payload = table[case]
        pointer = _boxed(arena, case, lower_payload, payload)
        _QUAD.pack_into(view, offset, layout.VARIANT, length, name, pointer)

    return lower


@_make.register
def _result(type_: types.Result) -> Lowering:
    cases = {"ok": _payload(type_.ok), "err": _payload(type_.err)}

    def lower(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        case, payload = _case(value, cases)
        pointer = _boxed(arena, case, cases[case], payload)
        _RESULT.pack_into(view, offset, layout.RESULT, case == "ok", pointer)

    return lower


def _case(value: Any, cases: dict[str, Any]) -> tuple[str, Any]:
    if not isinstance(value, tuple) or len(value) != 2 or not isinstance(value[0], str):
        raise TypeError("expected a tuple (case, payload)")
    if value[0] not in cases:
        raise TypeError(f"has no case {value[0]!r}, only {', '.join(cases)}")
    return value[0], value[1]


def _boxed(arena: Arena, case: str, lower_payload: Lowering | None, payload: Any) -> int:
    """The address of a payload's value; 0 where the case has none."""
    if lower_payload is None:
        if payload is not None:
            raise TypeError(f"the case {case!r} carries no payload")
        return 0
    block, start, address = arena.reserve(layout.VALUE_SIZE)
    try:
        lower_payload(arena, block, start, payload)
    except TypeError as error:
        raise _at(f".{case}", error) from error
    return address


@_make.register
def _option(type_: types.Option) -> Lowering:
    if isinstance(type_.some, types.Option):
        raise TypeError(f"{type_}: None would stand for both layers of the option")
    lower_some = lowering(type_.some)

    def lower(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        if value is None:
            _POINTER.pack_into(view, offset, layout.OPTION, 0)
            return
        block, start, address = arena.reserve(layout.VALUE_SIZE)
        lower_some(arena, block, start, value)
        _POINTER.pack_into(view, offset, layout.OPTION, address)

    return lower


@_make.register
def _enum(type_: types.Enum) -> Lowering:
    table = {name: _name(name) for name in type_.names}

    def lower(_arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        if not isinstance(value, str) or value not in table:
            raise TypeError(f"{value!r:.40} is none of {', '.join(table)}")
        _TRIPLE.pack_into(view, offset, layout.ENUM, *table[value])

    return lower


@_make.register
def _flags(type_: types.Flags) -> Lowering:
    table = {name: layout.PAIR.pack(*_name(name)) for name in type_.names}

    def lower(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        if not isinstance(value, set | frozenset) or not value <= table.keys():
            raise TypeError(f"{value!r:.40} is not a set of {', '.join(table)}")
        chosen = b"".join(name for flag, name in table.items() if flag in value)
        _TRIPLE.pack_into(view, offset, layout.FLAGS, len(value), arena.put(chosen))

    return lower


@_make.register
def _handle(type_: types.Handle) -> Lowering:
    resource, owned = type_.resource, type_.mode == "own"

    def lower(arena: Arena, view: memoryview, offset: int, value: Any) -> None:
        if not owned:
            raise TypeError(f"a {resource} is lent to a guest; it can only be given away")
        _POINTER.pack_into(view, offset, layout.RESOURCE, arena.own(resource, value))

    return lower
