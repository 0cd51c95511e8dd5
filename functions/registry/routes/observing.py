"""Routes of observers: what ran for the tenant, and what it used."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from oriel.errors import OrielError
from registry.core import Registry
from registry.routes import views
from registry.routes.caller import ConfiguringCaller, Cursor, Limit

Json = dict[str, Any]
Day = Annotated[str, Query(pattern=r"^\d{4}-\d{2}-\d{2}$", description="a UTC day, included")]


def observing_routes(registry: Registry) -> APIRouter:
    router = APIRouter()
    store = registry.store

    @router.get("/executions")
    def list_executions(
        caller: ConfiguringCaller,
        extension_id: Annotated[str | None, Query(max_length=128)] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Json:
        return views.page(store.list_executions(caller.require_tenant(), extension_id, cursor, limit), asdict)

    @router.get("/executions/{execution_id}")
    def get_execution(execution_id: str, caller: ConfiguringCaller) -> Json:
        found = store.get_execution(caller.require_tenant(), execution_id)
        if found is None:
            raise OrielError("not_found", f"There is no execution {execution_id}.")
        return asdict(found)

    @router.get("/usage")
    def list_usage(caller: ConfiguringCaller, since: Day, until: Day) -> Json:
        return views.whole(map(asdict, store.list_usage(caller.require_tenant(), since, until)))

    return router
