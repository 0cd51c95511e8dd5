"""What usage costs: the operator's list of prices, and sums by it.

Prices are decimal numbers in one currency. What is not on the list costs nothing. Pure, but for reading the list.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from oriel import strict_json
from oriel.errors import Finding, InvalidInput
from oriel.store.records import Usage

MAX_FILE_BYTES = 100_000
SETTING = "ORIEL_PRICES"
_EXACT: Final = Decimal("0.000000001")

Price = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class PriceList(BaseModel):
    """Prices of a unit each: a million, an hour of CPU, a gigabyte (10^9 bytes) for a second, a gigabyte."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "USD"
    invocations_million: Price = Decimal(0)
    cpu_hour: Price = Decimal(0)
    memory_gb_second: Price = Decimal(0)
    egress_gb: Price = Decimal(0)
    kv_reads_million: Price = Decimal(0)
    kv_writes_million: Price = Decimal(0)
    log_gb: Price = Decimal(0)

    def cost(self, usage: Usage) -> "Cost":
        """What the usage of one window costs."""
        parts = {
            "invocations": self.invocations_million * usage.invocations / 10**6,
            "cpu": self.cpu_hour * Decimal(str(usage.cpu_ms)) / 3_600_000,
            "memory": self.memory_gb_second * Decimal(str(usage.memory_mb_ms)) / 10**6,
            "egress": self.egress_gb * usage.egress_bytes / 10**9,
            "kv_reads": self.kv_reads_million * usage.kv_reads / 10**6,
            "kv_writes": self.kv_writes_million * usage.kv_writes / 10**6,
            "log": self.log_gb * usage.log_bytes / 10**9,
        }
        return Cost(self.currency, {name: part for name, part in parts.items() if part})


class Cost(Struct, frozen=True):
    """An amount and what it is made of."""

    currency: str
    parts: Mapping[str, Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.parts.values(), Decimal(0))


def amount_text(amount: Decimal) -> str:
    """An amount to nine places, without an exponent and without zeros at its end."""
    text = f"{amount.quantize(_EXACT):f}"
    return text.rstrip("0").rstrip(".")


def load_prices(source: str) -> PriceList | None:
    """The operator's list; None where there is none.

    Args:
        source: JSON text, or the path of a file.

    Raises:
        InvalidInput: `invalid_input`, with every mistake.
    """
    if not source:
        return None
    try:
        return PriceList.model_validate(strict_json.loads(_text(source), max_bytes=MAX_FILE_BYTES))
    except strict_json.JsonError as error:
        raise _invalid(Finding(SETTING, f"is not valid JSON: {error}")) from None
    except ValidationError as error:
        raise _invalid(*(Finding(".".join(map(str, item["loc"])), item["msg"]) for item in error.errors())) from None


def _text(source: str) -> str:
    if source.lstrip().startswith("{"):
        return source
    try:
        return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{source} cannot be read ({type(error).__name__}). Give a JSON object or the path of a file."
        raise _invalid(Finding(SETTING, message)) from None


def _invalid(*findings: Finding) -> InvalidInput:
    return InvalidInput("invalid_input", findings, subject="The price list")
