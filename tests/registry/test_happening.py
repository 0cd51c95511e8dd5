"""Events and schedules as an administrator meets them: what follows an install, and what may be done by hand."""

import pytest
from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.scheduling import parsed
from registry.consents import Consents
from registry.events import Events
from registry.grants import GrantRequest
from registry.installs import Installs
from registry.schedules import Schedules
from tests.registry.stage import ADMIN, NAME, OTHER_ADMIN, project
from tests.store.factory import delivery, event

ENDPOINTS = [{"method": "POST", "path": path} for path in ("/on-order", "/on-refund", "/digest", "/weekly")]
ASKING = [{"name": "events.subscribe", "purpose": "To keep up."}]
ORDERS = {"topic": "order.*", "path": "/on-order"}
REFUNDS = {"topic": "refund.*", "path": "/on-refund"}
DIGEST = {"name": "digest", "cron": "0 8 * * *", "path": "/digest"}
ALL = [GrantRequest(capability="events.subscribe")]


def release(version="1.0.0", events=(ORDERS,), schedules=(DIGEST,), endpoints=ENDPOINTS):
    asked = {"capabilities": ASKING, "events": list(events)} if events else {}
    return project(version, **asked, schedules=list(schedules), api={"endpoints": endpoints})


@pytest.fixture
def ledger(stage):
    stage.publish(release())
    stage.publish(release("1.1.0", [ORDERS, REFUNDS], [{**DIGEST, "cron": "0 9 * * *"}, {**DIGEST, "name": "new"}]))
    stage.publish(release("2.0.0", [], [], ENDPOINTS[:1]))
    return stage.registry


@pytest.fixture
def installs(ledger):
    installs = Installs(ledger)
    installs.install(ADMIN, NAME, "1.0.0", ALL, None)
    return installs


def run_version(installs, version):
    install = installs.get("t1", NAME)
    installs.replace(ADMIN, "install.upgrade", install, replace(install, version=version))


def topics(ledger, tenant="t1"):
    return [one.topic for one in ledger.store.list_subscriptions(tenant)]


def schedules(ledger):
    return {one.name: one for one in ledger.store.list_schedules("t1").items}


def actions(ledger):
    return [entry.action for entry in ledger.store.list_audit("t1").items]


def test_an_install_is_subscribed_to_what_was_consented_to(ledger, installs):
    assert topics(ledger) == ["order.*"]
    Consents(ledger).set_all(ADMIN, NAME, [])
    assert topics(ledger) == []


def test_a_topic_that_a_new_version_adds_waits_for_consent(ledger, installs):
    run_version(installs, "1.1.0")
    assert topics(ledger) == ["order.*"]
    Consents(ledger).set_all(ADMIN, NAME, ALL)
    assert sorted(topics(ledger)) == ["order.*", "refund.*"]
    with pytest.raises(OrielError, match="not asked for"):
        Consents(ledger).set_all(ADMIN, NAME, [GrantRequest(capability="events.subscribe", topics=("user.*",))])


def test_schedules_of_the_manifest_follow_the_version_and_keep_what_the_tenant_has_set(ledger, installs):
    book = Schedules(ledger)
    book.change(ADMIN, schedules(ledger)["digest"].schedule_id, {"timezone": "Europe/Berlin"})
    run_version(installs, "1.1.0")
    digest = schedules(ledger)["digest"]
    assert (digest.cron, digest.timezone) == ("0 9 * * *", "Europe/Berlin")
    assert set(schedules(ledger)) == {"digest", "new"}


def test_what_cannot_be_carried_over_is_shown_before_and_switched_off_after(ledger, installs):
    book = Schedules(ledger)
    book.create(ADMIN, NAME, parsed({"name": "own", "cron": "0 7 * * mon", "path": "/weekly"}))
    install = ledger.store.get_install("t1", NAME)
    now, then = (installs.manifest(install), installs.installable(NAME, "2.0.0", "t1")[1])
    shown = {change.name: (change.what, change.reason) for change in book.changes(install, then, now)}
    assert shown == {
        "digest": ("removed", "The version no longer has it."),
        "own": ("stopped", "The version declares no POST /weekly; the schedule is switched off."),
    }
    assert set(schedules(ledger)) == {"digest", "own"}
    run_version(installs, "2.0.0")
    own = schedules(ledger)["own"]
    assert (own.enabled, own.next_at, own.off_reason) == (False, None, "endpoint_gone")
    run_version(installs, "1.1.0")
    assert schedules(ledger)["own"].next_at is not None


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"cron": "* * * * *"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"path": "/nowhere"}, "path"),
        ({"name": "No Slug"}, "name"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused_with_its_place(ledger, installs, wrong, at):
    definition = {"name": "own", "cron": "0 7 * * mon", "path": "/weekly"} | wrong
    with pytest.raises(OrielError) as refused:
        Schedules(ledger).create(ADMIN, NAME, parsed(definition))
    assert (refused.value.code, [finding.at for finding in refused.value.findings]) == ("invalid_schedule", [at])


def test_a_schedule_is_changed_run_and_deleted_and_each_is_audited(ledger, installs):
    book = Schedules(ledger)
    own = book.create(ADMIN, NAME, parsed({"name": "own", "cron": "0 7 * * mon", "path": "/weekly"}))
    assert book.change(ADMIN, own.schedule_id, {"enabled": False}).next_at is None
    run = book.run_now(ADMIN, own.schedule_id)
    assert (run.state, run.scheduled_at) == ("queued", None)
    with pytest.raises(OrielError, match="goes on"):
        book.run_now(ADMIN, own.schedule_id)
    book.delete(ADMIN, own.schedule_id)
    assert actions(ledger)[:4] == ["schedule.delete", "schedule.run", "schedule.change", "schedule.create"]
    digest = schedules(ledger)["digest"]
    with pytest.raises(OrielError, match="cannot be deleted"):
        book.delete(ADMIN, digest.schedule_id)
    with pytest.raises(OrielError, match="no schedule"):
        book.get("t2", digest.schedule_id)


def test_a_replay_delivers_what_fits_once_more_and_to_nobody_else(ledger, installs):
    installs.install(OTHER_ADMIN, NAME, "1.0.0", ALL, None)
    now = ledger.now()
    for number, topic in enumerate(["order.paid", "user.new", "order.sent"]):
        kept = event(f"evt_{number}", topic=topic, created_at=now, expires_at=now + 10**9)
        ledger.store.put_event(kept, 10)
    assert Events(ledger).replay(ADMIN, NAME, now, None) == 2
    assert Events(ledger).replay(ADMIN, NAME, now + 1, None) == 0
    made = [one for number in range(3) for one in ledger.store.list_deliveries("t1", f"evt_{number}")]
    assert [(one.topic, one.state, one.install_id) for one in made] == [
        (topic, "pending", ledger.store.get_install("t1", NAME).install_id) for topic in ("order.paid", "order.sent")
    ]
    (entry, before) = ledger.store.list_audit("t1", limit=2).items
    assert (entry.action, entry.after) == ("event.replay", {"deliveries": [one.delivery_id for one in made]})
    assert before.action != "event.replay"  # that of nothing is none


def test_dead_letters_are_sent_again_one_or_all_of_an_extension(ledger, installs):
    book, store = Events(ledger), ledger.store
    for number in range(3):
        extension_id = NAME if number else "com.acme.other"
        store.put_deliveries([delivery(f"evt_{number}", state="dead", attempts=10, extension_id=extension_id)])
    assert book.redrive(ADMIN, "evt_1.s1").state == "pending"
    assert book.redrive_all(ADMIN, NAME) == 1
    told = [(entry.action, entry.target, entry.after) for entry in store.list_audit("t1").items[:2]]
    assert told == [
        ("event.redrive", NAME, {"deliveries": ["evt_2.s1"]}),
        ("event.redrive", "evt_1.s1", {"deliveries": ["evt_1.s1"]}),
    ]
    assert [letter.event_id for letter in book.dead_letters("t1", None, 10).items] == ["evt_0"]
    for not_dead in ("evt_1.s1", "evt_9.s1"):
        with pytest.raises(OrielError, match="no dead letter"):
            book.redrive(ADMIN, not_dead)
    with pytest.raises(OrielError):
        book.redrive(OTHER_ADMIN, "evt_0.s1")
