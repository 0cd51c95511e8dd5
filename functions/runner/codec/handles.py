"""The host's resources as a guest holds them: handles, and the objects they stand for.

Rules kept here:

- A handle is a number that the engine keeps for the guest; the object stays here, in the table of its store. A
  number is never given twice, so a stale handle finds nothing.
- `own` given to a guest puts an object into the table; `own` given back, or dropped by the guest, takes it out.
  What a guest still holds at its end goes with the table: nothing is called then, so an object must hold nothing
  but memory.
- An object is handed out as the resource that the function's type names, and as no other.
- A guest holds a bounded number of handles at once.
"""

import ctypes
from functools import cache
from itertools import count
from typing import Any

from runner import capi

MAX_HANDLES = 4_096

_ids = count(1)


class TooManyHandles(Exception):
    """The guest holds as many handles as it may."""


@cache
def resource_id(resource: str) -> int:
    """The number that the engine tells a host's resources apart by."""
    return next(_ids)


class Handles:
    """The resources of one store, whose context's address is `context`."""

    __slots__ = ("_context", "_next", "_objects")

    def __init__(self, context: int) -> None:
        self._context = context
        self._objects: dict[int, tuple[str, Any]] = {}
        self._next = 1

    def __len__(self) -> int:
        return len(self._objects)

    def lower(self, resource: str, value: Any) -> int:
        """Hand `value` over as `own<resource>`: the address of the engine's form, to be freed by `capi.any_delete`.

        Raises:
            TooManyHandles
        """
        if len(self._objects) >= MAX_HANDLES:
            raise TooManyHandles
        number, self._next = self._next, self._next + 1
        host = capi.resource_new(True, number, resource_id(resource))
        out = ctypes.c_void_p()
        error = capi.resource_to_any(self._context, host, ctypes.byref(out))
        capi.resource_delete(host)
        if error:
            raise RuntimeError(capi.take_error(error)[1])
        self._objects[number] = (resource, value)
        return out.value or 0

    def take(self, resource: str, address: int) -> Any:
        """The object of an `own` that a guest gave back; it is the guest's no longer."""
        number = self._number(address)
        value = self._object(resource, number)
        del self._objects[number]
        return value

    def get(self, resource: str, address: int) -> Any:
        """The object of a `borrow`."""
        return self._object(resource, self._number(address))

    def drop(self, number: int) -> None:
        """A guest dropped its handle."""
        self._objects.pop(number, None)

    def _number(self, address: int) -> int:
        out = ctypes.c_void_p()
        error = capi.any_to_resource(self._context, address, ctypes.byref(out))
        if error:
            raise TypeError(capi.take_error(error)[1])
        number: int = capi.resource_number(out)
        capi.resource_delete(out)
        return number

    def _object(self, resource: str, number: int) -> Any:
        kept, value = self._objects.get(number, ("nothing", None))
        if kept != resource:
            raise TypeError(f"expected a handle of {resource}, not of {kept}")
        return value
