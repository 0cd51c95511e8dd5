"""Schedules on their way: when they run, once, and what becomes of times that were missed."""

import json

import pytest
from msgspec.structs import replace

from oriel.contract import ExecuteError
from oriel.errors import OrielError
from tests.support.dispatching import LONGEST_MS, World
from tests.support.gateway import answer

LEASE_MS = LONGEST_MS + 10_000
DAY_MS = 86_400_000


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def until_next(world):
    world.pass_time(world.schedule().next_at - world.clock.now)


def set_schedule(world, **fields):
    schedule = world.schedule()
    world.stored.replace_schedule(replace(schedule, **fields, revision=schedule.revision + 1))


def told(world):
    return [(run.state, run.reason) for run in world.runs()]


def test_at_its_time_the_handler_is_called_with_the_payload_and_the_next_time_is_set(world):
    at = world.schedule().next_at
    world.settle()
    assert world.runner.asked == []
    until_next(world)
    world.settle()
    (asked,) = world.runner.asked
    assert (asked.context.trigger, asked.http.path, json.loads(asked.http.body())) == (
        "schedule",
        "/digest",
        {"to": "all"},
    )
    assert dict(asked.http.headers)["x-oriel-schedule"] == "digest"
    (run,) = world.runs()
    assert (run.state, run.scheduled_at, run.status, run.execution_id) == (
        "succeeded",
        at,
        200,
        asked.context.execution_id,
    )
    assert world.schedule().next_at == at + DAY_MS


def test_two_workers_that_see_one_time_come_make_one_run(world):
    until_next(world)
    (mine,) = world.dispatcher.claim(10)
    world.pass_time(LEASE_MS)  # it is slow, and another takes over
    other = world.another()
    other.run_pending()
    other.run_pending()
    world.dispatcher.do(mine)
    world.settle()
    assert len(world.runner.asked) == len(world.runs()) == 1


@pytest.mark.parametrize(("policy", "expected"), [("once", [("succeeded", None)]), ("skip", [("skipped", "missed")])])
def test_times_at_which_the_platform_was_down_are_made_up_for_once_or_not(world, policy, expected):
    set_schedule(world, missed=policy)
    world.pass_time(3 * DAY_MS)
    world.settle()
    assert told(world) == expected
    assert world.schedule().next_at > world.clock.now


@pytest.mark.parametrize("overlap", [False, True])
def test_a_run_that_goes_on_is_not_overlapped_unless_that_was_asked_for(world, overlap):
    set_schedule(world, overlap=overlap, cron="* * * * *", next_at=world.clock.now)
    world.dispatcher.run_pending()
    (work,) = world.dispatcher.claim(1)

    def while_it_goes_on(_):
        world.runner.reply = answer(204)
        until_next(world)
        world.settle()
        return answer(204)

    world.runner.reply = while_it_goes_on
    world.dispatcher.do(work)
    second = ("succeeded", None) if overlap else ("skipped", "overlap")
    assert [told(world)[0], len(world.runner.asked)] == [second, 2 if overlap else 1]


def test_a_schedule_is_paused_with_its_install_and_goes_on_with_it(world):
    world.change(status="disabled")
    world.pass_time(3 * DAY_MS)
    world.settle()
    assert (world.runner.asked, world.runs()) == ([], ())
    world.change(status="enabled")
    world.settle()
    assert world.runner.asked == []
    until_next(world)
    world.settle()
    assert told(world) == [("succeeded", None)]


def test_a_schedule_whose_install_is_gone_goes_too(world):
    schedule = world.schedule()
    world.stored.delete_install("acme", "com.acme.notes")
    world.pass_time(2 * DAY_MS)
    world.settle()
    assert world.stored.get_schedule("acme", schedule.schedule_id) is None
    assert world.runner.asked == []


@pytest.mark.parametrize(("policy", "expected"), [("once", ("succeeded", None)), ("skip", ("failed", "interrupted"))])
def test_a_run_whose_worker_died_is_made_up_for_or_has_failed(world, policy, expected):
    set_schedule(world, missed=policy)
    until_next(world)
    world.dispatcher.run_pending()
    (work,) = world.dispatcher.claim(1)

    class Died(BaseException):
        pass

    def die(_):
        raise Died

    world.runner.reply = die
    with pytest.raises(Died):
        world.dispatcher.do(work)
    assert told(world) == [("running", None)]
    world.runner.reply = answer(204)
    world.pass_time(LEASE_MS)
    world.settle()
    assert told(world) == [expected]


def test_what_fails_is_in_the_history_and_the_schedule_goes_on(world):
    world.runner.reply = answer(502, error=ExecuteError(code="guest_trap", message="It trapped."))
    until_next(world)
    world.settle()
    until_next(world)
    world.runner.reply = answer(204)
    world.settle()
    assert told(world) == [("succeeded", None), ("failed", "guest_trap")]


def test_what_is_the_platforms_fault_is_tried_again_a_few_times(world):
    world.runner.reply = OrielError("overloaded", retry_after=1)
    until_next(world)
    for _ in range(10):
        world.settle()
        world.pass_time(60_000)
    (run,) = world.runs()
    assert (run.state, run.reason, run.attempts) == ("failed", "overloaded", 5)


def test_a_schedule_that_was_given_another_time_meanwhile_waits_for_it(world):
    until_next(world)
    (work,) = world.dispatcher.claim(10)
    set_schedule(world, next_at=world.clock.now + 5_000)
    world.dispatcher.do(work)
    world.settle()
    assert world.runner.asked == []
    world.pass_time(5_000)
    world.settle()
    assert len(world.runner.asked) == 1
