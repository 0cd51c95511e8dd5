"""What follows an install, under faults: nothing half-made stays, wherever a change was cut off."""

import contextlib

import pytest

from oriel.clock import now_ms
from oriel.following import LEASE_MS, Following
from oriel.identity import Principal
from oriel.store import StoreUnavailable
from oriel.store.sql import SqlStore
from registry.leaving import Leaving
from registry.schedules import Schedules
from registry.upgrades import Upgrades
from tests.registry.faults import Plan, faulty_stage
from tests.registry.stage import NAME
from tests.registry.test_happening import ALL, DIGEST, ORDERS, REFUNDS, release

FOLLOWED = {
    None: ([], []),
    "1.0.0": (["order.*"], [("digest", "0 8 * * *")]),
    "1.1.0": (["order.*", "refund.*"], [("digest", "0 9 * * *"), ("new", "0 8 * * *")]),
}
WRITES = {
    "claim_item",
    "create_install",
    "create_schedule",
    "release_work",
    "replace_install",
    "replace_schedule",
    "replace_subscriptions",
}


class Scene:
    """Tenants, each as good as a fresh one, whose changes fail at a chosen call of the store."""

    def __init__(self, folder):
        self.plan = Plan()
        self.stage = faulty_stage(folder, self.plan)
        self.stage.add_publisher()
        self.stage.publish(release())
        self.stage.publish(
            release("1.1.0", [ORDERS, REFUNDS], [{**DIGEST, "cron": "0 9 * * *"}, {**DIGEST, "name": "new"}])
        )
        self.tenants = (f"t{number}" for number in range(1_000))
        # who comes later, when the lease of whoever was cut off has ended
        self.later = SqlStore.sqlite(folder / "oriel.db", lambda: now_ms() + LEASE_MS)

    def admin(self):
        return Principal(subject="ada", tenant_id=next(self.tenants), roles=("admin",))

    def install(self, admin):
        self.stage.installs.install(admin, NAME, "1.0.0", ALL, None)

    def upgrade(self, admin):
        Upgrades(self.stage.registry).upgrade(admin, NAME, "1.1.0", ALL)

    def uninstall(self, admin):
        Leaving(self.stage.registry).uninstall(admin, NAME)

    def installed(self):
        """An administrator with the first version, and a schedule that the tenant has changed."""
        admin = self.admin()
        self.install(admin)
        book = Schedules(self.stage.registry)
        (digest,) = self.later.list_schedules(admin.tenant_id).items
        book.change(admin, digest.schedule_id, {"timezone": "Europe/Berlin"})
        return admin

    def disturbed(self, change, admin, at, before):
        self.plan.calls, self.plan.strike_at, self.plan.before = [], at, before
        with contextlib.suppress(StoreUnavailable):
            change(admin)
        self.plan.strike_at = -1
        return self.plan.calls

    def mend(self):
        following = Following(self.later)
        while taken := self.later.claim_work(now_ms() + 2 * LEASE_MS, 100):
            for work in taken:
                assert work.kind == "install"
                following.follow(work)

    def follows(self, admin):
        topics = [one.topic for one in self.later.list_subscriptions(admin.tenant_id)]
        schedules = self.later.list_schedules(admin.tenant_id).items
        return sorted(topics), sorted((one.name, one.cron) for one in schedules)

    def zone(self, admin):
        (digest,) = (one for one in self.later.list_schedules(admin.tenant_id).items if one.name == "digest")
        return digest.timezone

    def close(self):
        self.later.close()
        self.stage.close()


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    scene.plan.strike = lambda: (_ for _ in ()).throw(StoreUnavailable())
    yield scene
    scene.close()


def version_of(scene, admin):
    install = scene.later.get_install(admin.tenant_id, NAME)
    return None if install is None else install.version


@pytest.mark.parametrize("name", ["install", "upgrade", "uninstall"])
def test_a_change_that_is_cut_off_anywhere_is_made_whole_or_not_at_all(scene, name):
    change = getattr(scene, name)
    begin = scene.admin if name == "install" else scene.installed
    calls = scene.disturbed(change, begin(), -1, True)
    places = [(at, before) for at, call in enumerate(calls) if call in WRITES for before in (True, False)]
    assert len(places) >= 6
    for at, before in places:
        admin = begin()
        scene.disturbed(change, admin, at, before)
        scene.mend()
        assert scene.follows(admin) == FOLLOWED[version_of(scene, admin)], (calls[at], before)
        change(admin)  # the same request again
        scene.mend()
        assert scene.follows(admin) == FOLLOWED["1.1.0" if name == "upgrade" else "1.0.0"]
        assert scene.zone(admin) == ("UTC" if name == "install" else "Europe/Berlin")


def test_an_upgrade_that_was_cut_off_and_another_one_after_it_end_with_the_last(scene):
    admin = scene.installed()
    calls = scene.disturbed(scene.upgrade, scene.installed(), -1, True)
    scene.disturbed(scene.upgrade, admin, calls.index("replace_install"), False)
    assert scene.follows(admin) == FOLLOWED["1.0.0"]
    Upgrades(scene.stage.registry).rollback(admin, NAME)
    scene.mend()
    assert scene.follows(admin) == FOLLOWED["1.0.0"]
