"""Values of `alga:extension` as JSON, and JSON as values, by their type.

Members are written in snake case, cases of enums as they are; what is none is left out.
"""

import math
from typing import Any

from oriel.engine.types import Enum, ListOf, Option, Record, Scalar, Type

_RANGES = {f"{sign}{bits}": bits for sign in "us" for bits in (8, 16, 32, 64)}


class Mismatch(ValueError):
    """JSON that is not of the type, or a value that no JSON stands for; the text names the place."""


def to_json(type_: Type, value: Any, at: str = "input") -> Any:
    """The JSON of a value. `Mismatch` for a number that is not finite."""
    match type_:
        case Option(some):
            return None if value is None else to_json(some, value, at)
        case ListOf(element):
            return [to_json(element, item, f"{at}[{index}]") for index, item in enumerate(value)]
        case Record(fields):
            members = {name.replace("-", "_"): field for name, field in fields}
            return {
                name: to_json(field, value[name], f"{at}.{name}")
                for name, field in members.items()
                if value[name] is not None
            }
        case Scalar("f64") if not math.isfinite(value):
            raise Mismatch(f"{at} is not a finite number")
    return value


def from_json(type_: Type, data: Any, at: str = "answer") -> Any:  # noqa: PLR0911 - one return for each kind of type
    """The value that JSON stands for.

    Raises:
        Mismatch
    """
    match type_:
        case Option(some):
            return None if data is None else from_json(some, data, at)
        case ListOf(element) if isinstance(data, list):
            return [from_json(element, item, f"{at}[{index}]") for index, item in enumerate(data)]
        case Record(fields) if isinstance(data, dict):
            names = [(name.replace("-", "_"), field) for name, field in fields]
            return {name: from_json(field, data.get(name), f"{at}.{name}") for name, field in names}
        case Enum(cases) if data in cases:
            return data
        case Scalar("string") if isinstance(data, str):
            return data
        case Scalar("bool") if isinstance(data, bool):
            return data
        case Scalar("f64") if isinstance(data, int | float) and not isinstance(data, bool):
            return float(data)
        case Scalar(name) if isinstance(data, int) and not isinstance(data, bool) and _fits(name, data):
            return data
    raise Mismatch(f"{at} is not what {type_} asks for")


def _fits(name: str, number: int) -> bool:
    bits = _RANGES.get(name)
    if bits is None:
        return False
    return 0 <= number < 1 << bits if name[0] == "u" else -(1 << bits - 1) <= number < 1 << bits - 1
