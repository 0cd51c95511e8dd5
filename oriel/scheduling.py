"""Schedules over the store: made, changed, shown, and carried over to another version.

Rules kept here:

- A schedule calls an endpoint that the version declares, without parameters in its path; nothing else is kept.
- How often it may fire is the operator's, and found by simulating it (`oriel.cron`).
- A change that meets another is judged again by what is there then, a few times.
- What comes from the manifest is kept in step with it; what the tenant has changed of it stays as the tenant said.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct, ValidationError
from msgspec.structs import replace

from oriel import cron
from oriel.clock import now_ms
from oriel.errors import Finding, InvalidInput, OrielError
from oriel.ids import new_id
from oriel.messages import Message, place_and_problem
from oriel.paths import clean_segments
from oriel.published import Method, Published
from oriel.routing import match_endpoint
from oriel.store.errors import Conflict
from oriel.store.event_records import Missed, Schedule, ScheduleRun
from oriel.store.eventing import ScheduleStore
from oriel.store.records import AuditEntry, Install

MAX_SCHEDULES = 100
LEAST_SECONDS = 300
SLUG = r"^[a-z0-9][a-z0-9-]{0,62}\Z"  # `oriel.manifest.parts.SLUG`, for Python's `re`: its `$` takes a line break too
MAX_CRON, MAX_TIMEZONE, MAX_PATH = 100, 64, 200
ENDPOINT_GONE = "endpoint_gone"
_TURNS = 5


class Endpoint(Protocol):
    """What can be called; `oriel.published.Endpoint` is one."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...


class Definition(Message, frozen=True, kw_only=True):
    """What a schedule is to do, and when."""

    name: Annotated[str, Meta(pattern=SLUG)]
    cron: Annotated[str, Meta(max_length=MAX_CRON)]
    timezone: Annotated[str, Meta(max_length=MAX_TIMEZONE)] = "UTC"
    method: Method = "POST"
    path: Annotated[str, Meta(max_length=MAX_PATH)]
    payload: dict[str, Any] | None = None
    enabled: bool = True
    missed: Missed = "once"
    overlap: bool = False


DEFINED = Definition.__struct_fields__
Audit = Callable[[Schedule | None, Schedule | None], AuditEntry | None]
"""The entry of a change, from what a schedule was to what it is; None is "not there", or nobody's change."""


class Owner(Struct, frozen=True):
    """The install that a schedule belongs to, and what of it can be called."""

    tenant_id: str
    install_id: str
    extension_id: str
    endpoints: Sequence[Endpoint]


class Change(Struct, frozen=True):
    """What becomes of one schedule when another version runs: `what` is `added`, `changed`, `removed` or `stopped`."""

    what: str
    name: str
    before: Schedule | None
    after: Schedule | None
    reason: str = ""


class Scheduling:
    """The schedules of all installs.

    Args:
        least_seconds: what must lie between two runs of one schedule.
        told: is told of each schedule that was written; None in the place of one that is gone.
    """

    def __init__(
        self,
        store: ScheduleStore,
        *,
        least_seconds: int = LEAST_SECONDS,
        told: Callable[[str, str, Schedule | None], None] = lambda *_: None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store, self._least, self._told, self._clock = store, least_seconds, told, clock

    def of_install(self, tenant_id: str, install_id: str) -> list[Schedule]:
        """All of an install, by name."""
        found: list[Schedule] = []
        cursor: str | None = None
        while True:
            page = self._store.list_schedules(tenant_id, install_id, cursor)
            found += page.items
            if (cursor := page.cursor) is None:
                return sorted(found, key=lambda schedule: schedule.name)

    def find(self, tenant_id: str, schedule_id: str) -> Schedule | None:
        return self._store.get_schedule(tenant_id, schedule_id)

    def last_run(self, schedule: Schedule) -> ScheduleRun | None:
        """The newest run, where there was one."""
        return next(iter(self._store.list_runs(schedule.tenant_id, schedule.schedule_id, limit=1).items), None)

    def get(self, tenant_id: str, schedule_id: str) -> Schedule:
        """`OrielError` `not_found`."""
        found = self.find(tenant_id, schedule_id)
        if found is None:
            raise OrielError("not_found", f"There is no schedule {schedule_id}.")
        return found

    def create(
        self, owner: Owner, definition: Definition, origin: Any, created_by: str, audit: Audit = lambda *_: None
    ) -> Schedule:
        """Make a schedule.

        Raises:
            InvalidInput: `invalid_schedule`.
            OrielError: `conflict`, where the name is taken; `quota_exceeded`, where the install has too many.
        """
        self.check(owner, definition)
        if len(self.of_install(owner.tenant_id, owner.install_id)) >= MAX_SCHEDULES:
            raise OrielError("quota_exceeded", f"An install has at most {MAX_SCHEDULES} schedules.")
        made = self._made(owner, definition, origin, created_by)
        self._store.create_schedule(made, audit(None, made))
        self._told(made.tenant_id, made.schedule_id, made)
        return made

    def change(
        self, owner: Owner, schedule_id: str, changes: dict[str, Any], audit: Audit = lambda *_: None
    ) -> Schedule:
        """Change some fields of its definition. Raises as `create`, and `not_found`."""
        for _ in range(_TURNS):
            before = self.get(owner.tenant_id, schedule_id)
            wanted = parsed({**defined(before), **changes})
            self.check(owner, wanted)
            try:
                return self._replace(before, wanted, audit)
            except Conflict:
                if self._taken(before, wanted.name):
                    raise
        raise OrielError("conflict", f"The schedule {schedule_id} is changed by too many at once.")

    def delete(self, tenant_id: str, schedule_id: str, entry: AuditEntry | None = None) -> None:
        """`OrielError` `not_found`."""
        if not self._store.delete_schedule(tenant_id, schedule_id, entry):
            raise OrielError("not_found", f"There is no schedule {schedule_id}.")
        self._told(tenant_id, schedule_id, None)

    def check(self, owner: Owner, definition: Definition) -> None:
        """`InvalidInput` `invalid_schedule`, with what cannot be kept."""
        if findings := list(_endpoint_findings(owner.endpoints, definition)):
            raise InvalidInput("invalid_schedule", findings, subject="The schedule")
        cron.check(definition.cron, definition.timezone, self._clock(), self._least)

    def follow(self, install: Install, manifest: Published, before: Published | None) -> None:
        """Bring an install's schedules in step with the version that runs now. Repeating it changes nothing."""
        current = self.of_install(install.tenant_id, install.install_id)
        for change in self.plan(install, current, manifest, before):
            if change.before is None and change.after is not None:
                self._store.create_schedule(change.after)
            elif change.before is not None and change.after is not None:
                self._store.replace_schedule(change.after)
            elif change.before is not None:
                self._store.delete_schedule(install.tenant_id, change.before.schedule_id)
            subject = change.after or change.before
            if subject is not None:
                self._told(install.tenant_id, subject.schedule_id, change.after)

    def plan(
        self, install: Install, current: Iterable[Schedule], manifest: Published, before: Published | None
    ) -> Iterator[Change]:
        """What would become of an install's schedules with another version; nothing is written.

        `before` is the manifest that they are in step with, where there is one.
        """
        there = {schedule.name: schedule for schedule in current}
        wanted = {entry.name: Definition(**entry.to_plain()) for entry in manifest.schedules}
        earlier = {entry.name: Definition(**entry.to_plain()) for entry in before.schedules} if before else {}
        owner = Owner(install.tenant_id, install.install_id, install.extension_id, manifest.api.endpoints)
        for name, definition in wanted.items():
            if name not in there:
                yield Change("added", name, None, self._made(owner, definition, "manifest", install.installed_by))
        for schedule in there.values():
            yield from self._carried(owner, schedule, wanted.get(schedule.name), earlier.get(schedule.name))

    def _carried(
        self, owner: Owner, schedule: Schedule, wanted: Definition | None, earlier: Definition | None
    ) -> Iterator[Change]:
        """One schedule that is there, with the version to come."""
        if schedule.origin == "manifest" and wanted is None:
            yield Change("removed", schedule.name, schedule, None, "The version no longer has it.")
            return
        new = parsed(defined(schedule))
        if schedule.origin == "manifest" and wanted is not None:
            own = {name: value for name, value in defined(schedule).items() if _differs(earlier, name, value)}
            new = parsed({**wanted.to_plain(), **own, "method": wanted.method, "path": wanted.path})
        gone = bool(list(_endpoint_findings(owner.endpoints, new)))
        reason = ENDPOINT_GONE if gone else None
        if gone and schedule.off_reason != reason:
            detail = f"The version declares no {new.method} {new.path}; the schedule is switched off."
            off = replace(schedule, enabled=False, next_at=None, off_reason=reason, revision=schedule.revision + 1)
            yield Change("stopped", schedule.name, schedule, off, detail)
        elif not gone and (defined(schedule) != new.to_plain() or schedule.off_reason is not None):
            back = replace(new, enabled=True) if schedule.off_reason is not None else new
            yield Change("changed", schedule.name, schedule, self._changed(schedule, back))

    def _made(self, owner: Owner, definition: Definition, origin: Any, created_by: str) -> Schedule:
        now = self._clock()
        return Schedule(
            tenant_id=owner.tenant_id,
            schedule_id=new_id("sch"),
            install_id=owner.install_id,
            extension_id=owner.extension_id,
            **definition.to_plain(),
            origin=origin,
            next_at=_next(definition, now),
            created_by=created_by,
            created_at=now,
            updated_at=now,
        )

    def _changed(self, before: Schedule, definition: Definition) -> Schedule:
        """The same schedule as it is defined now; its next time changes only with what decides about it."""
        now = self._clock()
        timing = (definition.cron, definition.timezone, definition.enabled)
        kept = timing == (before.cron, before.timezone, before.enabled)
        return replace(
            before,
            **definition.to_plain(),
            next_at=before.next_at if kept else _next(definition, now),
            off_reason=None,
            updated_at=now,
            revision=before.revision + 1,
        )

    def _replace(self, before: Schedule, definition: Definition, audit: Audit) -> Schedule:
        if definition.to_plain() == defined(before):
            return before
        after = self._changed(before, definition)
        self._store.replace_schedule(after, audit(before, after))
        self._told(after.tenant_id, after.schedule_id, after)
        return after

    def _taken(self, schedule: Schedule, name: str) -> bool:
        others = self.of_install(schedule.tenant_id, schedule.install_id)
        return any(other.name == name and other.schedule_id != schedule.schedule_id for other in others)


def parsed(fields: dict[str, Any]) -> Definition:
    """A definition from JSON values; `InvalidInput` `invalid_schedule`."""
    try:
        return Definition.convert(fields)
    except ValidationError as error:
        raise InvalidInput("invalid_schedule", [Finding(*place_and_problem(error))], subject="The schedule") from None


def defined(schedule: Schedule) -> dict[str, Any]:
    """A schedule's definition."""
    return {name: getattr(schedule, name) for name in DEFINED}


def next_runs(schedule: Schedule, now: int) -> list[int]:
    """The next five times of a schedule that is on."""
    if schedule.next_at is None:
        return []
    if schedule.next_at <= now:
        return cron.next_times(schedule.cron, schedule.timezone, now)
    return [schedule.next_at, *cron.next_times(schedule.cron, schedule.timezone, schedule.next_at, cron.SHOWN - 1)]


def is_schedulable(endpoint: Endpoint) -> bool:
    """Whether it can be called without knowing more: its path has no parameters."""
    return "/:" not in endpoint.path


def _next(definition: Definition, now: int) -> int | None:
    return cron.next_time(definition.cron, definition.timezone, now) if definition.enabled else None


def _differs(earlier: Definition | None, name: str, value: Any) -> bool:
    """Whether the tenant has changed a field of what came with the manifest."""
    return earlier is not None and getattr(earlier, name) != value


def _is_declared(endpoints: Sequence[Endpoint], definition: Definition) -> bool:
    try:
        match_endpoint(endpoints, definition.method, clean_segments(definition.path))
    except OrielError:
        return False
    return True


def _endpoint_findings(endpoints: Sequence[Endpoint], definition: Definition) -> Iterator[Finding]:
    if "/:" in definition.path:
        yield Finding("path", "must be the path that is called, without parameters")
    elif not _is_declared(endpoints, definition):
        callable_ = ", ".join(f"{one.method} {one.path}" for one in endpoints if is_schedulable(one)) or "none"
        yield Finding("path", f"{definition.method} {definition.path} is not declared; those that are: {callable_}")
