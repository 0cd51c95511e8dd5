"""The engine's values into Python's.

`lifting(type)` gives one function for the type, made of those of its parts; nothing is looked up while it runs.

Rules kept here:

- The engine has checked the values against the type, so nothing is checked again; the memory stays the engine's.
- Everything is charged to a `Budget` before it is copied: strings and `list<u8>` by their length, the rest by the
  room it takes in the engine: 32 bytes for an element of a list or tuple, 48 for a field of a record.
  A guest that hands out more is stopped there, at the cost of a subtraction.
- Long lists look at the clock: the deadline counts for unpacking as well.
"""

import ctypes
import struct
import time
from collections.abc import Callable
from ctypes import string_at
from functools import lru_cache, singledispatch
from typing import Any

from oriel.engine import types
from runner.codec import layout
from runner.codec.handles import Handles
from runner.codec.text import LONG, text_at

_CLOCK_EVERY = 1024  # elements
_CHARS = ctypes.POINTER(ctypes.c_char)
_PAIR_AT = layout.PAIR.unpack_from
_WORD_AT = layout.WORD.unpack_from


class TooLarge(Exception):
    """The values are larger than the budget."""


class TooLate(Exception):
    """The deadline passed while the values were unpacked."""


class Budget:
    """What may still be unpacked, in bytes, until when, by `time.monotonic`, and from which table of resources."""

    __slots__ = ("deadline", "handles", "left")

    def __init__(self, max_bytes: int, deadline: float = float("inf"), handles: Handles | None = None) -> None:
        self.left = max_bytes
        self.deadline = deadline
        self.handles = handles

    def charge(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise TooLarge

    def check_time(self) -> None:
        if time.monotonic() >= self.deadline:
            raise TooLate


Lifting = Callable[[bytes, int, Budget], Any]
"""Reads the value whose 32 bytes stand in the copied block at the offset."""


@lru_cache(maxsize=1024)
def lifting(type_: types.Type) -> Lifting:
    """The lifting of a type.

    Raises:
        TypeError: the type has no lifting.
    """
    return _make(type_)


@singledispatch
def _make(type_: types.Type) -> Lifting:
    raise TypeError(f"{type_}: no codec carries this type")


def _payload(type_: types.Type | None) -> Lifting | None:
    return None if type_ is None else lifting(type_)


@_make.register
def _scalar(type_: types.Scalar) -> Lifting:
    if type_.name in ("string", "char"):
        return _string if type_.name == "string" else _char
    unpack = struct.Struct(f"<{layout.SCALAR_KINDS[type_.name][1]}").unpack_from

    def lift(block: bytes, offset: int, _budget: Budget) -> Any:
        return unpack(block, offset + layout.PAYLOAD)[0]

    return lift


def _char(block: bytes, offset: int, _budget: Budget) -> str:
    return chr(int.from_bytes(block[offset + layout.PAYLOAD : offset + layout.PAYLOAD + 4], "little"))


def _string(block: bytes, offset: int, budget: Budget) -> str:
    length, pointer = _PAIR_AT(block, offset + layout.PAYLOAD)
    if not length:
        return ""
    budget.charge(length)
    return text_at(pointer, length) if length > LONG else string_at(pointer, length).decode()


def _bytes(block: bytes, offset: int, budget: Budget) -> bytes:
    length, pointer = _PAIR_AT(block, offset + layout.PAYLOAD)
    if not length:
        return b""
    budget.charge(length)
    values: Any = ctypes.cast(pointer, _CHARS)
    data: bytes = values[layout.PAYLOAD : length * layout.VALUE_SIZE : layout.VALUE_SIZE]
    return data


@_make.register
def _list(type_: types.ListOf) -> Lifting:
    if type_.element == types.Scalar("u8"):
        return _bytes
    lift_element = lifting(type_.element)

    def lift(block: bytes, offset: int, budget: Budget) -> list[Any]:
        count, pointer = _PAIR_AT(block, offset + layout.PAYLOAD)
        size = count * layout.VALUE_SIZE
        budget.charge(size)
        lifted: list[Any] = []
        step = _CLOCK_EVERY * layout.VALUE_SIZE
        for start in range(0, size, step):
            part = string_at(pointer + start, min(step, size - start))
            lifted += [lift_element(part, place, budget) for place in range(0, len(part), layout.VALUE_SIZE)]
            budget.check_time()
        return lifted

    return lift


@_make.register
def _tuple(type_: types.TupleOf) -> Lifting:
    places = [(index * layout.VALUE_SIZE, lifting(element)) for index, element in enumerate(type_.elements)]
    size = len(places) * layout.VALUE_SIZE

    def lift(block: bytes, offset: int, budget: Budget) -> tuple[Any, ...]:
        budget.charge(size)
        elements = string_at(_WORD_AT(block, offset + 16)[0], size)
        return tuple([lift_element(elements, place, budget) for place, lift_element in places])

    return lift


@_make.register
def _record(type_: types.Record) -> Lifting:
    places = [
        (name.replace("-", "_"), index * layout.FIELD_SIZE + layout.FIELD_VALUE, lifting(field))
        for index, (name, field) in enumerate(type_.fields)
    ]
    size = len(places) * layout.FIELD_SIZE

    def lift(block: bytes, offset: int, budget: Budget) -> dict[str, Any]:
        budget.charge(size)
        entries = string_at(_WORD_AT(block, offset + 16)[0], size)
        return {key: lift_field(entries, place, budget) for key, place, lift_field in places}

    return lift


@_make.register
def _variant(type_: types.Variant) -> Lifting:
    cases = {name.encode(): (name, _payload(payload)) for name, payload in type_.cases}

    def lift(block: bytes, offset: int, budget: Budget) -> tuple[str, Any]:
        length, pointer = _PAIR_AT(block, offset + layout.PAYLOAD)
        name, lift_payload = cases[string_at(pointer, length)]
        if lift_payload is None:
            return name, None
        return name, lift_payload(string_at(_WORD_AT(block, offset + 24)[0], layout.VALUE_SIZE), 0, budget)

    return lift


@_make.register
def _result(type_: types.Result) -> Lifting:
    cases = (("err", _payload(type_.err)), ("ok", _payload(type_.ok)))

    def lift(block: bytes, offset: int, budget: Budget) -> tuple[str, Any]:
        name, lift_payload = cases[block[offset + layout.PAYLOAD]]
        if lift_payload is None:
            return name, None
        return name, lift_payload(string_at(_WORD_AT(block, offset + 16)[0], layout.VALUE_SIZE), 0, budget)

    return lift


@_make.register
def _enum(type_: types.Enum) -> Lifting:
    names = {name.encode(): name for name in type_.names}

    def lift(block: bytes, offset: int, _budget: Budget) -> str:
        length, pointer = _PAIR_AT(block, offset + layout.PAYLOAD)
        return names[string_at(pointer, length)]

    return lift


@_make.register
def _option(type_: types.Option) -> Lifting:
    if isinstance(type_.some, types.Option):
        raise TypeError(f"{type_}: None would stand for both layers of the option")
    lift_some = lifting(type_.some)

    def lift(block: bytes, offset: int, budget: Budget) -> Any:
        (pointer,) = _WORD_AT(block, offset + layout.PAYLOAD)
        return lift_some(string_at(pointer, layout.VALUE_SIZE), 0, budget) if pointer else None

    return lift


@_make.register
def _flags(_type: types.Flags) -> Lifting:
    def lift(block: bytes, offset: int, _budget: Budget) -> frozenset[str]:
        count, pointer = _PAIR_AT(block, offset + layout.PAYLOAD)
        names = string_at(pointer, count * layout.NAME_SIZE) if count else b""
        return frozenset(string_at(address, length).decode() for length, address in layout.PAIR.iter_unpack(names))

    return lift


@_make.register
def _handle(type_: types.Handle) -> Lifting:
    resource, owned = type_.resource, type_.mode == "own"

    def lift(block: bytes, offset: int, budget: Budget) -> Any:
        if budget.handles is None:
            raise TypeError(f"there is no table for a handle of {resource}")
        address = _WORD_AT(block, offset + layout.PAYLOAD)[0]
        return budget.handles.take(resource, address) if owned else budget.handles.get(resource, address)

    return lift
