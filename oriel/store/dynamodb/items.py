"""Records as items and back, in DynamoDB's own notation.

Rules kept here:

- A field is an attribute by its name, so that conditions and updates can speak of it; None is left out. What is
  neither text, number, bytes nor truth value is JSON, and compressed where it is long.
- An item that DynamoDB would not take is refused before it is sent, with its size: 400 KB with the attributes' names.
"""

import json
from collections.abc import Mapping
from types import UnionType
from typing import Any, NamedTuple, TypeAlias, TypeVar, Union, get_args, get_origin

import zstandard
from msgspec.structs import fields

from oriel.errors import OrielError
from oriel.store.dynamodb.table import MAX_SORT_BYTES, PARTITION, SORT, Key
from oriel.values import from_plain, to_plain

R = TypeVar("R")
Value: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Value]

MAX_ITEM_BYTES = 400 * 1024
COMPRESS_FROM = 1_024
MAX_JSON_BYTES = 16 * 1024 * 1024
_NUMBER_BYTES = 21
_JSON_TYPES = (tuple, dict, list)


def key_item(key: Key) -> Item:
    return {PARTITION: {"S": key.partition}, SORT: {"S": key.sort}}


def key_of(item: Mapping[str, Value]) -> Key:
    return Key(item[PARTITION]["S"], item[SORT]["S"])


def to_item(key: Key, record: Any, **extra: Value | None) -> Item:
    """A record as the item `key`, with `extra` attributes.

    Raises:
        OrielError: `invalid_input` where it is larger than an item may be, or its key is.
    """
    item = key_item(key)
    item |= {name: to_value(value) for name, value in to_plain(record).items() if value is not None}
    item |= {name: value for name, value in extra.items() if value is not None}
    _check_size(key, item)
    return item


def to_record(kind: type[R], item: Mapping[str, Value]) -> R:
    """The record that an item holds; its own type's rules hold."""
    form = _form(kind)
    there = {name: _plain(item[name], is_json) for name, is_json in form.is_json.items() if name in item}
    return from_plain(kind, {**form.missing, **there})


def to_value(value: Any) -> Value:
    """One field in DynamoDB's notation."""
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
    text = json.dumps(value, separators=(",", ":"))  # escaped: a guest may log what is not UTF-8
    raw = text.encode()
    return {"S": text} if len(raw) < COMPRESS_FROM else {"B": zstandard.ZstdCompressor().compress(raw)}


def number(item: Mapping[str, Value], name: str) -> int:
    return int(item[name]["N"])


def item_bytes(item: Mapping[str, Value]) -> int:
    """At least as much as DynamoDB counts: the names and the values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Value) -> int:
    match value:
        case {"S": text}:
            return len(text.encode())
        case {"B": raw}:
            return len(raw)
        case {"N": _}:
            return _NUMBER_BYTES
    return 1


def _check_size(key: Key, item: Item) -> None:
    size = item_bytes(item)
    if size > MAX_ITEM_BYTES:
        raise OrielError(
            "invalid_input", f"The record {key.sort!r:.80} takes {size:,} bytes; DynamoDB keeps {MAX_ITEM_BYTES:,}."
        )
    if len(key.sort.encode()) > MAX_SORT_BYTES or not key.sort:
        raise OrielError("invalid_input", f"The key {key.sort!r:.80} is empty or has over {MAX_SORT_BYTES:,} bytes.")


def _plain(value: Value, is_json: bool) -> Any:
    match value:
        case {"N": text}:
            return int(text) if text.lstrip("-").isdigit() else float(text)
        case {"B": raw} if is_json:
            return json.loads(zstandard.ZstdDecompressor().decompress(raw, max_output_size=MAX_JSON_BYTES))
        case {"S": text} if is_json:
            return json.loads(text)
    return next(iter(value.values()))


def plain_json(value: Value) -> Any:
    """What `to_value` has written as JSON."""
    return _plain(value, is_json=True)


class _Form(NamedTuple):
    """How a kind of record is read: its fields that are kept as JSON, and those that are None."""

    is_json: Mapping[str, bool]
    missing: Mapping[str, None]


_FORMS: dict[type[Any], _Form] = {}


def _form(kind: type[Any]) -> _Form:
    form = _FORMS.get(kind)
    if form is None:
        is_json = {field.name: _is_json(field.type) for field in fields(kind)}
        form = _Form(is_json, {field.name: None for field in fields(kind) if field.required})
        _FORMS[kind] = form
    return form


def _is_json(hint: Any) -> bool:
    if get_origin(hint) in {Union, UnionType}:
        return any(map(_is_json, get_args(hint)))
    return (get_origin(hint) or hint) in _JSON_TYPES
