"""Schedules, as a tenant's administrator sees and sets them.

Rules kept here:

- An administrator may change every schedule of the tenant's installs, whoever made it, and delete all but those of the
  manifest, which can be switched off.
- A run that somebody asks for goes the same way as one whose time has come.
- What somebody does is written with its audit entry, in one transaction.
"""

from functools import partial
from typing import Any

from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.published import Published
from oriel.scheduling import Change, Definition, Owner, Scheduling
from oriel.store.errors import Conflict
from oriel.store.event_records import Schedule, ScheduleRun
from oriel.store.queueing import firing, new_run, running
from oriel.store.records import AuditEntry, Install, Page
from registry.auditing import entry_for
from registry.core import Registry, principal_id

_TURNS = 5


class Schedules:
    """The schedules of all tenants."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store, self._now, self._told = registry.store, registry.now, registry.told
        self._scheduling = Scheduling(
            registry.store,
            least_seconds=registry.limits.schedule_seconds,
            told=self._tell,
            clock=registry.now,
        )

    def page(self, tenant_id: str, extension_id: str | None, cursor: str | None, limit: int) -> Page[Schedule]:
        """`OrielError` `extension_not_installed`."""
        install_id = None if extension_id is None else self._install(tenant_id, extension_id).install_id
        return self._store.list_schedules(tenant_id, install_id, cursor, limit)

    def get(self, tenant_id: str, schedule_id: str) -> Schedule:
        return self._scheduling.get(tenant_id, schedule_id)

    def create(self, principal: Principal, extension_id: str, definition: Definition) -> Schedule:
        """Raises as `Scheduling.create`, and `extension_not_installed`."""
        owner = self._owner(principal.require_tenant(), extension_id)
        audit = partial(self._entry, principal, "schedule.create")
        return self._scheduling.create(owner, definition, "tenant", principal_id(principal), audit)

    def change(self, principal: Principal, schedule_id: str, changes: dict[str, Any]) -> Schedule:
        """Raises as `Scheduling.change`."""
        before = self.get(principal.require_tenant(), schedule_id)
        owner = self._owner(before.tenant_id, before.extension_id)
        return self._scheduling.change(owner, schedule_id, changes, partial(self._entry, principal, "schedule.change"))

    def delete(self, principal: Principal, schedule_id: str) -> None:
        """`OrielError` `not_found`; `conflict`, where it is the manifest's."""
        tenant_id = principal.require_tenant()
        there = self.get(tenant_id, schedule_id)
        if there.origin == "manifest":
            hint = "Switch it off: oriel schedules pause SCHEDULE."
            raise OrielError("conflict", "A schedule of the manifest cannot be deleted.", hint=hint)
        self._scheduling.delete(tenant_id, schedule_id, self._entry(principal, "schedule.delete", there, None))

    def run_now(self, principal: Principal, schedule_id: str) -> ScheduleRun:
        """Queue a run, whether the schedule is on or off.

        Raises:
            OrielError: `not_found`; `conflict`, where a run goes on and may not be overlapped; `install_disabled`.
        """
        tenant_id = principal.require_tenant()
        for _ in range(_TURNS):
            schedule = self.get(tenant_id, schedule_id)
            if self._install(tenant_id, schedule.extension_id).status != "enabled":
                raise OrielError("install_disabled", f"{schedule.extension_id} is disabled.")
            last = self._scheduling.last_run(schedule)
            if not schedule.overlap and last is not None and last.state in {"queued", "running"}:
                raise OrielError("conflict", f"The run {last.run_id} goes on.", hint="Wait until it has ended.")
            run = new_run(schedule, None, self._now())
            entry = self._entry(principal, "schedule.run", None, run)
            try:
                self._store.start_run(replace(schedule, revision=schedule.revision + 1), run, entry)
            except Conflict:
                continue
            self._told(running(run))
            return run
        raise OrielError("conflict", f"The schedule {schedule_id} is changed by too many at once.")

    def runs(self, tenant_id: str, schedule_id: str, cursor: str | None, limit: int) -> Page[ScheduleRun]:
        """`OrielError` `not_found`."""
        return self._store.list_runs(tenant_id, self.get(tenant_id, schedule_id).schedule_id, cursor, limit)

    def changes(self, install: Install, manifest: Published, before: Published) -> list[Change]:
        """What would become of the install's schedules with another version: for the upgrade's difference."""
        current = self._scheduling.of_install(install.tenant_id, install.install_id)
        return list(self._scheduling.plan(install, current, manifest, before))

    def _entry(
        self, principal: Principal, action: str, before: Schedule | None, after: Schedule | ScheduleRun | None
    ) -> AuditEntry:
        subject = after or before
        target = "" if subject is None else f"{subject.extension_id} {subject.schedule_id}"
        return entry_for(
            self._registry, principal, action, target, before=before, after=after, tenant_id=principal.tenant_id
        )

    def _install(self, tenant_id: str, extension_id: str) -> Install:
        install = self._store.get_install(tenant_id, extension_id)
        if install is None:
            raise OrielError("extension_not_installed", f"{extension_id} is not installed.")
        return install

    def _owner(self, tenant_id: str, extension_id: str) -> Owner:
        install = self._install(tenant_id, extension_id)
        version = self._store.get_version(extension_id, install.version)
        if version is None:
            raise OrielError("not_found", f"{extension_id} has no version {install.version}.")
        endpoints = Published.read(version.manifest).api.endpoints
        return Owner(tenant_id, install.install_id, extension_id, endpoints)

    def _tell(self, _tenant_id: str, _schedule_id: str, schedule: Schedule | None) -> None:
        work = None if schedule is None else firing(schedule)
        if work is not None:
            self._told(work)
