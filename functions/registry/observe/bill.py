"""Usage with what it costs, as JSON and as CSV (RFC 4180)."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import fields

from oriel.errors import OrielError
from oriel.pricing import PriceList, amount_text
from oriel.store import Store
from oriel.store.records import Usage
from oriel.values import to_plain

MAX_DAYS = 366
PAGE = 500
DIGITS = 3
"""What is shown of sums that are not whole; they are charged for as they are."""
COLUMNS = (*(field.name for field in fields(Usage)), "cost", "currency")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


def row(usage: Usage, prices: PriceList | None) -> dict[str, Any]:
    """One window's usage; `cost` is None where there are no prices."""
    told = {
        name: round(value, DIGITS) if isinstance(value, float) else value for name, value in to_plain(usage).items()
    }
    return {**told, "cost": None if prices is None else amount_text(prices.cost(usage).total)}


def total(usages: Iterable[Usage], prices: PriceList | None) -> str | None:
    """What all of them cost together."""
    return None if prices is None else amount_text(sum((prices.cost(usage).total for usage in usages), Decimal(0)))


def as_csv(usages: Iterable[Usage], prices: PriceList | None) -> Iterator[str]:
    """A line for each, below one with the columns' names."""
    yield _line(COLUMNS)
    currency = prices.currency if prices else ""
    for usage in usages:
        yield _line([*map(_cell, row(usage, prices).values()), currency])


def of_all_tenants(store: Store, since: str, until: str) -> Iterator[Usage]:
    """The usage of every tenant, day by day, read as it is taken."""
    for day in _days(since, until):
        cursor: str | None = None
        while True:
            page = store.list_usage_of_all(day, cursor, PAGE)
            yield from page.items
            if (cursor := page.cursor) is None:
                break


def require_days(since: str, until: str) -> None:
    """`OrielError` `invalid_input`, where these are not two days with at most a year between them."""
    for _ in _days(since, until):
        return


def _days(since: str, until: str) -> Iterator[str]:
    try:
        first, last = date.fromisoformat(since), date.fromisoformat(until)
    except ValueError:
        raise OrielError("invalid_input", "since, until: two days, as 2026-11-24.") from None
    if (last - first).days >= MAX_DAYS:
        raise OrielError("invalid_input", f"since, until: at most {MAX_DAYS} days.")
    for number in range((last - first).days + 1):
        yield (first + timedelta(days=number)).isoformat()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
