"""Cron expressions in their own time zone, and how often they fire."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from oriel.cron import check, next_time, next_times
from oriel.errors import InvalidInput

BERLIN = "Europe/Berlin"


def at(text, zone="UTC"):
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def seen(cron, zone, after, count):
    """The next times as the zone's clocks show them, with the hours between them and UTC."""
    moments = [datetime.fromtimestamp(time / 1000, UTC) for time in next_times(cron, zone, at(after), count)]
    return [moment.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %z") for moment in moments]


def findings(cron, zone="UTC", least=60, now="2026-11-27T12:00"):
    with pytest.raises(InvalidInput) as refused:
        check(cron, zone, at(now), least)
    assert refused.value.code == "invalid_schedule"
    return {finding.at: finding.message for finding in refused.value.findings}


def test_times_are_those_of_the_schedules_own_zone_and_come_after_the_moment_given():
    assert next_time("0 9 * * mon-fri", BERLIN, at("2026-11-27T08:00")) == at("2026-11-30T08:00")
    assert next_times("30 2 * * *", "UTC", at("2026-11-27T02:30"), 2) == [
        at("2026-11-28T02:30"),
        at("2026-11-29T02:30"),
    ]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        # 29 March 2026: 02:00 becomes 03:00
        ("30 2 * * *", ["28 02:30 +0100", "29 03:00 +0200", "30 02:30 +0200"]),
        ("0 9 * * *", ["28 09:00 +0100", "29 09:00 +0200", "30 09:00 +0200"]),
        ("30 * * * *", ["28 00:30 +0100", "28 01:30 +0100", "28 02:30 +0100"]),
    ],
)
def test_when_the_clock_goes_forward_what_falls_into_the_gap_runs_right_after_it(cron, expected):
    assert seen(cron, BERLIN, "2026-03-27T23:00", 3) == expected


def test_when_the_clock_goes_forward_an_hourly_schedule_goes_on_by_the_hour():
    assert seen("30 * * * *", BERLIN, "2026-03-29T00:00", 3) == ["29 01:30 +0100", "29 03:30 +0200", "29 04:30 +0200"]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        # 25 October 2026: 03:00 becomes 02:00
        ("30 2 * * *", ["24 02:30 +0200", "25 02:30 +0200", "26 02:30 +0100"]),
        ("0 9 * * *", ["24 09:00 +0200", "25 09:00 +0100", "26 09:00 +0100"]),
    ],
)
def test_when_the_clock_goes_back_a_fixed_time_runs_once(cron, expected):
    assert seen(cron, BERLIN, "2026-10-23T22:00", 3) == expected


def test_when_the_clock_goes_back_an_hourly_schedule_runs_in_both_hours():
    assert seen("30 * * * *", BERLIN, "2026-10-25T00:00", 3) == ["25 02:30 +0200", "25 02:30 +0100", "25 03:30 +0100"]


@pytest.mark.parametrize(
    ("cron", "least"), [("*/5 * * * *", 300), ("0,5,10 9 * * *", 300), ("0 9 * * *", 86_400), ("0 0 29 2 *", 86_400)]
)
def test_what_lies_far_enough_apart_is_taken(cron, least):
    check(cron, "UTC", at("2026-11-27T12:00"), least)


@pytest.mark.parametrize(
    ("cron", "gap"), [("*/5 * * * *", "300"), ("0,59 * * * *", "60"), ("58,2 23,0 * * *", "240"), ("0-1 9 1 1 *", "60")]
)
def test_what_fires_too_often_is_found_by_letting_it_fire(cron, gap):
    assert findings(cron, least=301)["cron"].startswith(f"fires again after {gap} seconds; at least 301 ")


def test_runs_that_come_close_only_on_the_day_the_clock_is_changed_are_found_months_before():
    check("30 2,3 * * *", "UTC", at("2026-06-01T00:00"), 3_600)
    assert findings("30 2,3 * * *", BERLIN, 3_600, "2026-06-01T00:00") == {
        "cron": "fires again after 1,800 seconds; at least 3,600 must lie between two runs"
    }


@pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 0 31 4,6 *"])
def test_what_never_fires_is_refused(cron):
    assert findings(cron) == {"cron": "does not fire in the next 8 years"}


def test_every_mistake_is_named():
    found = findings("61 * * * *", "Europe/Bielefeld")
    assert set(found) == {"cron", "timezone"}
