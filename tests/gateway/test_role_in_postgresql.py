"""The gateway with its own role in PostgreSQL: all that it writes it may write (`oriel.store.sql.roles`)."""

import pytest
from msgspec.structs import replace

from oriel.store.queueing import following
from oriel.store.sql import SqlStore
from tests.support.dispatching import World
from tests.support.gateway import EXTENSION, bearer
from tests.support.postgres import APPLICATION, GATEWAY, migrated_database, shared_server

DAY_MS = 86_400_000


@pytest.fixture
def world(tmp_path):
    with migrated_database() as name:
        all_rights, own = shared_server().url(name, APPLICATION), shared_server().url(name, GATEWAY)
        made = World(
            tmp_path,
            opened=lambda clock: SqlStore.postgresql(all_rights, clock),
            wrap=lambda store: SqlStore.postgresql(own, store._clock),
        )
        yield made
        made.store.close()
        made.stored.close()


def test_events_schedules_and_what_follows_an_install_are_done_with_it(world):
    install = world.stored.get_install("acme", EXTENSION)
    work = following(install, install.version)
    world.stored.replace_install(replace(install, revision=install.revision + 1), then=work)
    world.settle()
    event = world.emit()
    world.settle()
    assert world.delivery(event).state == "delivered"
    (schedule,) = world.stored.list_schedules("acme").items
    world.pass_time(DAY_MS)
    world.settle()
    assert world.stored.list_runs("acme", schedule.schedule_id).items
    assert world.stored.list_subscriptions("acme")


def test_calls_are_metered_logged_and_repeated_with_it(world):
    headers = (("idempotency-key", "once"),)
    answers = [world.bench.call("GET", "/check", token=bearer("acme"), headers=headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    world.gateway.settle()
    assert world.stored.list_executions("acme").items
