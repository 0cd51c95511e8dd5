"""Subscriptions, events, deliveries, and the queue of work."""

from collections import Counter

import pytest
from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.store import Conflict
from oriel.store.eventing import DELIVERIES_AT_ONCE, Settlement, Spread
from oriel.store.queueing import Followed, Turns, following
from tests.store.factory import LATER, T0, delivery, event, install, subscription

LEASE = T0 + 60_000
MANY = 1_000


def items(works):
    return [(work.tenant_id, work.kind, work.item_id) for work in works]


def claimed(store, limit=20, until=LEASE):
    return items(store.claim_work(until, limit))


def settled(store, delivery, work, due_at):
    return store.settle_deliveries([Settlement(work, delivery, due_at)]) != ()


def dead_letters(store, tenant_id="t1"):
    return [letter.delivery_id for letter in store.list_dead_letters(tenant_id).items]


@pytest.fixture
def spread(store):
    """A store with one event that is spread already, and one delivery of it, taken."""
    store.put_event(event(), MANY)
    store.release_work(*store.claim_work(LEASE), None)
    store.put_deliveries([delivery()])
    return store


def test_subscriptions_are_those_that_were_put_last_and_go_with_their_install(published):
    with pytest.raises(Conflict):
        published.replace_subscriptions("t1", install().install_id, [subscription()])
    for tenant in ("t1", "t2"):
        published.create_install(install(tenant))
        both = [subscription("b", tenant), subscription("a", tenant, ordered=True, filter={})]
        published.replace_subscriptions(tenant, install(tenant).install_id, both)
    assert published.list_subscriptions("t1") == (
        subscription("a", ordered=True, filter={}),
        subscription("b"),
    )
    published.replace_subscriptions("t1", install().install_id, [subscription("c")])
    assert published.list_subscriptions("t1") == (subscription("c"),)
    published.delete_install("t1", "com.acme.notes")
    assert published.list_subscriptions("t1") == ()
    assert len(published.list_subscriptions("t2")) == 2


def test_an_event_comes_back_as_it_was_put_and_its_spreading_is_work(store):
    put = event(key="k", depth=2, caused_by="evt_0", source="com.acme.notes")
    assert store.put_event(put, MANY)
    assert store.get_event("t1", "evt_1") == put
    assert store.get_event("t2", "evt_1") is None
    assert claimed(store) == [("t1", "event", "evt_1")]


def test_an_event_whose_id_is_there_already_changes_nothing(store):
    store.put_event(event(), MANY)
    assert not store.put_event(event(data={"n": 2}), 1)
    assert store.get_event("t1", "evt_1") == event()
    assert claimed(store) == [("t1", "event", "evt_1")]


def test_a_source_has_so_many_events_in_a_minute_and_the_refused_one_leaves_nothing(store):
    for number in range(3):
        store.put_event(event(f"evt_{number}"), 3)
    with pytest.raises(OrielError) as refused:
        store.put_event(event("evt_3"), 3)
    assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 60)
    assert store.get_event("t1", "evt_3") is None
    assert len(claimed(store)) == 3
    store.put_event(event("evt_4", source="com.acme.other"), 3)
    store.put_event(event("evt_5", "t2"), 3)
    store.put_event(event("evt_6", created_at=T0 + 60_000), 3)


def test_events_are_listed_newest_first_in_pages(store):
    for number in range(5):
        store.put_event(event(f"evt_{number}"), MANY)
    first = store.list_events("t1", limit=3)
    rest = store.list_events("t1", first.cursor, limit=3)
    assert [item.event_id for item in (*first.items, *rest.items)] == [f"evt_{number}" for number in (4, 3, 2, 1, 0)]
    assert rest.cursor is None


def test_deliveries_are_written_once_each_with_their_work(spread):
    second = delivery(subscription_id="s2", lane="s2:k", state="pending", due_at=T0 + 5)
    assert spread.put_deliveries([delivery(reason="again"), second]) == (second,)
    assert spread.list_deliveries("t1", "evt_1") == (delivery(), second)
    assert spread.list_deliveries("t1", "evt_") == spread.list_deliveries("t2", "evt_1") == ()
    assert spread.get_delivery("t1", "evt_1.s2") == second
    assert claimed(spread) == [("t1", "delivery", "evt_1.s1")]


def test_an_event_is_spread_to_however_many_by_who_has_it_and_once(spread, clock):
    spread.put_event(event("evt_2", key="k"), MANY)
    (work,) = (work for work in spread.claim_work(LEASE) if work.kind == "event")
    wanted = tuple(delivery("evt_2", f"s{number:02}") for number in range(DELIVERIES_AT_ONCE + 2))
    spread.put_deliveries(wanted[-1:])  # as somebody did who was cut off
    done = Spread(work, wanted)
    assert spread.spread_events([done]) == (done,)
    assert spread.list_deliveries("t1", "evt_2") == wanted
    assert spread.spread_events([Spread(work, [delivery("evt_2", "late")])]) == ()
    assert {work.item_id for work in spread.claim_work(LEASE, 50)} == {one.delivery_id for one in wanted}


def test_the_works_of_following_an_install_come_with_its_changes_and_go_in_their_order(published, clock):
    first = following(install("t3"), "1.0.0")
    published.create_install(install("t3"), then=first)
    with pytest.raises(Conflict):
        published.replace_install(install("t3", revision=7), then=following(install("t3", revision=7), "1.0.0"))
    second = following(install("t3", revision=2, version="1.1.0"), "1.0.0")
    published.replace_install(install("t3", revision=2, version="1.1.0"), then=second)
    assert Followed.named(second) == (install("t3").install_id, 2, "com.acme.notes", "1.0.0")
    (work,) = published.claim_work(LEASE)
    assert work.item_id == first.item_id
    assert published.claim_item("t3", "install", second.item_id, LEASE) is None
    assert published.release_work(work, None)
    clock.now = T0 + 20_000
    assert claimed(published) == [("t3", "install", second.item_id)]


def test_work_is_given_out_when_it_is_due_the_oldest_first_and_once(store, clock):
    store.put_event(event("evt_2", created_at=T0 - 5), MANY)
    store.put_event(event("evt_1", created_at=T0 - 9), MANY)
    store.put_event(event("evt_3", created_at=T0 + 1), MANY)
    assert claimed(store, limit=1) == [("t1", "event", "evt_1")]
    assert claimed(store) == [("t1", "event", "evt_2")]
    assert claimed(store) == []
    clock.now = T0 + 1
    assert claimed(store) == [("t1", "event", "evt_3")]


def test_tenants_take_turns_however_long_ones_backlog_is(store):
    for number in range(9):
        store.put_event(event(f"evt_{number}", created_at=T0 - 100), MANY)
    for tenant_id in ("t2", "t3"):
        store.put_event(event("evt_9", tenant_id, created_at=T0), MANY)

    def turns(limit, **given):
        return Counter(work.tenant_id for work in store.claim_work(LEASE, limit, Turns(**given)))

    assert turns(1, after="t2") == {"t3": 1}
    assert turns(4, after="t1", most=3, busy={"t1": 2}) == {"t2": 1, "t1": 1}
    assert turns(9, most=8, busy={"t1": 8}) == {}
    assert turns(5) == {"t1": 5}


def test_who_is_not_done_in_time_loses_the_work_to_the_next_and_can_settle_nothing(spread, clock):
    (slow,) = spread.claim_work(LEASE)
    clock.now = LEASE
    (fast,) = spread.claim_work(LEASE + 60_000)
    assert fast == replace(slow, due_at=LEASE + 60_000)
    done = delivery(state="delivered", attempts=1)
    assert not settled(spread, replace(done, attempts=9), slow, None)
    assert not spread.release_work(slow, None)
    assert settled(spread, done, fast, None)
    assert spread.get_delivery("t1", "evt_1.s1") == done
    assert not settled(spread, done, fast, None)
    clock.now = LATER
    assert claimed(spread, until=LATER + 1) == []


def test_what_is_to_be_tried_again_is_due_when_it_was_said(spread, clock):
    (work,) = spread.claim_work(LEASE)
    waits = delivery(attempts=1, reason="guest_trap", status=502, execution_id="exe_1", updated_at=T0 + 3)
    assert settled(spread, waits, work, T0 + 7)
    assert spread.get_delivery("t1", "evt_1.s1") == waits
    clock.now = T0 + 6
    assert claimed(spread) == []
    clock.now = T0 + 7
    assert claimed(spread) == [("t1", "delivery", "evt_1.s1")]


def test_one_item_can_be_taken_by_its_id_where_it_is_due(spread, clock):
    clock.now = T0 - 1
    assert spread.claim_item("t1", "delivery", "evt_1.s1", LEASE) is None
    clock.now = T0
    assert spread.claim_item("t2", "delivery", "evt_1.s1", LEASE) is None
    work = spread.claim_item("t1", "delivery", "evt_1.s1", LEASE)
    assert items([work]) == [("t1", "delivery", "evt_1.s1")]
    assert spread.claim_item("t1", "delivery", "evt_1.s1", LEASE) is None
    assert settled(spread, delivery(state="delivered"), work, None)


def test_of_a_lane_the_first_is_given_out_and_the_next_when_it_is_done(store, clock):
    for number in (2, 1, 3):
        store.put_event(event(f"evt_{number}", key="k"), MANY)
    store.put_event(event("evt_4", key="other"), MANY)
    store.put_event(event("evt_5", "t2", key="k"), MANY)
    first, *others = sorted(store.claim_work(LEASE), key=lambda work: work.item_id)
    assert items([first, *others]) == [("t1", "event", "evt_1"), ("t1", "event", "evt_4"), ("t2", "event", "evt_5")]
    assert store.claim_item("t1", "event", "evt_2", LEASE) is None
    clock.now += 1
    assert claimed(store) == []
    assert store.release_work(first, T0 + 5)  # it waits, and the others behind it
    assert claimed(store) == []
    clock.now = T0 + 5
    (first,) = store.claim_work(LEASE)
    store.release_work(first, None)
    assert claimed(store) == [("t1", "event", "evt_2")]


def test_a_dead_letter_is_listed_until_it_is_revived(spread, clock):
    (work,) = spread.claim_work(LEASE)
    dead = delivery(state="dead", attempts=8, reason="guest_trap")
    assert settled(spread, dead, work, None)
    assert dead_letters(spread) == ["evt_1.s1"]
    assert dead_letters(spread, "t2") == []
    again = replace(dead, state="pending", attempts=0, due_at=T0 + 1)
    assert spread.revive_deliveries([delivery("evt_9"), again]) == (again,)
    assert spread.revive_deliveries([again]) == ()
    assert dead_letters(spread) == []
    clock.now = T0 + 1
    assert claimed(spread) == [("t1", "delivery", "evt_1.s1")]


def test_what_has_expired_is_purged(spread, backend):
    spread.put_event(event("evt_2", expires_at=LATER + 1), MANY)
    backend.clock.now = LATER
    if not backend.expires_by_itself:
        assert spread.purge_expired() == 3  # the event, its delivery, and the count of the minute
        assert [item.event_id for item in spread.list_events("t1").items] == ["evt_2"]
    else:
        assert spread.purge_expired() == 0
