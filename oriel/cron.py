"""Cron expressions: when they fire, in their own time zone.

The library is `cronsim`, which does as Debian's cron does (docs/decisions/0004-cron-by-cronsim.md): an expression that
names its hours and minutes fires once on a day on which the clock is changed, right after the gap where its time falls
into it, and not again in the hour that comes twice; one with a `*` there goes on by the hands of the clock.

Rules kept here: nothing is guessed from the pattern. How often an expression fires is found by letting it fire, from
now on and around the next changes of its zone's clock.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from oriel.errors import Finding, InvalidInput
from oriel.manifest import values

SHOWN = 5
SIMULATED = 300
AROUND_A_CHANGE = 120
YEARS_AHEAD = 8  # to the next 29th of February, also over a century's end
_DAYS_AHEAD = 400


def next_times(cron: str, timezone: str, after: int, count: int = SHOWN) -> list[int]:
    """The next times after `after`, in Unix milliseconds; fewer where it does not fire as often in the next years."""
    return [_ms(time) for time in islice(_times(cron, timezone, after), count)]


def next_time(cron: str, timezone: str, after: int) -> int | None:
    """The next one; None where there is none."""
    return next(iter(next_times(cron, timezone, after, 1)), None)


def check(cron: str, timezone: str, now: int, least_seconds: int) -> None:
    """See that an expression can be kept.

    Args:
        least_seconds: what must lie between two runs.

    Raises:
        InvalidInput: `invalid_schedule`, with every mistake.
    """
    findings = []
    for name, value, rule in (("cron", cron, values.cron), ("timezone", timezone, values.timezone)):
        try:
            rule(value)
        except ValueError as error:
            findings.append(Finding(name, str(error)))
    if not findings:
        gap = _least_gap(cron, timezone, now // 60_000)
        if gap is None:
            findings.append(Finding("cron", f"does not fire in the next {YEARS_AHEAD} years"))
        elif gap < least_seconds:
            findings.append(
                Finding(
                    "cron", f"fires again after {gap:,} seconds; at least {least_seconds:,} must lie between two runs"
                )
            )
    if findings:
        raise InvalidInput("invalid_schedule", findings, subject="The schedule")


@lru_cache(maxsize=1_024)
def _least_gap(cron: str, timezone: str, minute: int) -> int | None:
    """The seconds between the two runs that are closest to each other; None where it never fires."""
    now = minute * 60_000
    gaps = [_gap(cron, timezone, now, SIMULATED)]
    gaps += [_gap(cron, timezone, change - 7_200_000, AROUND_A_CHANGE) for change in _changes(timezone, now)]
    if next_time(cron, timezone, now) is None:
        return None
    return min((gap for gap in gaps if gap is not None), default=YEARS_AHEAD * 366 * 86_400)


def _gap(cron: str, timezone: str, after: int, count: int) -> int | None:
    times = next_times(cron, timezone, after, count)
    return min(((later - time) // 1000 for time, later in pairwise(times)), default=None)


def _changes(timezone: str, now: int) -> Iterator[int]:
    """When the zone's clock is changed in the next year, to the day."""
    zone = ZoneInfo(timezone)
    days = [datetime.fromtimestamp(now / 1000, UTC) + timedelta(days=day) for day in range(_DAYS_AHEAD)]
    for day, following in pairwise(days):
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            yield _to_the_hour(day, zone)


def _to_the_hour(day: datetime, zone: ZoneInfo) -> int:
    before = day.astimezone(zone).utcoffset()
    hours = (day + timedelta(hours=hour) for hour in range(26))
    return _ms(next(hour for hour in hours if hour.astimezone(zone).utcoffset() != before))


def _times(cron: str, timezone: str, after: int) -> Iterator[datetime]:
    start = datetime.fromtimestamp(after / 1000, UTC)
    end = start + timedelta(days=366 * YEARS_AHEAD)
    try:
        for time in CronSim(cron, start.astimezone(ZoneInfo(timezone))):
            if time.astimezone(UTC) > end:
                return
            yield time
    except (CronSimError, StopIteration):
        return


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)
