"""A version brought to the tenants that follow a range: to some of them first, then to more, or back.

Rules kept here:

- A rollout is of one version, begun by its publisher or an operator. It reaches the tenants whose bucket, a stable hash
  of version and tenant, lies below its percentage. It is raised, never lowered: who has the version keeps it.
- It moves installs that follow a range with the version in it and have a lower one. An install that would need
  somebody's decision waits for its administrator; one that is pinned is none of its business.
- Paused, it moves nobody. Rolled back, every install that it moved runs the version before at once: that is one write
  (`Store.resolve`). The worker then brings the installs' records back one by one.
- What an administrator chose by number is not undone.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

from msgspec.structs import replace

from oriel.errors import Finding, InvalidInput, OrielError
from oriel.identity import Principal
from oriel.store.errors import Conflict
from oriel.store.records import Install, Rollout
from oriel.versions import VersionRange, precedence
from registry.auditing import entry_for
from registry.catalogue import Catalogue, bucket
from registry.core import Registry, principal_id
from registry.upgrades import Upgrades

PAGE = 100
ATTEMPTS = 10
ACTIONS = {"active": "raise", "paused": "pause", "rolled_back": "roll-back"}

Status: TypeAlias = Literal["active", "paused", "rolled_back"]

_log = logging.getLogger(__name__)


class Rollouts:
    """The rollouts of all extensions."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._store = registry, registry.store
        self._catalogue, self._upgrades = Catalogue(registry), Upgrades(registry)

    def list(self, extension_id: str) -> tuple[Rollout, ...]:
        return self._store.list_rollouts(self._catalogue.extension(extension_id).extension_id)

    def get(self, extension_id: str, version: str) -> Rollout:
        """`OrielError` `not_found`."""
        found = self._store.get_rollout(extension_id, version)
        if found is None:
            raise OrielError("not_found", f"{extension_id} {version} is not being rolled out.")
        return found

    def start(self, principal: Principal, extension_id: str, version: str, percent: int) -> Rollout:
        """Begin to bring a version to tenants.

        Raises:
            OrielError: `forbidden`; `not_found`; `conflict`, where it is rolled out already; `version_yanked`.
        """
        wanted = self._catalogue.kept_by(principal, extension_id, version)
        if wanted.status == "yanked":
            raise OrielError("version_yanked", f"{extension_id} {wanted.version} was withdrawn.")
        now = self._registry.now()
        rollout = Rollout(
            extension_id=extension_id,
            version=wanted.version,
            percent=percent,
            status="active",
            started_by=principal_id(principal),
            created_at=now,
            updated_at=now,
        )
        entry = entry_for(self._registry, principal, "rollout.start", _target(rollout), after=rollout)
        self._store.create_rollout(rollout, entry)
        return rollout

    def change(
        self,
        principal: Principal,
        extension_id: str,
        version: str,
        *,
        percent: int | None = None,
        status: Status | None = None,
    ) -> Rollout:
        """Raise, pause, resume or roll back. One that was rolled back is begun again with `active` and a percentage.

        Raises:
            OrielError: `forbidden`; `not_found`; `conflict`, where it changed meanwhile.
            InvalidInput: `invalid_input`, where the percentage is lowered.
        """
        self._catalogue.kept_by(principal, extension_id, version)
        before = self.get(extension_id, version)
        for _ in range(ATTEMPTS):
            after = _decided(before, before.percent if percent is None else percent, status or before.status)
            if after == before:
                return before
            after = replace(after, updated_at=self._registry.now())
            action = f"rollout.{ACTIONS[after.status]}"
            entry = entry_for(self._registry, principal, action, _target(after), before=before, after=after)
            try:
                self._store.replace_rollout(after, entry)
            except Conflict:
                found = self.get(extension_id, version)
                if (found.percent, found.status) != (before.percent, before.status):
                    raise
                before = found  # the worker counted meanwhile, which decides nothing
            else:
                return after
        raise Conflict(f"{_target(before)} changes all the time.")

    def step(self) -> bool:
        """Move what the rollouts say; whether everything is where it belongs."""
        outcomes = [self._carry_out(rollout) for rollout in self._store.pending_rollouts()]
        return all(outcomes)

    def _carry_out(self, rollout: Rollout) -> bool:
        back = rollout.status == "rolled_back"
        outcomes = [
            self._guarded(self._bring_back if back else self._move, rollout, one) for one in self._followers(rollout)
        ]
        settled = "failed" not in outcomes
        done = replace(
            rollout,
            settled=settled,
            revision=rollout.revision + 1,
            followers=len(outcomes) - outcomes.count("other"),
            moved=outcomes.count("moved"),
            waiting=outcomes.count("waiting"),
        )
        try:
            self._store.replace_rollout(done)
        except Conflict:
            return False  # it was raised, paused or rolled back meanwhile
        return settled

    def _followers(self, rollout: Rollout) -> Iterator[Install]:
        cursor: str | None = None
        while True:
            page = self._store.list_followers(rollout.extension_id, cursor, PAGE)
            yield from page.items
            if (cursor := page.cursor) is None:
                return

    def _guarded(self, work: Callable[[Rollout, Install], str], rollout: Rollout, install: Install) -> str:
        """`moved`, `waiting` for a decision, `later` for its share, `other` for no concern of this, or `failed`."""
        try:
            return work(rollout, install)
        except Conflict:
            return "failed"
        except OrielError as error:
            if error.status >= 500:
                raise
            _log.warning("an install does not follow", extra={"tenant_id": install.tenant_id, "reason": error.detail})
            return "waiting"

    def _move(self, rollout: Rollout, install: Install) -> str:
        if rollout.version not in VersionRange.parse(install.follows) or install.delete_at is not None:
            return "other"
        if install.version == rollout.version:
            return "moved"
        if precedence(install.version) > precedence(rollout.version):
            return "other"
        if bucket(rollout, install.tenant_id) >= rollout.percent:
            return "later"
        return "waiting" if self._upgrades.take_along(install, rollout.version) is None else "moved"

    def _bring_back(self, rollout: Rollout, install: Install) -> str:
        if not install.by_rollout or install.version != rollout.version:
            return "other"
        self._upgrades.bring_back(install)
        return "back"


def _decided(before: Rollout, percent: int, status: Status) -> Rollout:
    """The rollout with another share or status; itself, where nothing differs. `InvalidInput`."""
    if before.status != "rolled_back" and percent < before.percent:
        message = f"is below {before.percent}: a rollout is raised, paused or rolled back"
        raise InvalidInput("invalid_input", [Finding("percent", message)], subject="The rollout")
    if (percent, status) == (before.percent, before.status):
        return before
    settled = status == "paused"
    return replace(before, percent=percent, status=status, settled=settled, revision=before.revision + 1)


def _target(rollout: Rollout) -> str:
    return f"{rollout.extension_id} {rollout.version}"
