"""Values as people write them on the command line and read them in a terminal: JSON, and times.

Times are shown in UTC, as the platform's logs have them; what is given may name another zone, or say how long ago.
"""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from oriel.errors import Finding, InvalidInput

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def json_value(text: str | bytes, option: str) -> Any:
    """The JSON value that an option gives. `InvalidInput`, naming the option."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise _refused(option, f"is not JSON: {error}") from None


def parse_moment(text: str, option: str) -> int:
    """Unix milliseconds of a date, or of a while ago: a day is its beginning, what has no time zone is UTC.

    `InvalidInput`, naming the option.
    """
    if ago := re.fullmatch(r"(\d{1,6})([smhd])", text):
        return round((time.time() - int(ago[1]) * _SECONDS[ago[2]]) * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "write it as 2026-12-31, 2026-12-31T18:00, or as 30s, 15m, 2h, 7d ago"
        raise _refused(option, f"{text!r} is no time; {hint}") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def shown_in(at: int, zone: str) -> str:
    """A time in milliseconds on the clocks of a zone, and in UTC where that is another one."""
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    utc = f"{shown(at)} UTC"
    return utc if local.utcoffset() == timedelta() else f"{local:%a %Y-%m-%d %H:%M} {zone}  ({utc})"


def shown(at: int) -> str:
    """A time in milliseconds, to the second."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def shown_day(at: int) -> str:
    """The day of a time in milliseconds."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"


def _refused(option: str, problem: str) -> InvalidInput:
    return InvalidInput("invalid_input", [Finding(option, problem)], subject="The command line")
