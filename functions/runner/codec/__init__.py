"""Values across the boundary between Python and components, by a codec made once for each function type.

bool, int, float, str (char, string)   themselves
list<T>, list<u8>                      list, bytes
record                                 dict by field name, '-' written '_'
tuple, enum, flags                     tuple, str, frozenset of str
option<T>                              None or the value
variant, result                        (case, payload or None), ("ok" or "err", payload or None)
own<resource>, borrow<resource>        the host's object, by way of the store's `Handles`
"""

from collections.abc import Sequence
from ctypes import string_at
from functools import lru_cache
from typing import Any

from oriel.engine.types import Function
from runner import capi
from runner.codec import layout
from runner.codec.arena import Arena
from runner.codec.handles import Handles, TooManyHandles
from runner.codec.lift import Budget, TooLarge, TooLate, lifting
from runner.codec.lower import lowering

__all__ = ["Budget", "FunctionCodec", "Handles", "TooLarge", "TooLate", "TooManyHandles", "function_codec"]


class FunctionCodec:
    """The four conversions of one function type.

    Addresses point to arrays of the engine's 32-byte values; see `layout`.
    """

    def __init__(self, function: Function) -> None:
        """Raises `TypeError` where a type has no codec."""
        self.function = function
        self.arity = len(function.params)
        self.has_result = function.result is not None
        self._names = [name for name, _ in function.params]
        self._lower = [lowering(type_) for _, type_ in function.params]
        self._lift = [lifting(type_) for _, type_ in function.params]
        if function.result is not None:
            self._lower_result = lowering(function.result)
            self._lift_result = lifting(function.result)

    def lower_params(self, values: Sequence[Any], arena: Arena) -> int:
        """The address of the arguments, valid as long as the arena, and until it is released.

        Raises:
            TypeError: a value is not of its parameter's type; the message names the parameter and the place in it.
        """
        if len(values) != self.arity:
            raise TypeError(f"expected {self.arity} arguments, not {len(values)}")
        view, place, address = arena.reserve(layout.VALUE_SIZE * self.arity)
        for name, lower, value in zip(self._names, self._lower, values, strict=True):
            try:
                lower(arena, view, place, value)
            except TypeError as error:
                raise TypeError(f"argument {name}: {error}") from error
            place += layout.VALUE_SIZE
        return address

    def lift_params(self, address: int, budget: Budget) -> list[Any]:
        """The arguments that a guest passed; raises `TooLarge` and `TooLate` by the budget."""
        block = string_at(address, layout.VALUE_SIZE * self.arity)
        return [lift(block, index * layout.VALUE_SIZE, budget) for index, lift in enumerate(self._lift)]

    def lower_result(self, value: Any, address: int, handles: Handles | None = None) -> None:
        """Write a host function's result to where the engine takes it over from; nothing is written on an error.

        Raises:
            TypeError: the value is not of the result's type.
            TooManyHandles
        """
        if not self.has_result:
            if value is not None:
                raise TypeError("a function without a result returned one")
            return
        arena = Arena(handles)
        view, place, source = arena.reserve(layout.VALUE_SIZE)
        try:
            self._lower_result(arena, view, place, value)
            capi.value_clone(source, address)
        except TypeError as error:
            raise TypeError(f"result: {error}") from error
        finally:
            arena.release()

    def lift_result(self, address: int, budget: Budget) -> Any:
        """What a guest returned; raises `TooLarge` and `TooLate` by the budget. The value stays the engine's."""
        return self._lift_result(string_at(address, layout.VALUE_SIZE), 0, budget) if self.has_result else None


@lru_cache(maxsize=1024)
def function_codec(function: Function) -> FunctionCodec:
    """The codec of a function type, made once."""
    return FunctionCodec(function)
