"""Every mistake as a place (`ui.hooks.appMenu[0].lable`) and the end of a sentence that starts with it."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from oriel.errors import Finding

MAX_FINDINGS = 100  # an answer of a readable size, whatever was sent

_TYPES: Mapping[str, str] = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
}
_SENTENCES: Mapping[str, str] = {
    "missing": "is missing",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
_JSON_NAMES: Mapping[type, str] = {
    str: "text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


def place(parts: Iterable[str | int]) -> str:
    """`("capabilities", 2, "purpose")` gives `capabilities[2].purpose`."""
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'label'?` where a known word is close, else nothing."""
    close = difflib.get_close_matches(word[:64], list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def from_validation(error: ValidationError, schema: Mapping[str, Any], patterns: Mapping[str, str]) -> list[Finding]:
    """The findings of a failed validation.

    Args:
        schema: the model's JSON Schema, for the keys that are known at a place.
        patterns: what each regular expression means, as the end of a sentence.
    """
    return [
        Finding(place(_location(detail)), _message(detail, schema, patterns))
        for detail in error.errors(include_url=False)
    ]


def bounded(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, one for a place and a message, at most `MAX_FINDINGS` and how many more there are."""
    unique = list(dict.fromkeys(findings))
    if len(unique) <= MAX_FINDINGS:
        return unique
    return [*unique[:MAX_FINDINGS], Finding("", f"{len(unique) - MAX_FINDINGS} more mistakes are not listed")]


def _location(detail: ErrorDetails) -> tuple[str | int, ...]:
    return tuple(part for part in detail["loc"] if part != "[key]")


def _message(detail: ErrorDetails, schema: Mapping[str, Any], patterns: Mapping[str, str]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        *parents, key = _location(detail)
        return f"is not a known key{did_you_mean(str(key), _keys_at(schema, parents))}"
    if kind == "string_pattern_mismatch":
        return patterns[context["pattern"]]
    if kind in _TYPES:
        return f"{_TYPES[kind]}, not {_JSON_NAMES.get(type(detail['input']), 'that')}"
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(**context)
    return detail["msg"][:1].lower() + detail["msg"][1:]


def _keys_at(schema: Mapping[str, Any], location: Sequence[str | int]) -> list[str]:
    """The keys that an object at `location` may have."""
    node: Mapping[str, Any] = schema
    for part in location:
        node = _resolved(schema, node)
        node = node.get("items", {}) if isinstance(part, int) else _member(node, str(part))
    return list(_resolved(schema, node).get("properties", {}))


def _member(node: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = node.get("properties", {})
    others = [*node.get("patternProperties", {}).values(), {}]
    member: Mapping[str, Any] = properties.get(key, others[0])
    return member


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object or list that `node` describes, behind references and alternatives."""
    for option in node.get("anyOf", ()):
        resolved = _resolved(schema, option)
        if "properties" in resolved or "items" in resolved:
            return resolved
    if "$ref" in node:
        return _resolved(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    return node
