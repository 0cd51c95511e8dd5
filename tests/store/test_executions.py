"""The execution log: found by every id, time and outcome, kept for a set time, and what it adds up to."""

import pytest
from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.ids import first_id
from oriel.store.records import ExecutionFilter
from tests.store.factory import T0
from tests.store.test_registry_records import execution

MINUTE = 60_000


def at(ms, suffix="0", **fields):
    """An execution that started `ms` after T0, with an id as it would be minted."""
    return execution(f"{first_id('exe', T0 + ms)}{suffix}", started_at=T0 + ms, **fields)


def found(store, tenant="t1", limit=2, oldest_first=False, **where):
    """Everything a listing gives, followed page by page to its end."""
    items, cursor = [], None
    while True:
        page = store.list_executions(tenant, ExecutionFilter(**where), cursor, limit, oldest_first=oldest_first)
        items += page.items
        if (cursor := page.cursor) is None:
            return items


def ids(items):
    return [item.execution_id for item in items]


ONE = at(0, request_id="req_1", install_id="ins_1", version_id="ver_1", content_hash="sha256:aa")
TWO = at(10, request_id="req_2", install_id="ins_2", version_id="ver_2", content_hash="sha256:bb", version="2.0.0")
THREE = at(20, request_id="req_2", trigger="event", extension_id="com.acme.other", version_id="ver_3")
FAILED = at(30, request_id="req_4", error_code="guest_trap", status=502, version_id="ver_1")


CASES = [
    ({}, [FAILED, THREE, TWO, ONE]),
    ({"request_id": "req_2"}, [THREE, TWO]),
    ({"request_id": "req_2", "extension_id": "com.acme.notes"}, [TWO]),
    ({"install_id": "ins_2"}, [TWO]),
    ({"version_id": "ver_1"}, [FAILED, ONE]),
    ({"version": "2.0.0"}, [TWO]),
    ({"content_hash": "sha256:bb"}, [TWO]),
    ({"extension_id": "com.acme.other"}, [THREE]),
    ({"trigger": "event"}, [THREE]),
    ({"outcome": "failed"}, [FAILED]),
    ({"outcome": "succeeded", "extension_id": "com.acme.notes"}, [TWO, ONE]),
    ({"error_code": "guest_trap"}, [FAILED]),
    ({"since": T0 + 10}, [FAILED, THREE, TWO]),
    ({"until": T0 + 20}, [TWO, ONE]),
    ({"since": T0 + 10, "until": T0 + 30, "extension_id": "com.acme.notes"}, [TWO]),
    ({"since": T0 + 10, "request_id": "req_2"}, [THREE, TWO]),
    ({"since": T0 + 30, "until": T0 + 10}, []),
    ({"request_id": "req"}, []),
]


def test_executions_are_found_by_every_id_time_and_outcome(store):
    store.record_executions([TWO, FAILED, ONE, THREE])
    for where, expected in CASES:
        assert ids(found(store, **where)) == ids(expected), where
        assert ids(found(store, oldest_first=True, **where)) == ids(reversed(expected)), where
        assert found(store, "t2", **where) == [], where


def test_a_listing_loses_none_while_others_are_written(store):
    store.record_executions([at(ms, error_code="x" if ms % 2 else None) for ms in range(12)])
    failed, cursor, round_ = [], None, 0
    while round_ == 0 or cursor:
        page = store.list_executions("t1", ExecutionFilter(outcome="failed"), cursor, 2)
        failed += page.items
        cursor, round_ = page.cursor, round_ + 1
        store.record_executions([at(100 + round_, error_code="x")])
    assert [item.started_at - T0 for item in failed] == [11, 9, 7, 5, 3, 1]


def test_a_rare_one_is_found_behind_many_others(store):
    store.record_executions([at(0, error_code="guest_trap"), *(at(ms) for ms in range(1, 20))])
    assert ids(found(store, limit=5, outcome="failed")) == [at(0).execution_id]


def test_a_cursor_leads_on_in_the_callers_own_listing_alone(store):
    for tenant in ("t1", "t2"):
        store.record_executions([at(ms, tenant_id=tenant) for ms in range(4)])
    for where in ({}, {"extension_id": "com.acme.notes"}, {"request_id": "req_1"}):
        cursor = store.list_executions("t2", ExecutionFilter(**where), limit=2).cursor
        led_to = store.list_executions("t1", ExecutionFilter(**where), cursor).items
        assert [(item.tenant_id, item.started_at - T0) for item in led_to] == [("t1", 1), ("t1", 0)]
        with pytest.raises(OrielError, match="cursor"):
            store.list_executions("t1", ExecutionFilter(**where), "!")


def test_what_was_written_since_is_found_by_when_it_was_written(store, clock):
    store.record_executions([at(50)])
    clock.now += 1_000
    store.record_executions([at(0)])  # it took long, or the store was away
    assert ids(found(store, recorded_since=clock.now)) == [at(0).execution_id]
    assert found(store, recorded_since=clock.now)[0].recorded_at == clock.now


def test_an_expired_execution_is_not_there_and_is_removed(store, clock, backend):
    store.record_executions([at(0, expires_at=T0 + 500), at(1)])
    assert len(found(store)) == 2
    clock.now = T0 + 500
    assert ids(found(store)) == [at(1).execution_id]
    assert ids(found(store, request_id="req_1")) == [at(1).execution_id]
    assert store.get_execution("t1", at(0).execution_id) is None
    assert store.purge_expired() == (0 if backend.expires_by_itself else 2)  # the entry and its minute
    assert store.purge_expired() == 0


def test_minutes_add_up_by_extension_and_duration(store):
    fast, slow = {"duration_ms": 4.0, "cpu_ms": 1.0, "cold": True}, {"duration_ms": 40.0, "egress_bytes": 9}
    store.record_executions([at(0, receipt=fast), at(1, receipt=fast), at(2, receipt=slow, error_code="x")])
    store.record_executions([at(3, receipt=fast), at(4, extension_id="com.acme.other"), at(5, tenant_id="t2")])
    store.record_executions([at(3, receipt=fast), at(MINUTE, receipt=fast)])
    start = T0 // MINUTE * MINUTE
    first, second, later = store.list_minutes("t1", start, start + 2 * MINUTE, "com.acme.notes")
    assert (first.minute, first.bucket, first.invocations, first.cold, first.cpu_ms) == (start, 2, 3, 3, 3.0)
    assert (second.bucket, second.invocations, second.failures, second.egress_bytes) == (5, 1, 1, 9)
    assert later.minute == start + MINUTE
    assert {row.extension_id for row in store.list_minutes("t1", start, start + 1)} == {
        "com.acme.notes",
        "com.acme.other",
    }
    assert store.list_minutes("t1", start + 2 * MINUTE, start) == ()


def test_minutes_are_kept_as_long_as_the_log(store, clock):
    store.record_executions([at(0, expires_at=T0 + 500)])
    start = T0 // MINUTE * MINUTE
    assert len(store.list_minutes("t1", start, start + 1)) == 1
    clock.now = T0 + 500
    assert store.list_minutes("t1", start, start + 1) == ()


def test_the_days_usage_of_all_tenants_is_listed_page_by_page(store):
    tenants = [f"t{number}" for number in range(12)]
    store.record_executions([at(0, tenant_id=tenant) for tenant in tenants])
    store.record_executions([at(1, tenant_id="t3"), at(1, tenant_id="t3", version="2.0.0", suffix="1")])
    rows, cursor = [], None
    while True:
        page = store.list_usage_of_all("2026-11-18", cursor, 5)
        rows += page.items
        assert len(page.items) <= 5
        if (cursor := page.cursor) is None:
            break
    counts = sorted((row.tenant_id, row.version, row.invocations) for row in rows)
    expected = [(tenant, "1.0.0", 2 if tenant == "t3" else 1) for tenant in tenants] + [("t3", "2.0.0", 1)]
    assert counts == sorted(expected)
    assert store.list_usage_of_all("2026-11-19").items == ()
    assert sorted(rows, key=repr) == sorted(
        (u for t in tenants for u in store.list_usage(t, "2026-11-18", "2026-11-18")), key=repr
    )


def test_usage_adds_what_the_receipts_count(store):
    counted = {"kv_reads": 1, "kv_writes": 2, "log_bytes": 3, "egress_bytes": 4}
    store.record_executions([at(0, receipt=counted), at(1, receipt=counted)])
    (usage,) = store.list_usage("t1", "2026-11-18", "2026-11-18")
    assert replace(usage, invocations=0) == replace(
        usage, invocations=0, kv_reads=2, kv_writes=4, log_bytes=6, egress_bytes=8
    )
