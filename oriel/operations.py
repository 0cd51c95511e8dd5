"""Operations of the host product: their names, and where the operator says each one is carried out.

`ORIEL_HOST_OPERATIONS` is a JSON object, or the path of a file with one:

    {"orders.list": {"url": "https://erp.example.com/oriel/orders", "description": "The tenant's open orders"}}

Rules kept here:

- A name is dotted and in lower case. There are no wildcards: what an administrator consents to is what is listed.
- A URL is the operator's own and may lead anywhere, this machine included; `/path` is a path of the platform's own
  address, for a product that is served there.
- Every call carries a body, so that its token binds the input: there is no GET.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from oriel import strict_json
from oriel.errors import Finding, InvalidInput

MAX_FILE_BYTES = 1_000_000
OPERATION = r"^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*$"
_SUBJECT = "The list of host operations"

OperationName = Annotated[str, StringConstraints(pattern=OPERATION, max_length=64)]


class HostOperation(BaseModel):
    """Where one operation is carried out, and within which bounds.

    Attributes:
        timeout_ms: of one call, the answer included; never longer than what is left of the execution.
        max_bytes: of the product's answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, StringConstraints(pattern=r"^(?:https?://[^/?#@\s]+)?(?:/[^#\s]*)?$", min_length=1)]
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    timeout_ms: int = Field(default=5_000, ge=1, le=900_000)
    description: str = Field(default="", max_length=300)
    max_bytes: int = Field(default=1_000_000, ge=1, le=100_000_000)


_OPERATIONS: TypeAdapter[dict[OperationName, HostOperation]] = TypeAdapter(dict[OperationName, HostOperation])


def load_operations(source: str, base_url: str) -> Mapping[str, HostOperation]:
    """The operator's operations.

    Args:
        source: JSON text, or the path of a file; empty for none.
        base_url: what URLs that are a path alone are relative to.

    Raises:
        InvalidInput: `invalid_input`, with every mistake.
    """
    if not source:
        return {}
    try:
        declared = _OPERATIONS.validate_python(strict_json.loads(_text(source), max_bytes=MAX_FILE_BYTES))
    except strict_json.JsonError as error:
        raise _invalid(Finding("", f"is not valid JSON: {error}")) from None
    except ValidationError as error:
        raise _invalid(*(Finding(".".join(map(str, item["loc"])), item["msg"]) for item in error.errors())) from None
    return {
        name: operation.model_copy(update={"url": base_url + operation.url}) if operation.url[0] == "/" else operation
        for name, operation in declared.items()
    }


def intersection(asked: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
    """What both sides name, ordered."""
    return tuple(sorted(set(asked) & set(granted)))


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
