"""Schedules on their way: from their time to a run, and from the run to the handler.

    schedule  its time has come: a run is queued, or skipped, and the next time is set
    run       the handler is called

Rules kept here:

- A time gives one run, whoever sees it come: the run is written with the schedule's next time, in one transaction, on
  condition of the schedule's revision.
- Paused with the install: times that pass meanwhile are not made up for.
- A run that was begun and never ended, because its worker died, is begun again where the schedule makes up for what was
  missed; where it does not, it has failed.
- One that may not overlap is skipped while another goes on. Each skipped run stands in the history with its reason.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec.structs import replace

from gateway.dispatch import Calls
from gateway.messages import PlatformCall
from gateway.outcomes import Outcome, judged, pause_ms, wait_ms
from oriel import cron
from oriel.clock import now_ms
from oriel.ids import new_id
from oriel.store.errors import Conflict
from oriel.store.event_records import RunState, Schedule, ScheduleRun, Work
from oriel.store.eventing import EventStore
from oriel.store.queueing import firing, new_run, running

LATE_MS = 60_000
"""Older times count as missed."""
RUN_ATTEMPTS = 5
_PAUSED = frozenset(
    {"install_disabled", "publisher_revoked", "quarantined", "version_yanked", "extension_not_installed"}
)


class Firing:
    """Fires schedules and carries out their runs. Safe to share between threads.

    Args:
        told: is told work that came of work.
    """

    def __init__(
        self,
        store: EventStore,
        gateway: Calls,
        *,
        told: Callable[[Work], None] = lambda _: None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store, self._gateway, self._told, self._clock = store, gateway, told, clock

    def fire(self, work: Work) -> None:
        """The schedule's time has come, or seems to have."""
        schedule = self._store.get_schedule(work.tenant_id, work.item_id)
        if schedule is None or schedule.next_at is None:
            self._store.release_work(work, None)
            return
        now = self._clock()
        if schedule.next_at > now:  # it was given another time while it was in our hands
            self._store.release_work(work, schedule.next_at)
            return
        try:
            self._advance(schedule, schedule.next_at, now)
        except Conflict:
            self._store.release_work(work, now)  # changed meanwhile: look at it again

    def _advance(self, schedule: Schedule, scheduled_at: int, now: int) -> None:
        following = replace(
            schedule,
            next_at=cron.next_time(schedule.cron, schedule.timezone, now),
            updated_at=now,
            revision=schedule.revision + 1,
        )
        resolved = self._gateway.resolved(schedule.tenant_id, schedule.extension_id)
        if resolved is None or resolved.resolution.install.install_id != schedule.install_id:
            self._store.delete_schedule(schedule.tenant_id, schedule.schedule_id)
            return
        if resolved.resolution.install.status == "enabled":
            run = self._run(schedule, scheduled_at, now)
            self._store.start_run(following, run)
            if run.state == "queued":
                self._told(running(run))
        else:
            self._store.replace_schedule(following)
        if (later := firing(following)) is not None:
            self._told(later)

    def _run(self, schedule: Schedule, scheduled_at: int, now: int) -> ScheduleRun:
        run = new_run(schedule, scheduled_at, now)
        if schedule.missed == "skip" and now - scheduled_at > LATE_MS:
            return replace(run, state="skipped", reason="missed", finished_at=now)
        if not schedule.overlap:
            last = next(iter(self._store.list_runs(schedule.tenant_id, schedule.schedule_id, limit=1).items), None)
            if last is not None and last.state in {"queued", "running"}:
                return replace(run, state="skipped", reason="overlap", finished_at=now)
        return run

    def run(self, work: Work) -> None:
        """Call the handler, and write down what came of it."""
        run = self._store.get_run(work.tenant_id, work.item_id)
        if run is None or run.state not in {"queued", "running"}:
            self._store.release_work(work, None)
            return
        schedule = self._store.get_schedule(run.tenant_id, run.schedule_id)
        if schedule is None:
            self._end(run, work, "skipped", reason="schedule_gone")
        elif run.state == "running" and (schedule.missed == "skip" or run.attempts >= RUN_ATTEMPTS):
            self._end(run, work, "failed", reason="interrupted")
        else:
            begun = replace(run, state="running", attempts=run.attempts + 1, started_at=self._clock())
            if self._store.settle_run(begun, work, work.due_at):
                self._settle(begun, work, judged(self._gateway.call(_call(schedule, begun))))

    def _settle(self, run: ScheduleRun, work: Work, outcome: Outcome) -> None:
        now = self._clock()
        after = replace(run, reason=outcome.reason, status=outcome.status, execution_id=outcome.execution_id)
        if outcome.verdict == "done":
            self._end(after, work, "succeeded")
        elif outcome.reason in _PAUSED:
            self._end(after, work, "skipped", reason=outcome.reason)
        elif outcome.verdict == "wait" and run.attempts < RUN_ATTEMPTS:
            due_at = now + max(pause_ms(run.attempts), wait_ms(now - run.created_at, outcome.retry_after_ms))
            self._store.settle_run(replace(after, state="queued"), work, due_at)
            self._told(replace(work, due_at=due_at))
        else:
            self._end(after, work, "failed", reason=outcome.reason)

    def _end(self, run: ScheduleRun, work: Work, state: RunState, reason: str | None = None) -> None:
        ended = replace(run, state=state, reason=reason, finished_at=self._clock())
        self._store.settle_run(ended, work, None)


def _call(schedule: Schedule, run: ScheduleRun) -> PlatformCall:
    headers = [("x-oriel-schedule", schedule.name), ("x-oriel-run", run.run_id), ("x-oriel-attempt", str(run.attempts))]
    if run.scheduled_at is not None:
        at = datetime.fromtimestamp(run.scheduled_at / 1000, UTC).isoformat(timespec="seconds")
        headers.append(("x-oriel-scheduled-at", at))
    body = b""
    if schedule.payload is not None:
        headers.append(("content-type", "application/json"))
        body = json.dumps(schedule.payload, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return PlatformCall(
        request_id=new_id("req"),
        tenant_id=schedule.tenant_id,
        extension_id=schedule.extension_id,
        install_id=schedule.install_id,
        trigger="schedule",
        method=schedule.method,
        path=schedule.path,
        headers=tuple(headers),
        body=body,
    )
