"""Values as people write them on the command line and read them in a terminal: JSON, and times.

Times are shown in UTC, as the platform's logs have them; what is given may name another zone.
"""

import json
from datetime import UTC, datetime
from typing import Any

from oriel.errors import Finding, InvalidInput


def json_value(text: str | bytes, option: str) -> Any:
    """The JSON value that an option gives. `InvalidInput`, naming the option."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise _refused(option, f"is not JSON: {error}") from None


def parse_moment(text: str, option: str) -> int:
    """Unix milliseconds; a day is its beginning, what has no time zone is UTC. `InvalidInput`, naming the option."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _refused(option, f"{text!r} is no date; write it as 2026-12-31 or 2026-12-31T18:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def shown(at: int) -> str:
    """A time in milliseconds, to the second."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def shown_day(at: int) -> str:
    """The day of a time in milliseconds."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"


def _refused(option: str, problem: str) -> InvalidInput:
    return InvalidInput("invalid_input", [Finding(option, problem)], subject="The command line")
