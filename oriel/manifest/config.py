"""The `settings` of a manifest: a JSON Schema for a tenant's configuration, and configurations held against it.

The schema is a stranger's and is run by the platform, so it may not be able to do much:

- JSON Schema draft 2020-12 for one object, bounded in bytes, without references: nothing is fetched, nothing recurs,
  and checking costs no more than schema times configuration.
- Regular expressions run on an engine without backtracking; look-around and back-references are refused.
- Defaults are valid values of what they are defaults for.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from oriel.configuration import completed
from oriel.errors import Finding, InvalidInput
from oriel.manifest.findings import bounded, place

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError as Mismatch
    from jsonschema.protocols import Validator

MAX_SCHEMA_BYTES = 16 * 1024  # times the next is the most that a check can cost: seconds
MAX_CONFIG_BYTES = 32 * 1024
MAX_PATTERN_LENGTH = 512
MAX_MESSAGE = 200

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")
_REFUSED = frozenset(
    {
        "$anchor", "$defs", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$vocabulary", "definitions",
        "patternProperties", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_SCHEMAS_BY_KEY = ("properties", "dependentSchemas")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMA = (
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
)  # fmt: skip

Place = tuple[str | int, ...]


def schema_findings(schema: object) -> list[Finding]:
    """What is wrong with `settings`; None, which is no settings, is right."""
    if not isinstance(schema, dict):
        return []  # the model says what it must be
    if len(json.dumps(schema)) > MAX_SCHEMA_BYTES:
        return [Finding("settings", f"must have at most {MAX_SCHEMA_BYTES:,} bytes")]
    from jsonschema import Draft202012Validator

    metaschema = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    findings = [Finding(place(("settings", *at)), message) for at, message in _refused(schema, ())]
    findings += [_finding(error, ("settings",)) for error in metaschema.iter_errors(schema)]
    if schema.get("type") != "object":
        findings.append(Finding("settings.type", "must be 'object': a configuration is one"))
    return findings or list(_bad_defaults(schema))


def check_config(schema: Mapping[str, Any] | None, configuration: Mapping[str, Any]) -> None:
    """Hold a tenant's configuration against a manifest's `settings`.

    Raises:
        InvalidInput: `invalid_config`, with every mistake and its place.
    """
    if findings := config_findings(schema, configuration):
        raise InvalidInput("invalid_config", bounded(findings), subject="The configuration")


def config_findings(schema: Mapping[str, Any] | None, configuration: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with a configuration, once the defaults are filled in."""
    try:
        size = len(json.dumps(configuration, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):
        return [Finding("", "the configuration must be a JSON object")]
    if size > MAX_CONFIG_BYTES:
        return [Finding("", f"the configuration has {size:,} bytes; at most {MAX_CONFIG_BYTES:,} are allowed")]
    if schema is None:
        return [Finding(key, "is not known: the extension has no settings") for key in configuration]
    return [_finding(error, ()) for error in _validator(schema).iter_errors(completed(schema, configuration))]


def _refused(schema: object, at: Place) -> Iterator[tuple[Place, str]]:
    """What a schema may not hold here, whether or not it is a valid schema otherwise."""
    if not isinstance(schema, dict):
        return
    for key in sorted(_REFUSED & schema.keys()):
        yield (*at, key), "is not allowed in settings; spell out what it stands for"
    if schema.get("$schema", DRAFT) != DRAFT:
        yield (*at, "$schema"), f"must be {DRAFT}"
    if problem := _pattern_problem(schema.get("pattern")):
        yield (*at, "pattern"), problem
    for where, member in _members(schema):
        yield from _refused(member, (*at, *where))


def _members(schema: Mapping[str, Any]) -> Iterator[tuple[Place, object]]:
    """The schemas directly inside a schema."""
    for key in _SCHEMA:
        if key in schema:
            yield (key,), schema[key]
    for key in _SCHEMAS_BY_KEY:
        if isinstance(schema.get(key), dict):
            yield from (((key, name), member) for name, member in schema[key].items())
    for key in _SCHEMA_LISTS:
        if isinstance(schema.get(key), list):
            yield from (((key, index), member) for index, member in enumerate(schema[key]))


def _pattern_problem(pattern: object) -> str | None:
    if not isinstance(pattern, str):
        return None  # the metaschema says what it must be
    if len(pattern) > MAX_PATTERN_LENGTH:
        return f"must have at most {MAX_PATTERN_LENGTH} characters"
    try:
        _expression(pattern)
    except SchemaError:
        return "is not a regular expression without look-around and back-references"
    return None


@functools.lru_cache(maxsize=256)
def _expression(pattern: str) -> TypeAdapter[str]:
    """pydantic's engine: linear in the text, whatever the pattern. It searches, as JSON Schema asks for."""
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])


def _found(pattern: str, text: str) -> bool:
    try:
        _expression(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


def _bad_defaults(schema: Mapping[str, Any], at: Place = ("settings",)) -> Iterator[Finding]:
    if "default" in schema:
        for error in _validator(schema).iter_errors(schema["default"]):
            yield _finding(error, (*at, "default"))
    for where, member in _members(schema):
        if isinstance(member, dict):
            yield from _bad_defaults(member, (*at, *where))


def _validator(schema: Mapping[str, Any]) -> "Validator":
    from jsonschema import FormatChecker

    return _validator_class()(schema, format_checker=FormatChecker(FORMATS))


@functools.cache
def _validator_class() -> "type[Validator]":
    """Draft 2020-12, with the keywords whose cost a stranger could drive up in other words."""
    from jsonschema import Draft202012Validator, validators
    from jsonschema.exceptions import ValidationError as Mismatch

    def pattern(_: object, expression: str, value: object, __: object) -> Iterator[Mismatch]:
        if isinstance(value, str) and not _found(expression, value):
            yield Mismatch(f"does not match {expression}")

    def unique_items(_: object, wanted: bool, value: object, __: object) -> Iterator[Mismatch]:
        if wanted and isinstance(value, list) and len(set(map(_sorted_json, value))) < len(value):
            yield Mismatch("holds a value twice")

    keywords = {"pattern": pattern, "uniqueItems": unique_items}
    extended: type[Validator] = validators.extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]  # untyped in the stubs
    return extended


def _sorted_json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _finding(error: "Mismatch", at: Place) -> Finding:
    """The library's sentence where it is short; it repeats the value, whatever its size."""
    message = error.message
    if len(message) > MAX_MESSAGE:
        message = f"does not satisfy '{error.validator}'"
    return Finding(place((*at, *error.absolute_path)), message)
