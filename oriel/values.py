"""Values: what the code hands around, made once and, but for counters, not changed.

They are msgspec's structs and not dataclasses. A class of theirs is made in C: some thirty microseconds where a
dataclass, whose methods are compiled when its module is imported, takes over a millisecond. A function's cold start
makes a hundred of them (`docs/decisions/0009-values-are-structs.md`).
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct, convert, to_builtins

S = TypeVar("S")


class Discreet(Struct, frozen=True):
    """A value whose text shows no bytes of it: bodies do not belong in tracebacks and logs."""

    def __repr__(self) -> str:
        fields = ((name, getattr(self, name)) for name in self.__struct_fields__)
        shown = ", ".join(f"{name}={value!r}" for name, value in fields if not isinstance(value, bytes))
        return f"{type(self).__name__}({shown})"


def to_plain(value: Struct) -> dict[str, Any]:
    """Its fields by name; values inside it become dictionaries too, sets become lists, bytes stay."""
    plain: dict[str, Any] = to_builtins(value, builtin_types=(bytes,))
    return plain


def from_plain(kind: type[S], plain: Mapping[Any, Any]) -> S:
    """The value of a type that `to_plain` made these fields of. `msgspec.ValidationError` where they do not fit it."""
    return convert(plain, kind, strict=False)
