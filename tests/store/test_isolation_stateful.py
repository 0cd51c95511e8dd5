"""Two tenants and random operations: neither can tell whether the other is there.

Each tenant's operations run twice: on a store that both share, and on one that the tenant has alone. Whatever an
operation answers, a refusal too, must be the same on both; so nothing of one tenant can be observed by the other.
Both use the same names for everything, one tenant's id begins with the other's, and the ids of installs begin like what
may follow a tenant's id in a key that is put together without care.
"""

import inspect
from contextlib import ExitStack
from typing import get_type_hints

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from msgspec import Struct
from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.quotas import Quotas
from oriel.store import Store, event_records, policy_records, records
from oriel.store.event_records import Work
from oriel.store.eventing import Settlement, Spread
from oriel.store.guests import GuestWrite
from oriel.store.policy_records import ApiKey, LeaseAsk, QuotaSetting, RepeatRecord
from oriel.store.records import AuditEntry, Execution, ExecutionFilter, StoredFixture, StoredSecret
from tests.store.conftest import BACKENDS, Backend
from tests.store.factory import (
    LATER,
    T0,
    delivery,
    event,
    install,
    key,
    publisher,
    run,
    schedule,
    subscription,
    version,
)

DAY = "2026-11-18"
TENANTS = ("a", "b")
EXAMPLES = {"sqlite": 15, "dynamodb": 3}  # PostgreSQL runs SQLite's statements, dynalite the slow moto's requests
EXECUTIONS = ("exe_1", "exe_2", "exe_3")
EXTENSIONS, VERSIONS = ("com.acme.notes", "com.acme.other"), ("1.0.0", "1.1.0")

extensions = st.sampled_from(EXTENSIONS)
versions = st.sampled_from(VERSIONS)
names = st.sampled_from(["name", "NAME", "name/", "é", "\x00"])
keys = st.sampled_from(["k", "k#", "k1", "é", "\x00"])
limits = st.sampled_from([1, 2, 100])
execution_ids = st.sampled_from(EXECUTIONS)
audit_ids = st.sampled_from(["aud_1", "aud_2", "aud_3"])
revisions = st.integers(1, 4)
event_ids = st.sampled_from(["evt_1", "evt_2"])
schedule_ids = st.sampled_from(["sch_1", "sch_10"])
due_times = st.sampled_from([T0, T0 + 5])


class Tenant:
    """A tenant in one example: its id, what it may call its installs, and the cursors that either tenant got."""

    def __init__(self, tenant_id, separator):
        self.id, self.cursors = tenant_id, st.none()
        self.known_ids = ("i", f"{separator}i", f"i{separator}i")
        self.install_ids = st.sampled_from(self.known_ids)


def an_install(draw, tenant):
    return install(
        tenant.id,
        draw(extensions),
        install_id=draw(tenant.install_ids),
        version=draw(versions),
        status=draw(st.sampled_from(["enabled", "disabled"])),
        config={"of": tenant.id},
        revision=draw(revisions),
    )


def a_secret(draw, tenant):
    return secret(draw(names), tenant_id=tenant.id, install_id=draw(tenant.install_ids))


def secret(name, tenant_id, install_id):
    where = {"tenant_id": tenant_id, "install_id": install_id, "name": name}
    return StoredSecret(**where, key_id="k", nonce=b"n", ciphertext=tenant_id.encode(), updated_at=T0)


def a_write(draw, tenant):
    expires_at = draw(st.sampled_from([None, T0 + 5, T0 + 50]))
    when = draw(st.sampled_from(["always", "absent", 1, 2]))
    return GuestWrite(key=draw(keys), value=tenant.id.encode(), text=False, when=when, expires_at=expires_at)


def writes(draw, tenant):
    return [a_write(draw, tenant) for _ in range(draw(st.integers(1, 3)))]


def an_execution(draw, tenant):
    return Execution(
        tenant_id=tenant.id,
        execution_id=draw(execution_ids),
        request_id="req_1",
        extension_id=draw(extensions),
        install_id=draw(tenant.install_ids),
        version=draw(versions),
        content_hash="sha256:aa",
        trigger="http",
        method="GET",
        path=f"/{tenant.id}",
        status=200,
        error_code=None,
        started_at=T0,
        receipt={"duration_ms": 1.0, "cpu_ms": 1.0, "peak_memory_bytes": 1_000_000, "egress_bytes": 1},
    )


def executions(draw, tenant):
    return [an_execution(draw, tenant) for _ in range(draw(st.integers(0, 3)))]


def an_entry(draw, tenant):
    return AuditEntry(
        tenant_id=tenant.id, audit_id=draw(audit_ids), at=T0, actor="ann", action="install", target=tenant.id
    )


def an_event(draw, tenant):
    lane = draw(st.sampled_from([None, "k", "k#"]))
    return event(draw(event_ids), tenant.id, key=lane, data={"of": tenant.id}, expires_at=T0 + 50)


def a_delivery(draw, tenant):
    state = draw(st.sampled_from(["pending", "dead"]))
    own = {"lane": draw(st.sampled_from([None, "k"])), "state": state, "expires_at": T0 + 50}
    return delivery(draw(event_ids), "s", tenant.id, install_id=draw(tenant.install_ids), **own)


def some_work(draw, tenant):
    kind, item_id = draw(st.sampled_from([("event", "evt_1"), ("delivery", "evt_1.s"), ("run", "sch_1.1")]))
    return Work(tenant_id=tenant.id, kind=kind, item_id=item_id, due_at=draw(due_times))


def a_spread(draw, tenant):
    work = Work(tenant_id=tenant.id, kind="event", item_id=draw(event_ids), due_at=draw(due_times))
    return Spread(work, [a_delivery(draw, tenant)])


def a_schedule(draw, tenant):
    own = {"install_id": draw(tenant.install_ids), "next_at": draw(st.none() | due_times), "name": draw(names)}
    return schedule(draw(schedule_ids), tenant.id, revision=draw(revisions), **own)


def a_run(draw, tenant, schedule_id):
    return run(draw(st.sampled_from(["1", "2"])), schedule_id, tenant.id, expires_at=LATER)


def a_start(draw, tenant):
    started = a_schedule(draw, tenant)
    return started, a_run(draw, tenant, started.schedule_id)


def a_page(draw, tenant):
    return draw(tenant.cursors), draw(limits)


def an_api_key(draw, tenant):
    return ApiKey(
        tenant_id=tenant.id,
        key_id=draw(keys),
        name=tenant.id,
        secret_hash="aa",
        permissions=("invoke:read",),
        created_by="ann",
        created_at=T0,
        expires_at=T0 + 5,
    )


def a_quota(draw, tenant):
    values = draw(st.sampled_from([{}, {"burst": 3}]))
    where = draw(st.just("") | extensions)
    return QuotaSetting(tenant_id=tenant.id, extension_id=where, values=values, updated_by=tenant.id, updated_at=T0)


def an_ask(draw):
    quotas = Quotas(requests_per_second=100, burst=5, concurrent=2, daily_invocations=20)
    tokens, places = draw(st.integers(0, 4)), draw(st.integers(0, 2))
    bucket = draw(st.just("") | extensions)
    return LeaseAsk(bucket=bucket, quotas=quotas, holder="gw", tokens=tokens, places=places, places_ms=5)


def a_repeat(draw, tenant):
    return RepeatRecord(
        tenant_id=tenant.id,
        install_id=draw(tenant.install_ids),
        key=draw(keys),
        fingerprint=tenant.id,
        claim=draw(execution_ids),
        created_at=T0,
        expires_at=T0 + draw(st.sampled_from([5, 50])),
    )


def a_fixture(draw, tenant):
    return StoredFixture(
        tenant_id=tenant.id,
        install_id=draw(tenant.install_ids),
        execution_id=draw(execution_ids),
        extension_id=draw(extensions),
        version=draw(versions),
        content_hash="sha256:aa",
        reason="asked",
        created_at=T0,
        expires_at=LATER,
        key_id="k",
        nonce=b"n",
        ciphertext=tenant.id.encode(),
    )


# every method of a store that takes a tenant, and how its arguments are drawn; an example is about one of the groups
INSTALLS = {
    "create_install": lambda draw, own: (an_install(draw, own),),
    "replace_install": lambda draw, own: (an_install(draw, own),),
    "get_install": lambda draw, own: (own.id, draw(extensions)),
    "list_installs": lambda draw, own: (own.id, *a_page(draw, own)),
    "delete_install": lambda draw, own: (own.id, draw(extensions)),
    "put_secret": lambda draw, own: (a_secret(draw, own),),
    "delete_secret": lambda draw, own: (own.id, draw(own.install_ids), draw(names)),
    "list_secrets": lambda draw, own: (own.id, draw(own.install_ids)),
    "resolve": lambda draw, own: (own.id, draw(extensions)),
}
GUESTS = {
    "create_install": INSTALLS["create_install"],
    "delete_install": INSTALLS["delete_install"],
    "guest_get": lambda draw, own: (own.id, draw(own.install_ids), draw(st.lists(keys, min_size=1, max_size=3))),
    "guest_put": lambda draw, own: (own.id, draw(own.install_ids), writes(draw, own)),
    "guest_delete": lambda draw, own: (own.id, draw(own.install_ids), draw(keys), draw(st.none() | revisions)),
    "guest_list": lambda draw, own: (own.id, draw(own.install_ids), draw(st.just("") | keys), *a_page(draw, own)),
}
filters = st.builds(
    ExecutionFilter, extension_id=st.none() | extensions, outcome=st.sampled_from([None, "succeeded", "failed"])
)
HISTORY = {
    "record_executions": lambda draw, own: (executions(draw, own),),
    "list_executions": lambda draw, own: (own.id, draw(filters), *a_page(draw, own)),
    "get_execution": lambda draw, own: (own.id, draw(execution_ids)),
    "list_usage": lambda draw, own: (own.id, DAY, DAY),
    "list_minutes": lambda draw, own: (own.id, T0 - 60_000, LATER, draw(st.none() | extensions)),
    "put_fixture": lambda draw, own: (a_fixture(draw, own),),
    "get_fixture": lambda draw, own: (own.id, draw(own.install_ids), draw(execution_ids)),
    "list_fixtures": lambda draw, own: (own.id, draw(own.install_ids), *a_page(draw, own)),
    "append_audit": lambda draw, own: (an_entry(draw, own),),
    "list_audit": lambda draw, own: (own.id, *a_page(draw, own)),
    "read_audit": lambda draw, own: (own.id, draw(st.integers(0, 3)), draw(limits)),
    "get_audit_head": lambda draw, own: (own.id,),
}
EVENTS = {
    "create_install": INSTALLS["create_install"],
    "delete_install": INSTALLS["delete_install"],
    "replace_subscriptions": lambda draw, own: (
        own.id,
        own.known_ids[0],
        [subscription("s", own.id, install_id=own.known_ids[0])] * draw(st.integers(0, 1)),
    ),
    "list_subscriptions": lambda _, own: (own.id,),
    "put_event": lambda draw, own: (an_event(draw, own), draw(st.sampled_from([1, 100]))),
    "get_event": lambda draw, own: (own.id, draw(event_ids)),
    "list_events": lambda draw, own: (own.id, *a_page(draw, own)),
    "put_deliveries": lambda draw, own: ([a_delivery(draw, own)],),
    "get_delivery": lambda draw, own: (own.id, f"{draw(event_ids)}.s"),
    "list_deliveries": lambda draw, own: (own.id, draw(event_ids)),
    "list_dead_letters": lambda draw, own: (own.id, *a_page(draw, own)),
    "get_events": lambda draw, own: (own.id, [draw(event_ids)]),
    "get_deliveries": lambda draw, own: (own.id, [f"{draw(event_ids)}.s"]),
    "spread_events": lambda draw, own: ([a_spread(draw, own)],),
    "settle_deliveries": lambda draw, own: (
        [Settlement(some_work(draw, own), a_delivery(draw, own), draw(st.none() | due_times))],
    ),
    "revive_deliveries": lambda draw, own: ([a_delivery(draw, own)], draw(st.none() | st.just(an_entry(draw, own)))),
    "claim_item": lambda draw, own: (own.id, "delivery", f"{draw(event_ids)}.s", draw(due_times)),
    "release_work": lambda draw, own: (some_work(draw, own), draw(st.none() | due_times)),
}
SCHEDULES = {
    "delete_install": INSTALLS["delete_install"],
    "create_schedule": lambda draw, own: (a_schedule(draw, own),),
    "replace_schedule": lambda draw, own: (a_schedule(draw, own),),
    "delete_schedule": lambda draw, own: (own.id, draw(schedule_ids)),
    "get_schedule": lambda draw, own: (own.id, draw(schedule_ids)),
    "list_schedules": lambda draw, own: (own.id, draw(st.none() | own.install_ids), *a_page(draw, own)),
    "start_run": a_start,
    "get_run": lambda draw, own: (own.id, f"{draw(schedule_ids)}.1"),
    "list_runs": lambda draw, own: (own.id, draw(schedule_ids), *a_page(draw, own)),
    "settle_run": lambda draw, own: (
        a_run(draw, own, draw(schedule_ids)),
        some_work(draw, own),
        draw(st.none() | due_times),
    ),
}
POLICY = {
    "create_install": INSTALLS["create_install"],
    "delete_install": INSTALLS["delete_install"],
    "put_secret": INSTALLS["put_secret"],
    "reseal_secret": lambda draw, own: (replace(a_secret(draw, own), key_id="k2"), a_secret(draw, own)),
    "create_api_key": lambda draw, own: (an_api_key(draw, own),),
    "get_api_key": lambda draw, own: (own.id, draw(keys)),
    "list_api_keys": lambda draw, own: (own.id, *a_page(draw, own)),
    "revoke_api_key": lambda draw, own: (own.id, draw(keys), T0),
    "put_quota": lambda draw, own: (a_quota(draw, own),),
    "list_quotas": lambda draw, own: (own.id,),
    "resolve": INSTALLS["resolve"],
    "take_leases": lambda draw, own: (own.id, [an_ask(draw)]),
    "claim_repeat": lambda draw, own: (a_repeat(draw, own),),
    "answer_repeat": lambda draw, own: (replace(a_repeat(draw, own), status=200, body=own.id.encode()),),
    "drop_repeat": lambda draw, own: (a_repeat(draw, own),),
}
GROUPS = (INSTALLS, GUESTS, HISTORY, EVENTS, SCHEDULES, POLICY)
LISTED = (
    "list_installs",
    "list_audit",
    "list_executions",
    "list_events",
    "list_schedules",
    "list_api_keys",
    "list_quotas",
)


class World:
    """A store that two tenants share and one for each alone, with the same extensions published."""

    def __init__(self, name, folder, closing):
        self.backends = {role: Backend(name, folder / role, closing) for role in ("shared", *TENANTS)}
        self.stores = {role: backend.open() for role, backend in self.backends.items()}
        self.examples = 0
        self.everywhere("put_publisher", publisher())
        self.everywhere("put_publisher_key", key())
        for extension_id in EXTENSIONS:
            for number in VERSIONS:
                self.everywhere("create_version", *version(number, extension_id))

    def everywhere(self, method, *arguments):
        return {role: answer(store, method, arguments) for role, store in self.stores.items()}


def answer(store, method, arguments):
    """What a call gives or how it is refused."""
    try:
        return getattr(store, method)(*arguments)
    except OrielError as refused:
        return refused.code, refused.detail


class TwoTenants(RuleBasedStateMachine):
    def __init__(self, world):
        super().__init__()
        self.world = world

    @initialize(separator=st.sampled_from("#:|/.~ \x00"), group=st.sampled_from(range(len(GROUPS))))
    def two_new_tenants(self, separator, group):
        self.world.examples += 1
        self.operations = GROUPS[group]
        stem = f"t{self.world.examples}{separator}"
        self.tenants = {"a": Tenant(stem, separator), "b": Tenant(f"{stem}i{separator}", separator)}
        for backend in self.world.backends.values():
            backend.clock.now = T0
        self.cursors = [None]
        for extension_id in EXTENSIONS:
            self.world.everywhere("set_version_status", extension_id, "1.0.0", "ready")
        for who, tenant in self.tenants.items():
            own = {"tenant_id": tenant.id, "install_id": tenant.known_ids[0]}
            self.compare(who, "create_install", (install(extension_id=EXTENSIONS[0], **own),))
            self.compare(who, "put_secret", (secret("name", **own),))
            first = GuestWrite(key="k", value=tenant.id.encode(), text=False)
            self.compare(who, "guest_put", (*own.values(), [first]))

    @rule(who=st.sampled_from(TENANTS), data=st.data())
    def operate(self, who, data):
        tenant = self.tenants[who]
        tenant.cursors = st.sampled_from(self.cursors)
        method = data.draw(st.sampled_from(sorted(self.operations)), who)
        self.compare(who, method, self.operations[method](data.draw, tenant))

    @rule(data=st.data())
    def record_executions_of_both_at_once(self, data):
        own = {who: executions(data.draw, self.tenants[who]) for who in TENANTS}
        self.world.stores["shared"].record_executions([*own["b"], *own["a"]])
        for who in TENANTS:
            self.world.stores[who].record_executions(own[who])

    @rule(extension_id=extensions, status=st.sampled_from(["ready", "deprecated", "yanked"]))
    def change_a_version(self, extension_id, status):
        self.world.everywhere("set_version_status", extension_id, "1.0.0", status)

    @rule(milliseconds=st.sampled_from([1, 10]))
    def wait_and_claim(self, milliseconds):
        for backend in self.world.backends.values():
            backend.clock.now += milliseconds
        until = self.world.backends["shared"].clock.now + 5
        claimed = self.world.everywhere("claim_work", until, 1_000)
        assert set(claimed["shared"]) == {*claimed["a"], *claimed["b"]}

    @rule(milliseconds=st.sampled_from([1, 10]))
    def wait_and_purge(self, milliseconds):
        for backend in self.world.backends.values():
            backend.clock.now += milliseconds
        purged = self.world.everywhere("purge_expired")
        assert purged["shared"] == purged["a"] + purged["b"]

    def teardown(self):
        for who, tenant in getattr(self, "tenants", {}).items():
            for method in LISTED:
                self.compare(who, method, (tenant.id,))
            self.compare(who, "list_usage", (tenant.id, DAY, DAY))
            for extension_id in EXTENSIONS:
                self.compare(who, "resolve", (tenant.id, extension_id))
            for execution_id in EXECUTIONS:
                self.compare(who, "get_execution", (tenant.id, execution_id))
            for install_id in tenant.known_ids:
                self.compare(who, "list_secrets", (tenant.id, install_id))
                self.compare(who, "guest_list", (tenant.id, install_id, "", None, 100))

    def compare(self, who, method, arguments):
        shared, alone = (answer(self.world.stores[role], method, arguments) for role in ("shared", who))
        assert shared == alone, f"{method}{arguments} tells tenant {who} of the other"
        if getattr(shared, "cursor", None) is not None:
            self.cursors.append(shared.cursor)  # for both: a cursor opens nothing


@pytest.mark.parametrize("name", BACKENDS)
def test_no_tenant_can_tell_whether_another_is_there(name, tmp_path):
    checked = settings(
        max_examples=EXAMPLES.get(name, 5),
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    with ExitStack() as closing:
        world = World(name, tmp_path, closing)
        run_state_machine_as_test(lambda: TwoTenants(world), settings=checked)


OF_THE_PLATFORM = (  # their audit entry may name a tenant, and nothing else of theirs
    *("put_publisher", "put_publisher_key", "create_version", "set_version_status", "create_rollout"),
    *("replace_rollout", "put_quarantine", "delete_quarantine", "put_data_key", "put_quota_defaults"),
)


def test_every_method_that_takes_a_tenant_is_among_the_operations():
    assert {name for name, method in inspect.getmembers(Store, inspect.isfunction) if is_about_a_tenant(method)} == {
        *(name for group in GROUPS for name in group),
        *OF_THE_PLATFORM,
    }


def is_about_a_tenant(method):
    hints = {name: hint for name, hint in get_type_hints(method, localns=vars(records)).items() if name != "return"}
    known = {**vars(records), **vars(event_records), **vars(policy_records), "Spread": Work, "Settlement": Work}
    mentioned = [kind for name, kind in known.items() if any(name in str(hint) for hint in hints.values())]
    kinds = [kind for kind in mentioned if isinstance(kind, type) and issubclass(kind, Struct)]
    return "tenant_id" in hints or any("tenant_id" in kind.__struct_fields__ for kind in kinds)
