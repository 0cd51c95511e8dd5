"""A version brought to some tenants first, then to more, or back at once."""

import pytest
from msgspec.structs import replace

from oriel.errors import InvalidInput
from oriel.identity import Principal
from oriel.store import Conflict, StoreUnavailable
from oriel.store.records import Rollout
from registry.catalogue import Catalogue, bucket
from registry.consents import Consents
from registry.installs import Installs
from registry.rollouts import Rollouts
from registry.upgrades import Upgrades
from tests.registry.stage import NAME, OPERATOR, PUBLISHER, project
from tests.registry.test_installs import grants, refused
from tests.store.factory import T0

KV = {"name": "storage.kv", "purpose": "To remember."}
TENANTS = [f"tenant-{number}" for number in range(12)]


def admin(tenant):
    return Principal(subject="ada", tenant_id=tenant, roles=("admin",))


@pytest.fixture
def rollouts(stage):
    return Rollouts(stage.registry)


@pytest.fixture
def followers(stage):
    """Twelve tenants that follow ^1.0.0 at 1.0.0; then 1.1.0 is published."""
    stage.publish(project(capabilities=[KV]))
    for tenant in TENANTS:
        stage.installs.install(admin(tenant), NAME, "^1.0.0", (), None)
    stage.publish(project("1.1.0", capabilities=[KV]))
    return TENANTS


def runs(stage):
    return {tenant: stage.store.resolve(tenant, NAME).version.version for tenant in TENANTS}


def on(stage, version):
    return {tenant for tenant, running in runs(stage).items() if running == version}


def first(percent, version="1.1.0"):
    about = Rollout(
        extension_id=NAME, version=version, percent=1, status="active", started_by="", created_at=0, updated_at=0
    )
    return {tenant for tenant in TENANTS if bucket(about, tenant) < percent}


def test_the_tenants_are_chosen_by_a_stable_hash_spread_evenly_and_others_with_another_version():
    about = Rollout(
        extension_id=NAME, version="1.1.0", percent=1, status="active", started_by="", created_at=T0, updated_at=T0
    )
    many = [f"t{number}" for number in range(2_000)]
    chosen = {tenant for tenant in many if bucket(about, tenant) < 10}
    assert 150 < len(chosen) < 250
    assert chosen < {tenant for tenant in many if bucket(about, tenant) < 20}
    assert chosen != {tenant for tenant in many if bucket(replace(about, version="1.2.0"), tenant) < 10}


def test_a_rollout_moves_its_share_and_when_it_is_raised_the_others_too(stage, rollouts, followers):
    rollouts.start(PUBLISHER, NAME, "1.1.0", 40)
    assert on(stage, "1.1.0") == set()  # nothing moves in the request
    assert rollouts.step()
    assert on(stage, "1.1.0") == first(40)
    assert 0 < len(first(40)) < 12
    rollouts.change(PUBLISHER, NAME, "1.1.0", percent=100)
    assert rollouts.step()
    assert on(stage, "1.1.0") == set(TENANTS)
    done = rollouts.get(NAME, "1.1.0")
    assert (done.settled, done.followers, done.moved, done.waiting) == (True, 12, 12, 0)
    entry = stage.store.list_audit(TENANTS[0]).items[0]
    assert (entry.actor, entry.action, entry.after["version"]) == ("platform", "install.rollout", "1.1.0")


def test_a_decision_does_not_fail_because_the_worker_counts_meanwhile(stage, rollouts, followers, monkeypatch):
    rollouts.start(PUBLISHER, NAME, "1.1.0", 40)
    replace_rollout, counted = stage.store.replace_rollout, []

    def meanwhile(rollout, entry=None):
        if entry is not None and not counted:
            counted.append(rollouts.step())
        return replace_rollout(rollout, entry)

    monkeypatch.setattr(stage.store, "replace_rollout", meanwhile)
    back = rollouts.change(PUBLISHER, NAME, "1.1.0", status="rolled_back")
    assert (back.status, counted) == ("rolled_back", [True])


def test_of_two_decisions_at_once_the_second_is_told(stage, rollouts, followers, monkeypatch):
    rollouts.start(PUBLISHER, NAME, "1.1.0", 40)
    replace_rollout, decided = stage.store.replace_rollout, []

    def meanwhile(rollout, entry=None):
        if not decided:
            decided.append(True)
            rollouts.change(PUBLISHER, NAME, "1.1.0", status="paused")
        return replace_rollout(rollout, entry)

    monkeypatch.setattr(stage.store, "replace_rollout", meanwhile)
    with pytest.raises(Conflict):
        rollouts.change(PUBLISHER, NAME, "1.1.0", percent=60)
    assert rollouts.get(NAME, "1.1.0").status == "paused"


def test_it_is_never_lowered(rollouts, followers):
    rollouts.start(OPERATOR, NAME, "1.1.0", 40)
    with pytest.raises(InvalidInput, match="below 40"):
        rollouts.change(OPERATOR, NAME, "1.1.0", percent=30)


def test_a_paused_rollout_moves_nobody_until_it_is_resumed(stage, rollouts, followers):
    rollouts.start(OPERATOR, NAME, "1.1.0", 100)
    rollouts.change(OPERATOR, NAME, "1.1.0", status="paused")
    rollouts.step()
    assert on(stage, "1.1.0") == set()
    rollouts.change(OPERATOR, NAME, "1.1.0", status="active")
    rollouts.step()
    assert on(stage, "1.1.0") == set(TENANTS)


def test_rolled_back_every_install_that_it_moved_runs_the_version_before_at_once(stage, rollouts, followers):
    chosen = TENANTS[0]
    Upgrades(stage.registry).upgrade(admin(chosen), NAME, "1.1.0")  # by number
    rollouts.start(OPERATOR, NAME, "1.1.0", 100)
    rollouts.step()
    rollouts.change(OPERATOR, NAME, "1.1.0", status="rolled_back")
    assert on(stage, "1.0.0") == set(TENANTS) - {chosen}  # before the worker has done anything
    assert rollouts.step()
    install = stage.store.get_install(TENANTS[1], NAME)
    assert (install.version, install.follows, install.by_rollout) == ("1.0.0", "^1.0.0", False)
    assert on(stage, "1.0.0") == set(TENANTS) - {chosen}
    assert stage.store.list_audit(TENANTS[1]).items[0].action == "install.rollout-back"
    again = rollouts.change(OPERATOR, NAME, "1.1.0", status="active", percent=100)
    rollouts.step()
    assert (again.status, on(stage, "1.1.0")) == ("active", set(TENANTS))


def test_a_version_that_asks_for_more_or_whose_settings_do_not_fit_waits_for_the_administrator(
    stage, rollouts, followers
):
    strict = {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}
    more = [KV, {"name": "user.read", "purpose": "To greet."}]
    stage.publish(project("1.2.0", capabilities=more))
    stage.publish(project("1.3.0", capabilities=[KV], settings=strict))
    for version in ("1.2.0", "1.3.0"):
        rollouts.start(OPERATOR, NAME, version, 100)
        assert rollouts.step()
        assert (rollouts.get(NAME, version).waiting, on(stage, version)) == (12, set())
    Upgrades(stage.registry).upgrade(admin(TENANTS[0]), NAME, "1.2.0")
    assert on(stage, "1.2.0") == {TENANTS[0]}


def test_pinned_installs_other_ranges_and_higher_versions_are_left_alone(stage, rollouts, followers):
    upgrades = Upgrades(stage.registry)
    stage.publish(project("1.2.0", capabilities=[KV]))
    upgrades.upgrade(admin(TENANTS[0]), NAME, "1.0.0")
    upgrades.upgrade(admin(TENANTS[1]), NAME, "~1.0.0")
    upgrades.upgrade(admin(TENANTS[2]), NAME, "^1.2.0")
    rollouts.start(OPERATOR, NAME, "1.1.0", 100)
    rollouts.step()
    assert [runs(stage)[tenant] for tenant in TENANTS[:4]] == ["1.0.0", "1.0.0", "1.2.0", "1.1.0"]


def test_until_it_has_reached_all_a_version_is_not_the_latest_and_in_a_range_for_those_it_reached(
    stage, rollouts, followers
):
    rollouts.start(OPERATOR, NAME, "1.1.0", 40)
    catalogue = Catalogue(stage.registry)
    assert catalogue.latest(NAME).version == "1.0.0"
    chosen = {tenant for tenant in TENANTS if catalogue.choose(NAME, "^1.0.0", tenant).version == "1.1.0"}
    assert chosen == first(40)
    assert catalogue.choose(NAME, "1.1.0", TENANTS[0]).version == "1.1.0"
    rollouts.change(OPERATOR, NAME, "1.1.0", percent=100)
    assert catalogue.latest(NAME).version == "1.1.0"
    rollouts.change(OPERATOR, NAME, "1.1.0", status="rolled_back")
    assert catalogue.latest(NAME).version == "1.0.0"


def test_a_round_that_was_cut_off_is_carried_on(stage, rollouts, followers, monkeypatch):
    rollouts.start(OPERATOR, NAME, "1.1.0", 100)
    original, turns = Installs.replace, iter(range(5))

    def failing(*arguments):
        if next(turns, None) is None:
            raise StoreUnavailable
        return original(*arguments)

    monkeypatch.setattr(Installs, "replace", failing)
    with pytest.raises(StoreUnavailable):
        rollouts.step()
    monkeypatch.undo()
    assert (len(on(stage, "1.1.0")), rollouts.get(NAME, "1.1.0").settled) == (5, False)
    assert rollouts.step()
    assert on(stage, "1.1.0") == set(TENANTS)


def test_the_grants_of_an_install_that_is_moved_stay_and_no_more_come(stage, rollouts, followers):
    Consents(stage.registry).set_all(admin(TENANTS[0]), NAME, grants("storage.kv"))
    rollouts.start(OPERATOR, NAME, "1.1.0", 100)
    rollouts.step()
    held = [[grant.capability for grant in stage.store.get_install(t, NAME).grants] for t in TENANTS[:2]]
    assert held == [["storage.kv"], []]


def test_who_did_not_publish_a_version_does_not_roll_it_out(rollouts, followers):
    for somebody in (admin("tenant-0"), Principal(subject="bob", roles=("publisher",))):
        assert refused(rollouts.start, somebody, NAME, "1.1.0", 10).code == "forbidden"
    rollouts.start(PUBLISHER, NAME, "1.1.0", 10)
    assert refused(rollouts.start, PUBLISHER, NAME, "1.1.0", 20).code == "conflict"
    assert refused(rollouts.change, admin("tenant-0"), NAME, "1.1.0", status="paused").code == "forbidden"
    assert refused(rollouts.change, OPERATOR, NAME, "1.0.0", status="paused").code == "not_found"
