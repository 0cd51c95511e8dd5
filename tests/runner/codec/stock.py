"""Values of Oriel's codec as the stock binding's, and back.

The stock binding leaves the tag of a variant out where it thinks that the payload's Python class tells the case.
"""

from typing import Any

from wasmtime import component as wc

from oriel.engine import types


class StockCannot(Exception):
    """The stock binding would take the value for another case, and fail."""


def to_stock(value: Any, type_: Any) -> Any:  # noqa: PLR0911 - one return for each kind of type
    """Our value as the stock binding wants it, told the type as a tree of `oriel.engine.types`."""
    match type_:
        case None:
            return None
        case types.ListOf(types.Scalar("u8")):
            return value
        case types.ListOf(element):
            return [to_stock(item, element) for item in value]
        case types.TupleOf(elements):
            return tuple(to_stock(item, element) for item, element in zip(value, elements, strict=True))
        case types.Record(fields):
            record = wc.Record()
            for name, field in fields:
                setattr(record, name, to_stock(value[name.replace("-", "_")], field))
            return record
        case types.Option(some):
            return None if value is None else to_stock(value, some)
        case types.Flags():
            return set(value)
        case types.Variant(cases):
            return _stock_case(value, dict(cases))
        case types.Result(ok, err):
            return _stock_case(value, {"ok": ok, "err": err})
    return value


def from_stock(value: Any, type_: Any) -> Any:  # noqa: PLR0911 - one return for each kind of type
    """The inverse of `to_stock`."""
    match type_:
        case types.ListOf(types.Scalar("u8")):
            return value
        case types.ListOf(element):
            return [from_stock(item, element) for item in value]
        case types.TupleOf(elements):
            return tuple(from_stock(item, element) for item, element in zip(value, elements, strict=True))
        case types.Record(fields):
            return {name.replace("-", "_"): from_stock(getattr(value, name), field) for name, field in fields}
        case types.Option(some):
            return None if value is None else from_stock(value, some)
        case types.Flags():
            return frozenset(value)
        case types.Variant(cases):
            return _ours_case(value, dict(cases))
        case types.Result(ok, err):
            return _ours_case(value, {"ok": ok, "err": err})
    return value


def _classes(type_: Any) -> set[type]:  # noqa: PLR0911 - one return for each kind of type
    """The Python classes that the stock binding uses for the type: where they overlap, it tags the cases."""
    match type_:
        case None:
            return {object}
        case types.Scalar(name):
            return {bool if name == "bool" else float if name[0] == "f" else str if name in ("char", "string") else int}
        case types.ListOf(types.Scalar("u8")):
            return {bytes}
        case types.ListOf():
            return {list}
        case types.TupleOf():
            return {tuple}
        case types.Record():
            return {wc.Record}
        case types.Enum():
            return {str}
        case types.Flags():
            return {set}
        case types.Option(some):
            payloads = [None, some]
        case types.Variant(cases):
            payloads = [case for _, case in cases]
        case types.Result(ok, err):
            payloads = [ok, err]
    return {wc.Variant} if _tagged(payloads) else set().union(*map(_classes, payloads))


def _tagged(payloads: list[Any]) -> bool:
    seen: set[type] = set()
    for payload in payloads:
        classes = _classes(payload)
        if classes & seen:
            return True
        seen |= classes
    return False


def _stock_case(value: Any, cases: dict[str, Any]) -> Any:
    name, payload = value
    for earlier, type_ in cases.items():
        if earlier == name:
            break
        if not _tagged(list(cases.values())) and payload is not None and object in _classes(type_):
            raise StockCannot
    converted = to_stock(payload, cases[name])
    return wc.Variant(name, converted) if _tagged(list(cases.values())) else converted


def _ours_case(value: Any, cases: dict[str, Any]) -> Any:
    if isinstance(value, wc.Variant) and _tagged(list(cases.values())):
        return value.tag, None if cases[value.tag] is None else from_stock(value.payload, cases[value.tag])
    for name, payload in cases.items():
        if payload is None and value is None:
            return name, None
        if payload is not None and any(
            value is None if c is object else isinstance(value, c) for c in _classes(payload)
        ):
            return name, from_stock(value, payload)
    raise AssertionError(f"no case for {value!r}")
