"""Routes of observers: what ran for the tenant, what it said, and what it used."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response, StreamingResponse

from oriel.errors import OrielError
from oriel.logs import Level
from oriel.store.records import ExecutionFilter, Outcome
from oriel.values import to_plain
from registry.core import Registry
from registry.installs import Installs
from registry.observe import bill, fixtures, lines, series, tail
from registry.observe.looks import Looks
from registry.observe.stream import Streams
from registry.routes import views
from registry.routes.caller import Cursor, Limit, ObservingCaller, OperatingCaller, RecordingCaller

Json = dict[str, Any]
Name = Annotated[str | None, Query(max_length=256)]
Time = Annotated[int | None, Query(ge=0, le=10**14, description="Unix milliseconds")]
Day = Annotated[str, Query(pattern=r"^\d{4}-\d{2}-\d{2}$", description="a UTC day, included")]
LOOK = "executions.look"
CSV = "text/csv; charset=utf-8"


def asked_for(
    *,
    extension_id: Name = None,
    install_id: Name = None,
    version: Name = None,
    version_id: Name = None,
    content_hash: Name = None,
    request_id: Name = None,
    trigger: Name = None,
    error_code: Name = None,
    outcome: Outcome | None = None,
    since: Time = None,
    until: Time = None,
) -> ExecutionFilter:
    """The filter of a listing: all that is given must hold; `until` is not included."""
    given = {name: value for name, value in locals().items() if value is not None}
    return ExecutionFilter(**given)


Where = Annotated[ExecutionFilter, Depends(asked_for)]


def observing_routes(routes: APIRouter, registry: Registry) -> None:
    store, looks, streams = registry.store, Looks(registry), Streams(registry.streams)

    @routes.get("/executions")
    def list_executions(caller: ObservingCaller, where: Where, cursor: Cursor = None, limit: Limit = 50) -> Json:
        tenant_id = looks.note(caller, LOOK, "executions", _given(where))
        return views.page(store.list_executions(tenant_id, where, cursor, limit), to_plain)

    @routes.get("/executions/tail")
    def tail_executions(caller: ObservingCaller, where: Where, cursor: Cursor = None, limit: Limit = 100) -> Json:
        tenant_id = looks.note(caller, LOOK, "tail", _given(where))
        found = tail.follow(store, tenant_id, where, cursor=cursor, limit=limit, now=registry.now())
        return {"items": [to_plain(entry) for entry in found.items], "cursor": found.cursor, "more": found.more}

    @routes.get("/executions/stream", response_class=StreamingResponse)
    def stream_executions(
        caller: ObservingCaller,
        where: Where,
        cursor: Cursor = None,
        last_event_id: Annotated[str | None, Header(max_length=512)] = None,
    ) -> StreamingResponse:
        streams.admit()
        tenant_id = looks.note(caller, LOOK, "tail", _given(where))

        def follow(cursor: str | None) -> tail.Tail:
            return tail.follow(store, tenant_id, where, cursor=cursor, limit=100, now=registry.now())

        events = streams.events(follow, last_event_id or cursor)
        return StreamingResponse(events, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    @routes.get("/executions/{execution_id}")
    def get_execution(execution_id: str, caller: ObservingCaller) -> Json:
        found = store.get_execution(looks.note(caller, LOOK, execution_id), execution_id)
        if found is None:
            raise OrielError("not_found", f"There is no execution {execution_id}.")
        return to_plain(found)

    @routes.get("/executions/{execution_id}/fixture")
    def get_fixture(execution_id: str, caller: RecordingCaller) -> Response:
        tenant_id = looks.note(caller, "fixtures.look", execution_id)
        return Response(fixtures.opened(registry, tenant_id, execution_id), media_type="application/json")

    @routes.get("/installs/{extension_id}/fixtures")
    def list_fixtures(extension_id: str, caller: RecordingCaller, cursor: Cursor = None, limit: Limit = 50) -> Json:
        install = Installs(registry).get(caller.require_tenant(), extension_id)
        return views.page(store.list_fixtures(install.tenant_id, install.install_id, cursor, limit), to_plain)

    @routes.get("/logs")
    def search_logs(
        *,
        caller: ObservingCaller,
        where: Where,
        level: Level = "debug",
        text: Annotated[str, Query(max_length=256)] = "",
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    ) -> Json:
        tenant_id = looks.note(caller, LOOK, "logs", _given(where))
        found = lines.search(store, tenant_id, where, level=level, text=text, cursor=cursor, limit=limit)
        return views.page(found, lambda line: line)

    _usage_routes(routes, registry)


def _usage_routes(routes: APIRouter, registry: Registry) -> None:
    store, prices = registry.store, registry.prices
    currency = prices.currency if prices else None

    @routes.get("/usage")
    def list_usage(caller: ObservingCaller, since: Day, until: Day) -> Json:
        found = store.list_usage(caller.require_tenant(), since, until)
        listed = views.whole(bill.row(usage, prices) for usage in found)
        return {**listed, "total_cost": bill.total(found, prices), "currency": currency}

    @routes.get("/usage.csv", response_class=StreamingResponse)
    def export_usage(caller: ObservingCaller, since: Day, until: Day) -> StreamingResponse:
        found = store.list_usage(caller.require_tenant(), since, until)
        return StreamingResponse(bill.as_csv(found, prices), media_type=CSV)

    @routes.get("/usage/series")
    def usage_series(
        caller: ObservingCaller,
        since: Annotated[int, Query(ge=0, le=10**14)],
        until: Annotated[int, Query(ge=0, le=10**14)],
        step: Annotated[int, Query(description="milliseconds, whole minutes")] = 60_000,
        extension_id: Name = None,
    ) -> Json:
        start, end = series.bounds(since, until, step)
        rows = store.list_minutes(caller.require_tenant(), start, end, extension_id)
        return {"step": step, "items": series.points(rows, start, end, step)}

    @routes.get("/usage/tenants")
    def list_usage_of_all(caller: OperatingCaller, day: Day, cursor: Cursor = None, limit: Limit = 100) -> Json:
        page = store.list_usage_of_all(day, cursor, limit)
        return {**views.page(page, lambda usage: bill.row(usage, prices)), "currency": currency}

    @routes.get("/usage/tenants.csv", response_class=StreamingResponse)
    def export_usage_of_all(caller: OperatingCaller, since: Day, until: Day) -> StreamingResponse:
        bill.require_days(since, until)
        found = bill.of_all_tenants(store, since, until)
        return StreamingResponse(bill.as_csv(found, prices), media_type=CSV)


def _given(where: ExecutionFilter) -> Json:
    return {name: value for name, value in to_plain(where).items() if value is not None}
