"""Times as people write and read them: dates, zones, a while ago, and both sides of a change of the clocks."""

import time
from datetime import UTC, datetime

import pytest

from oriel.cli.values import parse_moment, shown_in
from oriel.errors import InvalidInput


def at(text):
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-31", "2026-12-31T00:00"),
        ("2026-12-31T18:00", "2026-12-31T18:00"),
        ("2026-12-31T18:00+02:00", "2026-12-31T16:00"),
    ],
)
def test_a_time_is_read_in_utc_where_it_names_no_zone(text, moment):
    assert parse_moment(text, "--since") == at(moment)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("15m", 900), ("2h", 7_200), ("7d", 604_800)])
def test_a_time_may_be_a_while_ago(text, seconds):
    assert 0 <= (time.time() - seconds) * 1000 - parse_moment(text, "--since") + 1 < 60_000


@pytest.mark.parametrize("text", ["soon", "", "h", "2w", "2026-13-01"])
def test_what_is_no_time_is_refused_with_its_option(text):
    with pytest.raises(InvalidInput) as refused:
        parse_moment(text, "--since")
    assert [finding.at for finding in refused.value.findings] == ["--since"]


@pytest.mark.parametrize(
    ("moment", "zone", "shown"),
    [
        ("2027-03-28T00:30", "Europe/Berlin", "Sun 2027-03-28 01:30 Europe/Berlin  (2027-03-28 00:30:00 UTC)"),
        ("2027-03-28T01:30", "Europe/Berlin", "Sun 2027-03-28 03:30 Europe/Berlin  (2027-03-28 01:30:00 UTC)"),
        ("2027-10-31T01:30", "Europe/Berlin", "Sun 2027-10-31 02:30 Europe/Berlin  (2027-10-31 01:30:00 UTC)"),
        ("2027-10-31T01:30", "UTC", "2027-10-31 01:30:00 UTC"),
    ],
)
def test_a_schedules_time_is_shown_on_its_own_clocks_and_in_utc(moment, zone, shown):
    assert shown_in(at(moment), zone) == shown
