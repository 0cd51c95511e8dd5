"""What is DynamoDB's own: requests and their number, lost answers, sizes, expiry, deletions that are cut off."""

import contextlib
import json
import subprocess
import sys
from unittest.mock import Mock

import pytest
from msgspec.structs import replace

from oriel.errors import InvalidInput, OrielError
from oriel.store import Conflict, StoreUnavailable, open_store
from oriel.store.cursors import encode_cursor
from oriel.store.dynamodb import DynamoStore, table
from oriel.store.dynamodb.items import to_item
from oriel.store.dynamodb.requests import Requests
from oriel.store.event_records import Work
from oriel.store.eventing import Settlement, Spread
from oriel.store.guests import GuestWrite
from oriel.store.queueing import following
from oriel.store.records import AuditEntry, ExecutionFilter
from tests.store.conftest import Clock
from tests.store.factory import (
    T0,
    delivery,
    event,
    install,
    key,
    publisher,
    run,
    schedule,
    subscription,
    upload,
    version,
)
from tests.store.test_fixtures import fixture
from tests.store.test_registry_records import NOTES, execution, secret
from tests.store.test_rollouts import ROLLOUT
from tests.support.aws import CREDENTIALS, REGION, dynamodb_client, new_table, open_dynamodb, target
from tests.support.flaky import Flaky, lost, refused
from tests.support.moto_dynamodb import Snapshot, items

THROTTLED = refused("ProvisionedThroughputExceededException")
CONFLICTING = refused("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])


class Site:
    """One table, a client that fails as planned, and a store on it that does not wait between attempts."""

    def __init__(self):
        self.table, self.clock = new_table(), Clock()
        self.client = Flaky(dynamodb_client())
        self.store = self.new_store()

    def new_store(self):
        return DynamoStore(Requests(self.client, self.table, sleep=lambda _: None), self.clock)

    def publish(self):
        self.store.put_publisher(publisher())
        self.store.put_publisher_key(key())
        self.store.create_version(*version())

    def sends(self, use):
        self.client.sent.clear()
        use()
        return self.client.operations

    def rows(self):
        """Every item of the table."""
        return items(REGION, self.table)


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def published(site):
    site.publish()
    site.store.create_install(install())
    site.store.put_secret(secret())
    return site


def put(key="a", value=b"v", **fields):
    return GuestWrite(key=key, value=value, text=False, **fields)


def test_a_request_is_resolved_in_two_requests(published):
    assert published.sends(lambda: published.store.resolve("t1", "com.acme.notes")) == ["query", "batch_get_item"]
    assert published.sends(lambda: published.store.resolve("t2", "com.acme.notes")) == ["query"]


@pytest.mark.parametrize(("when", "expected"), [("always", 1), ("absent", 1), (1, 2)])
def test_one_guest_write_is_one_request(site, when, expected):
    if when == 1:
        site.store.guest_put("t1", "i1", [put()])
    found = []
    sent = site.sends(lambda: found.extend(site.store.guest_put("t1", "i1", [put(when=when)])))
    assert (len(sent), found) == (1, [expected])


def test_a_batch_of_executions_is_one_transaction_and_as_many_as_it_needs(site):
    entries = [execution(f"exe_{number:03}") for number in range(70)]
    assert site.sends(lambda: site.store.record_executions(entries)) == ["transact_write_items"] * 5
    assert site.store.list_usage("t1", "2000-01-01", "2999-12-31")[0].invocations == 70


def test_a_page_of_a_rare_kind_ends_after_a_bounded_number_of_reads(site, monkeypatch):
    monkeypatch.setattr("oriel.store.dynamodb.executions.READ_AT_ONCE", 3)
    monkeypatch.setattr("oriel.store.dynamodb.executions.READS_A_PAGE", 2)
    site.store.record_executions([execution("exe_00", error_code="x"), *(execution(f"exe_{n}") for n in range(10, 20))])
    failed, pages = ExecutionFilter(outcome="failed"), []
    assert site.sends(lambda: pages.append(site.store.list_executions("t1", failed, limit=2))) == ["query", "query"]
    while pages[-1].cursor:
        pages.append(site.store.list_executions("t1", failed, pages[-1].cursor, limit=2))
    assert [len(page.items) for page in pages] == [0, 1]


def every_method(store):
    """Each method of the Protocol, with arguments that find something where there is something."""
    entry = AuditEntry(tenant_id="t1", audit_id="aud_1", at=T0, actor="a", action="b", target="c")
    return {
        "get_publisher": lambda: store.get_publisher("acme"),
        "list_publishers": store.list_publishers,
        "list_publisher_keys": lambda: store.list_publisher_keys("acme"),
        "get_upload": lambda: store.get_upload("upl_1"),
        "find_upload": lambda: store.find_upload("ann", "sha256:aa"),
        "pending_uploads": store.pending_uploads,
        "get_extension": lambda: store.get_extension("com.acme.notes"),
        "list_extensions": store.list_extensions,
        "get_version": lambda: store.get_version("com.acme.notes", "1.0.0"),
        "list_versions": lambda: store.list_versions("com.acme.notes"),
        "get_bundle": lambda: store.get_bundle(version()[1].content_hash),
        "get_install": lambda: store.get_install("t1", "com.acme.notes"),
        "list_installs": lambda: store.list_installs("t1"),
        "list_secrets": lambda: store.list_secrets("t1", install().install_id),
        "resolve": lambda: store.resolve("t1", "com.acme.notes"),
        "get_quarantine": lambda: store.get_quarantine("sha256:aa"),
        "list_quarantine": store.list_quarantine,
        "list_audit": lambda: store.list_audit("t1"),
        "read_audit": lambda: store.read_audit("t1"),
        "get_audit_head": lambda: store.get_audit_head("t1"),
        "list_audit_heads": store.list_audit_heads,
        "due_deletions": store.due_deletions,
        "list_followers": lambda: store.list_followers("com.acme.notes"),
        "get_rollout": lambda: store.get_rollout("com.acme.notes", "1.0.0"),
        "list_rollouts": lambda: store.list_rollouts("com.acme.notes"),
        "pending_rollouts": store.pending_rollouts,
        "list_executions": lambda: store.list_executions("t1", NOTES),
        "get_execution": lambda: store.get_execution("t1", "exe_1"),
        "list_usage": lambda: store.list_usage("t1", "2026-01-01", "2026-12-31"),
        "list_usage_of_all": lambda: store.list_usage_of_all("2026-11-18"),
        "put_fixture": lambda: store.put_fixture(fixture()),
        "get_fixture": lambda: store.get_fixture("t1", install().install_id, "exe_1"),
        "list_fixtures": lambda: store.list_fixtures("t1", install().install_id),
        "list_minutes": lambda: store.list_minutes("t1", T0 - 60_000, T0 + 1),
        "guest_get": lambda: store.guest_get("t1", install().install_id, ["a"]),
        "guest_list": lambda: store.guest_list("t1", install().install_id, "", None, 10),
        "ping": store.ping,
        "put_publisher": lambda: store.put_publisher(publisher()),
        "put_publisher_key": lambda: store.put_publisher_key(key()),
        "create_upload": lambda: store.create_upload(upload("upl_2")),
        "replace_upload": lambda: store.replace_upload(upload(state="uploaded", revision=2)),
        "create_version": lambda: store.create_version(*version("2.0.0")),
        "set_version_status": lambda: store.set_version_status("com.acme.notes", "1.0.0", "deprecated"),
        "create_install": lambda: store.create_install(install("t2"), None, following(install("t2"), "1.0.0")),
        "replace_install": lambda: store.replace_install(
            install(status="disabled", revision=2), None, following(install(revision=2), "1.0.0")
        ),
        "put_secret": lambda: store.put_secret(secret("other")),
        "delete_secret": lambda: store.delete_secret("t1", install().install_id, "token"),
        "append_audit": lambda: store.append_audit(entry),
        "create_rollout": lambda: store.create_rollout(replace(ROLLOUT, version="1.0.0")),
        "claim": lambda: store.claim("a", "b", T0 + 1),
        "release": lambda: store.release("c", "b"),
        "record_executions": lambda: store.record_executions([execution("exe_2")]),
        "guest_put_one": lambda: store.guest_put("t1", install().install_id, [put("b", when="absent")]),
        "guest_put_two": lambda: store.guest_put("t1", install().install_id, [put("c"), put("d", when="absent")]),
        "guest_replace": lambda: store.guest_put("t1", install().install_id, [put(when=1)]),
        "guest_delete": lambda: store.guest_delete("t1", install().install_id, "a"),
        **events_and_schedules(store),
        "delete_install": lambda: store.delete_install("t1", "com.acme.notes"),
    }


def events_and_schedules(store):
    work = Work(tenant_id="t1", kind="delivery", item_id="evt_1.s1", due_at=T0)
    own = AuditEntry(tenant_id="t1", audit_id="aud_9", at=T0, actor="ann", action="test", target="it")
    return {
        "replace_subscriptions": lambda: store.replace_subscriptions("t1", install().install_id, [subscription()]),
        "list_subscriptions": lambda: store.list_subscriptions("t1"),
        "put_event": lambda: store.put_event(event("evt_2", key="k"), 10),
        "get_event": lambda: store.get_event("t1", "evt_1"),
        "list_events": lambda: store.list_events("t1"),
        "put_deliveries": lambda: store.put_deliveries([delivery("evt_2"), delivery()], own),
        "spread_events": lambda: store.spread_events(
            [Spread(replace(work, kind="event", item_id="evt_1", lane="event:k"), [delivery("evt_1", "s2")])]
        ),
        "get_events": lambda: store.get_events("t1", ["evt_1", "evt_9"]),
        "get_deliveries": lambda: store.get_deliveries("t1", ["evt_1.s1", "evt_9.s1"]),
        "get_delivery": lambda: store.get_delivery("t1", "evt_1.s1"),
        "list_deliveries": lambda: store.list_deliveries("t1", "evt_1"),
        "list_dead_letters": lambda: store.list_dead_letters("t1"),
        "settle_deliveries": lambda: store.settle_deliveries([Settlement(work, delivery(state="dead"), None)]),
        "revive_deliveries": lambda: store.revive_deliveries([delivery("evt_0"), delivery()], own),
        "create_schedule": lambda: store.create_schedule(schedule("sch_2")),
        "replace_schedule": lambda: store.replace_schedule(schedule(name="new", revision=3)),
        "get_schedule": lambda: store.get_schedule("t1", "sch_1"),
        "list_schedules": lambda: store.list_schedules("t1", install().install_id),
        "start_run": lambda: store.start_run(schedule("sch_3", revision=2), run("1", "sch_3")),
        "get_run": lambda: store.get_run("t1", "sch_1.1"),
        "list_runs": lambda: store.list_runs("t1", "sch_1"),
        "claim_item": lambda: store.claim_item("t1", "event", "evt_1", T0 + 5),
        "claim_work": lambda: store.claim_work(T0 + 5),
        "release_work": lambda: store.release_work(replace(work, kind="run", item_id="sch_1.1"), None),
        "settle_run": lambda: store.settle_run(run(), replace(work, kind="run", item_id="sch_1.1"), None),
        "delete_schedule": lambda: store.delete_schedule("t1", "sch_3"),
    }


def filled(site):
    site.publish()
    site.store.create_install(install())
    site.store.put_secret(secret())
    site.store.create_upload(upload())
    site.store.record_executions([execution()])
    site.store.guest_put("t1", install().install_id, [put()])
    site.store.put_event(event(key="k"), 10)
    site.store.put_deliveries([delivery(), delivery("evt_0", state="dead")])
    for schedule_id in ("sch_1", "sch_3"):
        site.store.create_schedule(schedule(schedule_id))
    site.store.start_run(schedule(revision=2), run())
    return site


class Refilled:
    """A site that begins with the same rows again and again."""

    def __init__(self):
        self._filled = filled(Site())
        self._rows = Snapshot(REGION, self._filled.table)

    def site(self, *plan):
        """With the plan for its requests."""
        self._rows.put(self._filled.table)
        self._filled.client = Flaky(dynamodb_client(), *plan)
        self._filled.store = self._filled.new_store()
        return self._filled


@pytest.fixture(scope="module")
def refilled():
    return Refilled()


METHODS = sorted(every_method(Mock()))


def test_no_method_scans_and_every_read_is_strongly_consistent(site):
    filled(site)
    for name, use in every_method(site.store).items():
        for operation, asked in (site.sends(use), list(site.client.sent))[1]:
            assert operation != "scan", name
            if operation in {"get_item", "query"}:
                assert asked["ConsistentRead"] is True, name
            if operation == "batch_get_item":
                assert all(part["ConsistentRead"] for part in asked["RequestItems"].values()), name
            assert "IndexName" not in asked, name


@pytest.mark.parametrize("name", METHODS)
def test_every_method_survives_throttling_and_a_lost_answer_at_each_of_its_requests(refilled, name):
    """The same call, undisturbed and disturbed at one request after another: the same answer and the same table."""
    quiet = refilled.site()
    wanted = every_method(quiet.store)[name]()
    requests, after = len(quiet.client.sent), contents(quiet)
    plans = [[None] * at + [fault] for at in range(requests) for fault in (("before", lost()), ("after", lost()))]
    # What is throttled has no effect at all: so all requests of a call can be, each at its first attempt.
    for plan in ([("before", THROTTLED), None] * requests, *plans):
        site = refilled.site(*plan)
        assert every_method(site.store)[name]() == wanted, plan
        assert contents(site) == after, plan
        assert not site.client.plan  # every fault of it struck


def contents(site):
    return sorted(json.dumps(row, sort_keys=True, default=repr) for row in site.rows())


@pytest.mark.parametrize("name", METHODS)
def test_a_table_that_never_answers_is_unavailable_after_a_bounded_number_of_attempts(refilled, name):
    site = refilled.site(*[("before", CONFLICTING if "put" in name else THROTTLED)] * 100)
    with pytest.raises(StoreUnavailable):
        every_method(site.store)[name]()
    assert len(site.client.sent) <= 6


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException"])
def test_what_the_service_refuses_is_unavailable_and_says_why(site, code):
    site.client.plan = [("before", refused(code))]
    with pytest.raises(StoreUnavailable, match=code):
        site.store.ping()


def test_a_fault_of_ours_is_not_dressed_up_as_an_outage(site):
    site.client.plan = [("before", refused("ValidationException"))]
    with pytest.raises(Exception, match="ValidationException") as raised:
        site.store.ping()
    assert not isinstance(raised.value, OrielError)


def test_a_table_that_is_not_there_and_an_address_where_nobody_listens_are_unavailable(site):
    with pytest.raises(StoreUnavailable):
        open_dynamodb("oriel-no-such-table", site.clock).ping()
    dead = DynamoStore.at(replace(target(site.table), endpoint="http://127.0.0.1:9"), CREDENTIALS)
    with pytest.raises(StoreUnavailable):
        dead.ping()


def test_a_condition_that_fails_after_a_lost_answer_is_a_conflict_where_another_wrote(site):
    site.client.plan = [("before", lost())]
    site.client._client.put_item(
        TableName=site.table,
        Item=to_item(table.guest_record("t1", "i1", "a"), execution(), revision={"N": "1"}, value={"B": b"theirs"}),
    )
    with pytest.raises(Conflict):
        site.store.guest_put("t1", "i1", [put(when="absent")])


def test_batches_that_meet_other_writers_are_judged_again_by_what_is_there_then(site):
    """Another writer comes between the reading and the writing, each time but the last."""
    other = open_dynamodb(site.table, site.clock)
    original, turns = site.client._client.transact_write_items, iter(range(3))

    def interrupted(**asked):
        if next(turns, None) is not None:
            other.guest_put("t1", "i1", [put()])
        return original(**asked)

    site.client.transact_write_items = interrupted
    assert site.store.guest_put("t1", "i1", [put(), put("b")]) == (4, 1)


def test_a_key_written_twice_in_a_batch_counts_twice(site):
    writes = [put(value=b"1", when="absent"), put("b"), put(value=b"2", when=1)]
    assert site.store.guest_put("t1", "i1", writes) == (1, 1, 2)
    assert site.store.guest_get("t1", "i1", ["a"])[0].value == b"2"


def test_a_tenants_rows_have_the_tenant_first_in_their_partition(site):
    filled(site)
    site.store.append_audit(AuditEntry(tenant_id="t1", audit_id="aud_1", at=T0, actor="a", action="b", target="c"))
    platforms = (table.SEALED, "due#")  # lists of ids, times and what is sealed
    of_tenant = [row for row in site.rows() if "tenant_id" in row and not row["pk"]["S"].startswith(platforms)]
    assert len(of_tenant) >= 7
    assert [row for row in of_tenant if not row["pk"]["S"].startswith("tenant#t1#")] == []


def test_no_two_names_make_one_key():
    hostile = ["a", "a#b", "a%23b", "a%", "%", "#", "a#", "a%2", "x" * 300, "x" * 301]
    keys = [table.joined("tenant", one, other) for one in hostile for other in hostile]
    assert len(set(keys)) == len(hostile) ** 2
    assert max(len(key) for key in keys) < 2_048


@pytest.mark.parametrize("cursor", [encode_cursor(b"x" * 1_025), encode_cursor(b"\xff"), "tenant#t2", ""])
def test_a_cursor_that_cannot_be_is_malformed_on_every_listing(site, cursor):
    for listing in (site.store.list_publishers, site.store.list_extensions, site.store.list_quarantine):
        with pytest.raises(OrielError, match="cursor"):
            listing(cursor)
    for listing in (site.store.list_installs, site.store.list_executions, site.store.list_audit):
        with pytest.raises(OrielError, match="cursor"):
            listing("t1", cursor=cursor)


def test_a_cursor_of_another_tenant_shows_nothing_of_it(site):
    site.publish()
    for tenant in ("t1", "t2"):
        for number in range(3):
            site.store.record_executions([execution(f"exe_{tenant}_{number}", tenant)])
            site.store.guest_put(tenant, "i1", [put(f"{tenant}-{number}")])
    stolen = site.store.list_executions("t2", limit=1).cursor
    assert {item.tenant_id for item in site.store.list_executions("t1", cursor=stolen).items} == {"t1"}
    stolen = site.store.guest_list("t2", "i1", "", None, 1).cursor
    assert site.store.guest_list("t1", "i1", "", stolen, 10).items == ()


def test_a_cursor_outside_the_prefix_neither_fails_nor_leaves_it(site):
    site.store.guest_put("t1", "i1", [put(name) for name in ("a1", "b1", "b2", "c1")])
    before, after = encode_cursor(b"a1"), encode_cursor(b"c0")
    assert [item.key for item in site.store.guest_list("t1", "i1", "b", before, 10).items] == ["b1", "b2"]
    assert site.store.guest_list("t1", "i1", "b", after, 10).items == ()


@pytest.mark.parametrize("name", ["", "x" * 1_025, "é" * 600])
def test_a_name_that_no_key_can_hold_is_not_there(site, name):
    assert site.store.get_publisher(name) is site.store.get_upload(name) is site.store.get_extension(name) is None
    assert site.store.get_execution("t1", name) is site.store.get_version(name, name) is None
    assert site.store.guest_get("t1", "i1", ["x" * 1_025]) == ()


def test_a_record_that_is_too_large_is_refused_with_its_size_before_it_is_sent(site):
    with pytest.raises(OrielError, match="DynamoDB keeps 409,600") as refusal:
        site.store.guest_put("t1", "i1", [put(value=bytes(410_000))])
    assert (refusal.value.code, site.client.sent) == ("invalid_input", [])


def test_a_batch_that_is_too_large_for_a_transaction_is_refused_with_its_size(site):
    writes = [put(f"k{number}", bytes(256 * 1024)) for number in range(17)]
    with pytest.raises(OrielError, match="4,194,304") as refusal:
        site.store.guest_put("t1", "i1", writes)
    assert refusal.value.code == "invalid_input"
    assert len(site.store.guest_put("t1", "i1", writes[:15])) == 15


def test_the_largest_manifest_and_the_longest_log_fit_and_come_back(site):
    site.store.put_publisher(publisher())
    manifest = {"text": "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(80_000))}
    site.store.create_version(*version(manifest=manifest))
    assert site.store.get_version("com.acme.notes", "1.0.0").manifest == manifest
    logs = tuple({"level": "info", "message": "\x01" * 1_000} for _ in range(64))
    site.store.record_executions([execution(f"exe_{number}", logs=logs) for number in range(40)])
    assert site.store.get_execution("t1", "exe_39").logs == logs


def test_what_dynamodb_has_not_yet_deleted_does_not_show(site):
    site.store.guest_put("t1", "i1", [put(expires_at=T0 + 1), put("b")])
    site.clock.now += 1
    row = next(row for row in site.rows() if row["pk"]["S"].startswith("tenant#t1#guest") and "ttl" in row)
    assert int(row["ttl"]["N"]) == T0 // 1000 + 1
    assert [item.key for item in site.store.guest_list("t1", "i1", "", None, 10).items] == ["b"]


def test_a_record_loses_its_expiry_when_it_is_written_without_one(site):
    site.store.guest_put("t1", "i1", [put(expires_at=T0 + 1_000)])
    site.store.guest_put("t1", "i1", [put()])
    site.clock.now += 10_000
    assert site.store.guest_get("t1", "i1", ["a"])[0].revision == 2
    assert not any("ttl" in row for row in site.rows())


def test_a_session_is_forgotten_after_thirty_days_unless_it_waits_for_the_publisher(site):
    site.store.create_upload(upload("upl_1"))
    site.store.create_upload(upload("upl_2", state="uploaded", content_hash="sha256:bb"))
    site.clock.now += 31 * 24 * 3600 * 1000
    assert site.store.get_upload("upl_1") is site.store.find_upload("ann", "sha256:aa") is None
    assert site.store.get_upload("upl_2") is not None
    assert [item.upload_id for item in site.store.pending_uploads()] == ["upl_2"]
    assert sorted(row["sk"]["S"] for row in site.rows() if "ttl" in row) == ["upl_1", "upload"]


def test_a_deletion_that_is_cut_off_leaves_the_install_and_is_carried_on(published):
    store = published.store
    store.guest_put("t1", install().install_id, [put(f"k{number}") for number in range(50)])
    published.client.plan = [None] * 10 + [("before", lost())] * 6
    with pytest.raises(StoreUnavailable):
        store.delete_install("t1", "com.acme.notes")
    published.client.plan = []
    assert store.get_install("t1", "com.acme.notes").erased
    counts = store.delete_install("t1", "com.acme.notes")
    assert (counts["secrets"], counts["records"]) == (1, 50)
    assert store.delete_install("t1", "com.acme.notes") is None
    assert not [row for row in published.rows() if "tenant" in row["pk"]["S"] or row["pk"]["S"] == "deletions"]


def test_a_batch_that_dynamodb_answers_in_pieces_is_read_and_deleted_whole(site):
    site.store.guest_put("t1", "i1", [put(f"k{number}") for number in range(5)])
    original = site.client._client.batch_get_item

    def piecemeal(RequestItems):  # noqa: N803 - the client's own name
        ((name, asked),) = RequestItems.items()
        answer = original(RequestItems={name: {**asked, "Keys": asked["Keys"][:2]}})
        rest = asked["Keys"][2:]
        return answer | {"UnprocessedKeys": {name: {**asked, "Keys": rest}} if rest else {}}

    site.client.batch_get_item = piecemeal
    assert len(site.store.guest_get("t1", "i1", [f"k{number}" for number in range(5)])) == 5


def test_the_table_is_what_the_template_takes(site):
    described = dynamodb_client().describe_table(TableName=site.table)["Table"]
    assert described["KeySchema"] == table.PROPERTIES["KeySchema"]
    assert not described.get("GlobalSecondaryIndexes")
    ttl = dynamodb_client().describe_time_to_live(TableName=site.table)["TimeToLiveDescription"]
    assert (ttl["AttributeName"], ttl["TimeToLiveStatus"]) == ("ttl", "ENABLED")


@pytest.mark.parametrize("rest", ["", "?region=x", "t?region=", "t?regoin=x", "t?region=a&region=b"])
def test_a_url_that_is_not_of_the_form_is_refused_with_the_form(rest):
    with pytest.raises(InvalidInput, match=r"dynamodb:TABLE\[\?region"):
        open_store(f"dynamodb:{rest}")


def test_a_store_is_opened_by_its_url(site):
    found = open_store(f"dynamodb:{site.table}?region=eu-central-1&endpoint={target('x').endpoint}")
    with contextlib.closing(found):
        assert isinstance(found, DynamoStore)


def test_botocore_is_not_imported_before_a_store_is_opened():
    code = (
        "import sys; import oriel.store, oriel.blobs, oriel.store.dynamodb.table, oriel.store.dynamodb, oriel.blobs.s3;"
        "sys.exit('botocore' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
