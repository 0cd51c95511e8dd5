"""What follows an install: its subscriptions and schedules, in step with the version and the grants that it has.

Rules kept here:

- A changed install is written with the work of following it, in one transaction (`oriel.store.queueing.following`).
  Whoever changed it does that work at once. Where he is cut off, whoever does the work of the queue does it.
- The works of one install are a lane: they are done one by one, each by what the install is then. So the last one is
  right whatever came between, and repeating one changes nothing.
"""

from collections.abc import Callable
from typing import Protocol

from oriel.clock import now_ms
from oriel.published import Published
from oriel.scheduling import Scheduling
from oriel.store.event_records import Schedule, Subscription, Work
from oriel.store.eventing import EventStore
from oriel.store.queueing import Followed, firing
from oriel.store.records import Install, Version
from oriel.subscribing import subscriptions

LEASE_MS = 60_000


class FollowStore(EventStore, Protocol):
    """What is needed of the store."""

    def get_install(self, tenant_id: str, extension_id: str) -> Install | None: ...
    def get_version(self, extension_id: str, version: str) -> Version | None: ...


class Following:
    """Does that work. Safe to share between threads.

    Args:
        told: is told the work that a schedule is, and work that somebody else is to do.
    """

    def __init__(
        self,
        store: FollowStore,
        *,
        told: Callable[[Work], None] = lambda _: None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store, self._told, self._clock = store, told, clock
        self._scheduling = Scheduling(store, told=self._tell, clock=clock)

    def at_once(self, work: Work) -> None:
        """Do the work if it can be done now; leave it to the queue where an earlier one goes on.

        Raises:
            StoreUnavailable: it stays in the queue.
        """
        mine = self._store.claim_item(work.tenant_id, work.kind, work.item_id, self._clock() + LEASE_MS)
        if mine is None:
            self._told(work)
        else:
            self.follow(mine)

    def follow(self, work: Work) -> None:
        """Bring in step what `work` names, as the install is now."""
        followed = Followed.named(work)
        install = self._store.get_install(work.tenant_id, followed.extension_id)
        if install is not None and install.install_id == followed.install_id:
            self._bring_in_step(install, followed.before)
        self._store.release_work(work, None)

    def _bring_in_step(self, install: Install, before: str) -> None:
        manifest = self._manifest(install.extension_id, install.version)
        if manifest is None:
            return
        self._subscribe(install, manifest)
        earlier = manifest if before == install.version else self._manifest(install.extension_id, before)
        self._scheduling.follow(install, manifest, earlier)

    def _subscribe(self, install: Install, manifest: Published) -> None:
        """To what the install consented to, and to nothing else."""
        wanted = subscriptions(install, manifest, self._clock())
        all_there = self._store.list_subscriptions(install.tenant_id)
        there = [one for one in all_there if one.install_id == install.install_id]
        if sorted(wanted, key=_by_id) != there:
            self._store.replace_subscriptions(install.tenant_id, install.install_id, wanted)

    def _manifest(self, extension_id: str, version: str) -> Published | None:
        found = self._store.get_version(extension_id, version)
        return None if found is None else Published.read(found.manifest)

    def _tell(self, _tenant_id: str, _schedule_id: str, schedule: Schedule | None) -> None:
        work = None if schedule is None else firing(schedule)
        if work is not None:
            self._told(work)


def _by_id(subscription: Subscription) -> str:
    return subscription.subscription_id
