"""Guest records: conditions, revisions, expiry, listings that lose nothing."""

import contextlib
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oriel.errors import OrielError
from oriel.store import Conflict
from oriel.store.guests import GuestWrite

LETTERS = st.sampled_from("aAé\u0301\x00\x7f\uffff\U0001f600%_\\/.ß")


def write(key, value=b"v", **fields):
    return GuestWrite(key=key, value=value, text=False, **fields)


def put(store, *writes, tenant="t1", install="i1"):
    return store.guest_put(tenant, install, writes)


def keys(store, prefix="", limit=100, tenant="t1", install="i1"):
    found, cursor = [], None
    while True:
        page = store.guest_list(tenant, install, prefix, cursor, limit)
        assert len(page.items) <= limit
        found += [record.key for record in page.items]
        cursor = page.cursor
        if cursor is None:
            return found


def test_what_is_put_is_got_in_the_order_asked_for(store):
    put(store, write("a", b"1"), GuestWrite(key="b", value="é".encode(), text=True))
    got = store.guest_get("t1", "i1", ["b", "missing", "a", "b"])
    assert [(record.key, record.value, record.text) for record in got] == [
        ("b", "é".encode(), True),
        ("a", b"1", False),
    ]


def test_a_revision_starts_at_one_and_each_write_raises_it(store):
    assert [put(store, write("a")), put(store, write("a")), put(store, write("b"), write("a"))] == [(1,), (2,), (1, 3)]


def test_create_only_if_absent_refuses_a_record_that_is_there(store):
    assert put(store, write("a", when="absent")) == (1,)
    with pytest.raises(Conflict, match="'a'"):
        put(store, write("a", b"other", when="absent"))
    assert store.guest_get("t1", "i1", ["a"])[0].value == b"v"


def test_a_write_at_another_revision_is_refused(store):
    put(store, write("a"))
    assert put(store, write("a", when=1)) == (2,)
    with pytest.raises(Conflict, match="revision 1"):
        put(store, write("a", when=1))
    with pytest.raises(Conflict):
        put(store, write("missing", when=1))


def test_a_batch_is_written_whole_or_not_at_all(store):
    put(store, write("taken"))
    with pytest.raises(Conflict, match="'taken'"):
        put(store, write("new"), write("taken", when="absent"))
    assert keys(store) == ["taken"]


def test_one_of_many_concurrent_creators_wins(backend):
    stores = [backend.open() for _ in range(4)]
    won, barrier = [], threading.Barrier(4)

    def create(store, value):
        barrier.wait()
        with contextlib.suppress(Conflict):
            won.append((value, put(store, write("a", value, when="absent"))))

    threads = [threading.Thread(target=create, args=(store, bytes([n]))) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert stores[0].guest_get("t1", "i1", ["a"])[0].value == won[0][0]


def test_concurrent_increments_by_revision_lose_none(backend):
    stores = [backend.open() for _ in range(3)]
    put(stores[0], write("n", b"0"))

    def increment(store):
        for _ in range(10):
            while True:
                record = store.guest_get("t1", "i1", ["n"])[0]
                try:
                    put(store, write("n", str(int(record.value) + 1).encode(), when=record.revision))
                    break
                except Conflict:
                    continue

    threads = [threading.Thread(target=increment, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].guest_get("t1", "i1", ["n"])[0].value == b"30"


def test_an_expired_record_is_not_there_for_any_method(store, clock):
    put(store, write("a", expires_at=clock.now + 10), write("b"))
    clock.now += 10
    assert store.guest_get("t1", "i1", ["a"]) == ()
    assert keys(store) == ["b"]
    assert store.guest_delete("t1", "i1", "a") is False
    with pytest.raises(Conflict):
        put(store, write("a", when=1))


def test_a_key_whose_record_expired_can_be_created_and_begins_at_revision_one(store, clock):
    put(store, write("a", expires_at=clock.now + 10), write("b", expires_at=clock.now + 10))
    put(store, write("a", expires_at=clock.now + 10), write("b", expires_at=clock.now + 10))
    clock.now += 10
    assert put(store, write("a", when="absent"), write("b")) == (1, 1)


def test_purging_removes_the_expired_records_of_all_tenants_and_no_other(backend, store, clock):
    put(store, write("a", expires_at=clock.now + 10), write("b", expires_at=clock.now + 11), write("c"))
    put(store, write("a", expires_at=clock.now + 10), tenant="t2")
    clock.now += 10
    purged = [store.purge_expired(1), store.purge_expired(), store.purge_expired()]
    assert purged == ([0, 0, 0] if backend.expires_by_itself else [1, 1, 0])
    assert keys(store) == ["b", "c"]


def test_delete_tells_whether_there_was_a_record(store):
    put(store, write("a"))
    assert [store.guest_delete("t1", "i1", "a"), store.guest_delete("t1", "i1", "a")] == [True, False]
    assert put(store, write("a")) == (1,)


def test_delete_at_another_revision_is_refused(store):
    put(store, write("a"))
    with pytest.raises(Conflict, match="revision 1, not 2"):
        store.guest_delete("t1", "i1", "a", revision=2)
    assert store.guest_delete("t1", "i1", "a", revision=1) is True


def test_listing_page_by_page_loses_no_record(store):
    names = [f"k{number:03}" for number in range(25)]
    put(store, *(write(name) for name in names))
    for limit in (1, 5, 7, 25, 26):
        assert keys(store, limit=limit) == names


def test_a_listing_goes_on_where_it_stopped_although_records_came_and_went(store):
    put(store, *(write(name) for name in "bdfh"))
    page = store.guest_list("t1", "i1", "", None, 2)
    store.guest_delete("t1", "i1", "d")
    put(store, write("a"), write("e"))
    rest = store.guest_list("t1", "i1", "", page.cursor, 10)
    assert [record.key for record in rest.items] == ["e", "f", "h"]


@pytest.mark.parametrize("cursor", ["", "!", "YQ==", "é", "YQ\n"])
def test_a_cursor_that_was_not_handed_out_is_refused(store, cursor):
    with pytest.raises(OrielError) as refused:
        store.guest_list("t1", "i1", "", cursor, 10)
    assert refused.value.code == "malformed_request"


@pytest.mark.parametrize(("tenant", "install"), [("t2", "i1"), ("t1", "i2")])
def test_another_tenant_or_install_sees_and_touches_nothing(store, tenant, install):
    put(store, write("a"))
    assert store.guest_get(tenant, install, ["a"]) == ()
    assert keys(store, tenant=tenant, install=install) == []
    assert store.guest_delete(tenant, install, "a") is False
    assert put(store, write("a", b"theirs", when="absent"), tenant=tenant, install=install) == (1,)
    assert store.guest_get("t1", "i1", ["a"])[0].value == b"v"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.text(st.sampled_from("aAé\u0301\x00\x7f\uffff\U0001f600%_\\/.ß"), min_size=1, max_size=4), unique=True
    ),
    prefix=st.text(st.sampled_from("aAé\u0301\x00\x7f\uffff\U0001f600%_"), max_size=2),
    limit=st.integers(1, 5),
)
def test_any_keys_are_listed_once_each_in_the_order_of_their_bytes(store, names, prefix, limit):
    for name in keys(store):
        store.guest_delete("t1", "i1", name)
    put(store, *(write(name) for name in names))
    expected = sorted((name for name in names if name.startswith(prefix)), key=str.encode)
    assert keys(store, prefix, limit) == expected
