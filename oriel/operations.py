"""Operations of the host product: their names, and where the operator says each one is carried out.

`ORIEL_HOST_OPERATIONS` is a JSON object, or the path of a file with one:

    {"orders.list": {"url": "https://erp.example.com/oriel/orders", "description": "The tenant's open orders"}}

Rules kept here:

- A name is dotted and in lower case. There are no wildcards: what an administrator consents to is what is listed.
- A URL is the operator's own and may lead anywhere, this machine included; `/path` is a path of the platform's own
  address, for a product that is served there.
- Every call carries a body, so that its token binds the input: there is no GET.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from oriel import strict_json
from oriel.errors import Finding, InvalidInput
from oriel.messages import Message, place_and_problem

MAX_FILE_BYTES = 1_000_000
OPERATION = r"^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*$"
MAX_NAME = 64
_SUBJECT = "The list of host operations"
_URL = r"^(?:https?://[^/?#@\s]+)?(?:/[^#\s]*)?\Z"


class HostOperation(Message, frozen=True):
    """Where one operation is carried out, and within which bounds.

    Attributes:
        timeout_ms: of one call, the answer included; never longer than what is left of the execution.
        max_bytes: of the product's answer.
    """

    url: Annotated[str, Meta(pattern=_URL, min_length=1)]
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    timeout_ms: Annotated[int, Meta(ge=1, le=900_000)] = 5_000
    description: Annotated[str, Meta(max_length=300)] = ""
    max_bytes: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000


def load_operations(source: str, base_url: str) -> Mapping[str, HostOperation]:
    """The operator's operations.

    Args:
        source: JSON text, or the path of a file; empty for none.
        base_url: what URLs that are a path alone are relative to.

    Raises:
        InvalidInput: `invalid_input`, with a finding for every operation that is wrong.
    """
    if not source:
        return {}
    try:
        declared = strict_json.loads(_text(source), max_bytes=MAX_FILE_BYTES)
    except strict_json.JsonError as error:
        raise _invalid(Finding("", f"is not valid JSON: {error}")) from None
    if not isinstance(declared, dict):
        raise _invalid(Finding("", "is not a JSON object"))
    findings: list[Finding] = []
    operations: dict[str, HostOperation] = {}
    for name, value in declared.items():
        try:
            operations[name] = _operation(name, value, base_url)
        except msgspec.ValidationError as error:
            place, problem = place_and_problem(error)
            findings.append(Finding(f"{name}.{place}".rstrip("."), problem))
    if findings:
        raise _invalid(*findings)
    return operations


def intersection(asked: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
    """What both sides name, ordered."""
    return tuple(sorted(set(asked) & set(granted)))


def _operation(name: str, value: Any, base_url: str) -> HostOperation:
    if len(name) > MAX_NAME or not re.fullmatch(OPERATION, name):
        raise msgspec.ValidationError(f"A name is dotted and in lower case, of up to {MAX_NAME} characters")
    operation = HostOperation.convert(value)
    if operation.url.startswith("/"):
        return msgspec.structs.replace(operation, url=base_url + operation.url)
    return operation


def _text(source: str) -> str:
    if source.lstrip().startswith("{"):
        return source
    try:
        return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{source} cannot be read ({type(error).__name__}). Give a JSON object or the path of a file."
        raise _invalid(Finding("ORIEL_HOST_OPERATIONS", message)) from None


def _invalid(*findings: Finding) -> InvalidInput:
    return InvalidInput("invalid_input", findings, subject=_SUBJECT)
