"""Random events, faults and deaths: none is lost, none reaches another tenant, and what has a key keeps its order.

Two workers share one store. A step emits, lets a worker take and do something, or lets time pass; the store may fail at
any write, before or after it was carried out, a handler may fail, and a worker may die with work in its hands. At the
end the faults stop, and everything must have arrived.
"""

import json
import random
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from oriel.errors import OrielError
from oriel.store import StoreUnavailable
from tests.support.dispatching import LONGEST_MS, World
from tests.support.gateway import answer

TENANTS = ("a", "b")
WRITES = frozenset(
    {"put_event", "spread_events", "settle_deliveries", "release_work", "claim_work", "start_run", "settle_run"}
)
LEASE_MS = LONGEST_MS + 10_000


class Faulty:
    """A store that does not answer at some writes, before or after it has carried them out."""

    def __init__(self, store):
        self._store, self.faults = store, []

    def __getattr__(self, name):
        method = getattr(self._store, name)
        if name not in WRITES:
            return method

        def call(*arguments, **named):
            fault = self.faults.pop(0) if self.faults else None
            if fault == "before":
                raise StoreUnavailable
            result = method(*arguments, **named)
            if fault == "after":
                raise StoreUnavailable
            return result

        return call


class Happening(RuleBasedStateMachine):
    @initialize()
    def a_world(self):
        random.seed(0)
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), *TENANTS, wrap=Faulty, attempts=1_000)
        self.world.runner.reply = self.reply
        self.emitted, self.tried, self.told = {}, set(), []
        self.failing, self.numbers = 0, iter(range(10_000))

    def reply(self, asked):
        data = json.loads(asked.http.body())
        if self.failing:
            self.failing -= 1
            return answer(500)
        self.told.append((asked.context.tenant_id, data["id"], data.get("subject"), data["data"]["n"]))
        return answer(204)

    @rule(tenant=st.sampled_from(TENANTS), key=st.sampled_from([None, "k", "l"]))
    def emit(self, tenant, key):
        number = next(self.numbers)
        identity = {"id": str(number), "at": self.world.clock.now + number}
        self.tried.add((tenant, key, number))
        for _ in range(3):  # whoever emits and gets no answer emits again, with the same id
            with suppress(OrielError):
                event = self.world.emit(tenant=tenant, key=key, data={"n": number}, **identity)
                self.emitted[event.event_id] = (tenant, key, number)
                return

    @rule(faults=st.lists(st.sampled_from([None, "before", "after"]), max_size=6), failing=st.integers(0, 2))
    def trouble(self, faults, failing):
        self.world.store.faults += faults
        self.failing = failing

    @rule(limit=st.integers(1, 4), dies=st.booleans())
    def work(self, limit, dies):
        worker = self.world.another()
        with suppress(OrielError):
            taken = worker.claim(limit)
            for place, work in enumerate(taken):
                if dies and place == len(taken) - 1:
                    return  # with this in its hands
                with suppress(OrielError):
                    worker.do(work)

    @rule(milliseconds=st.sampled_from([100, 5_000, LEASE_MS]))
    def wait(self, milliseconds):
        self.world.pass_time(milliseconds)

    def teardown(self):
        if not hasattr(self, "world"):
            return
        self.world.store.faults, self.failing = [], 0
        for _ in range(200):
            if not self.world.dispatcher.run_pending():
                if not self.unfinished():
                    break
                self.world.pass_time(LEASE_MS)
        try:
            self.everything_arrived()
        finally:
            self.world.close()
            self.folder.cleanup()

    def unfinished(self):
        own = [self.world.stored.list_deliveries(tenant, event_id) for event_id, (tenant, *_) in self.emitted.items()]
        return any(not found or found[0].state == "pending" for found in own)

    def everything_arrived(self):
        told = {event_id: (tenant, key, number) for tenant, event_id, key, number in self.told}
        assert told.items() >= self.emitted.items()
        assert set(told.values()) <= self.tried  # what was stored without an answer to whoever emitted may come too
        for tenant in TENANTS:
            for key in ("k", "l"):
                firsts = list(dict.fromkeys(number for who, _, of, number in self.told if (who, of) == (tenant, key)))
                assert firsts == sorted(firsts), f"{tenant}'s events of '{key}' came in the order {firsts}"


def test_no_event_is_lost_and_none_reaches_another_tenant():
    checked = settings(
        max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    run_state_machine_as_test(Happening, settings=checked)
