"""Routes for events and schedules: the product emits, a tenant's administrator looks and sets."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from oriel import cron
from oriel.errors import OrielError
from oriel.manifest import Method
from oriel.manifest.parts import SLUG
from oriel.scheduling import MAX_CRON, MAX_PATH, MAX_TIMEZONE, next_runs, parsed
from oriel.store.event_records import Event, Missed, Schedule
from oriel.values import to_plain
from registry.core import Registry
from registry.events import EventRequest, Events
from registry.routes import views
from registry.routes.body import Body
from registry.routes.caller import ConfiguringCaller, Cursor, EmittingCaller, Limit
from registry.schedules import Schedules

Json = dict[str, Any]
ExtensionId = Annotated[str | None, Query(max_length=128)]


class Emit(EventRequest):
    tenant_id: str | None = Field(default=None, max_length=256)


class Redrive(Body):
    extension_id: str | None = Field(default=None, max_length=128)


class Replay(Body):
    extension_id: str = Field(max_length=128)
    since: int = Field(ge=0)
    until: int | None = Field(default=None, ge=0)


class CreateSchedule(Body):
    name: str = Field(pattern=SLUG)
    cron: str = Field(max_length=MAX_CRON)
    timezone: str = Field(default="UTC", max_length=MAX_TIMEZONE)
    method: Method = "POST"
    path: str = Field(max_length=MAX_PATH)
    payload: dict[str, Any] | None = None
    enabled: bool = True
    missed: Missed = "once"
    overlap: bool = False
    extension_id: str = Field(max_length=128)


class ChangeSchedule(Body):
    """What is left out stays as it is."""

    name: str | None = None
    cron: str | None = None
    timezone: str | None = None
    method: Method | None = None
    path: str | None = None
    payload: dict[str, Any] | None = None
    enabled: bool | None = None
    missed: Missed | None = None
    overlap: bool | None = None


class Preview(Body):
    cron: str = Field(max_length=MAX_CRON)
    timezone: str = Field(default="UTC", max_length=MAX_TIMEZONE)


def event_routes(routes: APIRouter, registry: Registry) -> None:
    events = Events(registry)

    @routes.post("/events", status_code=202)
    def emit(body: Emit, caller: EmittingCaller, response: Response) -> Json:
        tenant_id = caller.tenant_id or body.tenant_id
        if tenant_id is None or body.tenant_id not in {None, tenant_id}:
            raise OrielError("tenant_mismatch", "Name in 'tenant_id' whose event it is, or the token's own tenant.")
        event, new = events.emit(tenant_id, body)
        response.status_code = 202 if new else 200
        return event_line(event)

    @routes.get("/events")
    def list_events(caller: ConfiguringCaller, cursor: Cursor = None, limit: Limit = 50) -> Json:
        return views.page(events.page(caller.require_tenant(), cursor, limit), event_line)

    @routes.get("/events/subscriptions")
    def list_subscriptions(caller: ConfiguringCaller) -> Json:
        return views.whole(map(to_plain, events.subscriptions(caller.require_tenant())))

    @routes.get("/events/dead-letters")
    def list_dead_letters(caller: ConfiguringCaller, cursor: Cursor = None, limit: Limit = 50) -> Json:
        return views.page(events.dead_letters(caller.require_tenant(), cursor, limit), to_plain)

    @routes.post("/events/dead-letters/redrive")
    def redrive_all(body: Redrive, caller: ConfiguringCaller) -> Json:
        return {"redriven": events.redrive_all(caller, body.extension_id)}

    @routes.post("/events/dead-letters/{delivery_id}/redrive")
    def redrive(delivery_id: str, caller: ConfiguringCaller) -> Json:
        return to_plain(events.redrive(caller, delivery_id))

    @routes.post("/events/replay")
    def replay(body: Replay, caller: ConfiguringCaller) -> Json:
        return {"deliveries": events.replay(caller, body.extension_id, body.since, body.until)}

    @routes.get("/events/{event_id}")
    def get_event(event_id: str, caller: ConfiguringCaller) -> Json:
        event, deliveries = events.get(caller.require_tenant(), event_id)
        return {**to_plain(event), "deliveries": [to_plain(delivery) for delivery in deliveries]}


def schedule_routes(routes: APIRouter, registry: Registry) -> None:
    schedules = Schedules(registry)

    def view(schedule: Schedule) -> Json:
        return {**to_plain(schedule), "next_runs": next_runs(schedule, registry.now())}

    @routes.get("/schedules")
    def list_schedules(
        caller: ConfiguringCaller, extension_id: ExtensionId = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Json:
        return views.page(schedules.page(caller.require_tenant(), extension_id, cursor, limit), view)

    @routes.post("/schedules", status_code=201)
    def create_schedule(body: CreateSchedule, caller: ConfiguringCaller) -> Json:
        definition = parsed(body.model_dump(exclude={"extension_id"}))
        return view(schedules.create(caller, body.extension_id, definition))

    @routes.post("/schedules/preview")
    def preview(body: Preview, caller: ConfiguringCaller) -> Json:
        now = registry.now()
        cron.check(body.cron, body.timezone, now, registry.limits.schedule_seconds)
        return {**body.model_dump(), "next_runs": cron.next_times(body.cron, body.timezone, now)}

    @routes.get("/schedules/{schedule_id}")
    def get_schedule(schedule_id: str, caller: ConfiguringCaller) -> Json:
        return view(schedules.get(caller.require_tenant(), schedule_id))

    @routes.patch("/schedules/{schedule_id}")
    def change_schedule(schedule_id: str, body: ChangeSchedule, caller: ConfiguringCaller) -> Json:
        changes = body.model_dump(exclude_unset=True)
        return view(schedules.change(caller, schedule_id, changes))

    @routes.delete("/schedules/{schedule_id}", status_code=204)
    def delete_schedule(schedule_id: str, caller: ConfiguringCaller) -> None:
        schedules.delete(caller, schedule_id)

    @routes.post("/schedules/{schedule_id}/runs", status_code=202)
    def run_now(schedule_id: str, caller: ConfiguringCaller) -> Json:
        return to_plain(schedules.run_now(caller, schedule_id))

    @routes.get("/schedules/{schedule_id}/runs")
    def list_runs(schedule_id: str, caller: ConfiguringCaller, cursor: Cursor = None, limit: Limit = 20) -> Json:
        return views.page(schedules.runs(caller.require_tenant(), schedule_id, cursor, limit), to_plain)


def event_line(event: Event) -> Json:
    """An event in a list: all but its data."""
    return {name: value for name, value in to_plain(event).items() if name != "data"}
