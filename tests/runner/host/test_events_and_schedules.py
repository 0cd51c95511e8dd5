"""What a guest may tell and when it is called: `events`, `schedule`, and `scheduler` of `alga:extension`."""

import json

import pytest

from oriel.emitting import Bounds, Emitter
from oriel.scheduling import Scheduling
from oriel.store.sql import SqlStore
from runner.alga import scheduler
from runner.execution import Services
from runner.host import events, schedule
from tests.store.factory import install, key, publisher, version

ENDPOINTS = ({"method": "POST", "path": "/digest"}, {"method": "GET", "path": "/notes/:id"})
DIGEST = {
    "name": "digest",
    "cron": "0 8 * * *",
    "timezone": "Europe/Berlin",
    "method": "POST",
    "path": "/digest",
    "payload": '{"to": "all"}',
    "enabled": True,
    "missed": "once",
    "overlap": False,
}
NOTHING = dict.fromkeys(("endpoint", "cron", "timezone", "enabled", "name", "payload"))


@pytest.fixture
def store(tmp_path):
    store = SqlStore.sqlite(tmp_path / "oriel.db")
    store.put_publisher(publisher())
    store.put_publisher_key(key())
    store.create_version(*version(extension_id="com.acme.reports"))
    store.create_install(install("acme", "com.acme.reports", install_id="ins_1"))
    yield store
    store.close()


@pytest.fixture
def execution(store, make_execution):
    def make(**context):
        emitter = Emitter(store, Bounds(extension_per_minute=3))
        made = Scheduling(store)
        services = Services(emitter=emitter, scheduling=lambda: made)
        return make_execution(services, context=context, endpoints=ENDPOINTS)

    return make


def told(topic="score.changed", data='{"n": 1}', of=None):
    return {"topic": topic, "key": of, "data": data}


def test_an_event_of_a_guest_has_its_own_name_before_it_and_is_one_deeper(store, execution):
    outcome, event_id = events.emit(execution(depth=2, caused_by="evt_0"), told(of="o-1"))
    assert outcome == "ok"
    kept = store.get_event("acme", event_id)
    assert (kept.topic, kept.source) == ("com.acme.reports.score.changed", "com.acme.reports")
    assert (kept.key, kept.data, kept.depth, kept.caused_by) == ("o-1", {"n": 1}, 3, "evt_0")


@pytest.mark.parametrize(
    ("event", "context", "case"),
    [
        (told("Score"), {}, "invalid"),
        (told(data="[1]"), {}, "invalid"),
        (told(data="{"), {}, "invalid"),
        (told(data=json.dumps({"a": "x" * 70_000})), {}, "invalid"),
        (told(), {"depth": 8}, "loop"),
    ],
)
def test_what_cannot_be_told_is_a_typed_error(execution, event, context, case):
    outcome, (found, _) = events.emit(execution(**context), event)
    assert (outcome, found) == ("err", case)


def test_a_guest_tells_so_much_in_a_minute_and_where_nobody_listens_it_is_told(execution, make_execution):
    results = [events.emit(execution(), told()) for _ in range(8)]
    assert [outcome for outcome, _ in results[:3]] == ["ok"] * 3
    assert results[-1][1][0] == "limit-exceeded"
    assert events.emit(make_execution(), told())[1][0] == "unavailable"


def test_a_schedule_is_made_changed_listed_and_deleted_by_its_name(execution):
    own = execution()
    _, made = schedule.put(own, DIGEST)
    _, changed = schedule.put(own, {**DIGEST, "cron": "0 9 * * *", "payload": None})
    assert (made["id"], made["foreign"], len(made["next_runs"])) == (changed["id"], False, 5)
    _, (found,) = schedule.list_(own)
    assert found["definition"] == {**DIGEST, "cron": "0 9 * * *", "payload": None}
    assert [schedule.delete(own, "digest") for _ in range(2)] == [("ok", True), ("ok", False)]


@pytest.mark.parametrize(
    "wrong", [{"cron": "* * * * *"}, {"path": "/notes/:id"}, {"path": "/x"}, {"payload": "{"}, {"name": "A"}]
)
def test_a_schedule_that_cannot_be_kept_is_a_typed_error(execution, wrong):
    assert schedule.put(execution(), {**DIGEST, **wrong})[1][0] == "invalid"


def test_a_schedule_of_somebody_else_can_be_seen_and_not_changed(store, execution):
    from oriel.scheduling import Owner, parsed

    own = execution()
    owner = Owner("acme", "ins_1", "com.acme.reports", own.endpoints)
    made = Scheduling(store).create(
        owner, parsed({"name": "digest", "cron": "0 7 * * *", "path": "/digest"}), "tenant", "ada"
    )
    assert schedule.put(own, DIGEST)[1][0] == schedule.delete(own, "digest")[1][0] == "conflict"
    assert schedule.list_(own)[1][0]["foreign"]
    assert not scheduler.delete_schedule(own, made.schedule_id)["success"]
    assert scheduler.get_schedule(own, made.schedule_id)[1]["name"] == "digest"


def test_components_of_alga_make_schedules_by_endpoint_and_know_them_by_id(execution):
    own = execution()
    given = {**NOTHING, "endpoint": "/digest", "cron": "0 8 * * *", "name": "Daily Digest", "payload": '{"a": 1}'}
    made = scheduler.create_schedule(own, given)
    assert (made["success"], made["error"]) == (True, None)
    outcome, (info,) = scheduler.list_schedules(own)
    assert (outcome, info["id"], info["name"]) == ("ok", made["schedule_id"], "daily-digest")
    assert (info["endpoint_method"], info["endpoint_path"], info["payload"]) == ("POST", "/digest", '{"a": 1}')
    assert scheduler.update_schedule(own, info["id"], {**NOTHING, "enabled": False})["success"]
    assert scheduler.get_schedule(own, info["id"])[1]["enabled"] is False
    assert scheduler.delete_schedule(own, info["id"]) == {"success": True, "error": None}
    assert scheduler.get_schedule(own, info["id"]) == ("ok", None)


def test_components_of_alga_are_told_by_field_what_is_wrong(execution):
    own = execution()
    refused = scheduler.create_schedule(own, {**NOTHING, "endpoint": "POST /x", "cron": "0 8 * * *"})
    assert (refused["success"], list(json.loads(refused["field_errors"]))) == (False, ["endpoint"])
    gone = scheduler.update_schedule(own, "sch_gone", NOTHING)
    assert (gone["success"], gone["field_errors"]) == (False, None)
    assert "no schedule sch_gone" in gone["error"]


def test_components_of_alga_see_which_endpoints_can_be_scheduled(execution):
    outcome, found = scheduler.get_endpoints(execution())
    assert (outcome, [(one["id"], one["schedulable"]) for one in found]) == (
        "ok",
        [("POST /digest", True), ("GET /notes/:id", False)],
    )
