"""Routes of an install's life: another version, going back, grants one by one, leaving; and rollouts."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Field

from oriel.values import to_plain
from registry.consents import Consents
from registry.core import Registry
from registry.grants import GrantRequest
from registry.leaving import Leaving
from registry.rollouts import Rollouts
from registry.routes import views
from registry.routes.body import Body, Grants
from registry.routes.caller import Caller, InstallingCaller
from registry.upgrades import Upgrades

Json = dict[str, Any]
NDJSON = "application/x-ndjson"


class SetGrants(Body):
    grants: Grants


class SetGrant(Body):
    hosts: tuple[str, ...] | None = Field(default=None, max_length=256)
    operations: tuple[str, ...] | None = Field(default=None, max_length=256)
    topics: tuple[str, ...] | None = Field(default=None, max_length=256)
    expires_at: int | None = Field(default=None, ge=0)


class Upgrade(Body):
    version: str | None = Field(default=None, max_length=100)
    grants: Grants = ()
    exact: bool = False
    config: dict[str, Any] | None = None


class StartRollout(Body):
    percent: int = Field(ge=1, le=100)


class ChangeRollout(Body):
    percent: int | None = Field(default=None, ge=1, le=100)
    status: Literal["active", "paused", "rolled_back"] | None = None


def lifecycle_routes(routes: APIRouter, registry: Registry, tidy: Any) -> None:
    """Args: tidy: tells the worker that there is something to do."""
    _upgrade_routes(routes, registry)
    _grant_routes(routes, registry)
    _leaving_routes(routes, registry)
    _rollout_routes(routes, registry, tidy)


def _upgrade_routes(routes: APIRouter, registry: Registry) -> None:
    upgrades, view = Upgrades(registry), views.install_of(registry)

    @routes.get("/installs/{extension_id}/upgrade")
    def preview_upgrade(extension_id: str, caller: InstallingCaller, version: str | None = None) -> Json:
        return upgrades.preview(caller, extension_id, version)

    @routes.post("/installs/{extension_id}/upgrade")
    def upgrade(extension_id: str, body: Upgrade, caller: InstallingCaller) -> Json:
        return view(upgrades.upgrade(caller, extension_id, body.version, body.grants, body.config, exact=body.exact))

    @routes.post("/installs/{extension_id}/rollback")
    def roll_back(extension_id: str, caller: InstallingCaller) -> Json:
        return view(upgrades.rollback(caller, extension_id))


def _grant_routes(routes: APIRouter, registry: Registry) -> None:
    consents, view = Consents(registry), views.install_of(registry)

    @routes.put("/installs/{extension_id}/grants")
    def set_grants(extension_id: str, body: SetGrants, caller: InstallingCaller) -> Json:
        return view(consents.set_all(caller, extension_id, body.grants))

    @routes.put("/installs/{extension_id}/grants/{capability}")
    def grant(extension_id: str, capability: str, body: SetGrant, caller: InstallingCaller) -> Json:
        request = GrantRequest(capability=capability, **body.model_dump())
        return view(consents.grant(caller, extension_id, request))

    @routes.delete("/installs/{extension_id}/grants/{capability}")
    def revoke_grant(extension_id: str, capability: str, caller: InstallingCaller) -> Json:
        return view(consents.revoke(caller, extension_id, capability))


def _leaving_routes(routes: APIRouter, registry: Registry) -> None:
    leaving, view = Leaving(registry), views.install_of(registry)

    @routes.delete("/installs/{extension_id}")
    def uninstall(extension_id: str, caller: InstallingCaller) -> Json:
        return view(leaving.uninstall(caller, extension_id))

    @routes.post("/installs/{extension_id}/restore")
    def restore(extension_id: str, caller: InstallingCaller) -> Json:
        return view(leaving.restore(caller, extension_id))

    @routes.post("/installs/{extension_id}/delete")
    def delete_install(extension_id: str, caller: InstallingCaller) -> Json:
        return leaving.delete(caller, extension_id)

    @routes.get("/installs/{extension_id}/export", response_class=StreamingResponse)
    def export_install(extension_id: str, caller: InstallingCaller) -> StreamingResponse:
        lines = _as_lines(leaving.export(caller, extension_id))
        named = {"content-disposition": f'attachment; filename="{extension_id}.ndjson"', "cache-control": "no-store"}
        return StreamingResponse(lines, media_type=NDJSON, headers=named)


def _rollout_routes(routes: APIRouter, registry: Registry, tidy: Any) -> None:
    rollouts = Rollouts(registry)

    @routes.get("/extensions/{extension_id}/rollouts")
    def list_rollouts(extension_id: str, caller: Caller) -> Json:
        return views.whole(map(to_plain, rollouts.list(extension_id)))

    @routes.post("/extensions/{extension_id}/versions/{version}/rollout", status_code=201)
    def start_rollout(extension_id: str, version: str, body: StartRollout, caller: Caller) -> Json:
        started = rollouts.start(caller, extension_id, version, body.percent)
        tidy()
        return to_plain(started)

    @routes.get("/extensions/{extension_id}/versions/{version}/rollout")
    def get_rollout(extension_id: str, version: str, caller: Caller) -> Json:
        return to_plain(rollouts.get(extension_id, version))

    @routes.patch("/extensions/{extension_id}/versions/{version}/rollout")
    def change_rollout(extension_id: str, version: str, body: ChangeRollout, caller: Caller) -> Json:
        changed = rollouts.change(caller, extension_id, version, percent=body.percent, status=body.status)
        tidy()
        return to_plain(changed)


def _as_lines(items: Iterable[Json]) -> Iterator[bytes]:
    return (json.dumps(item, ensure_ascii=True).encode() + b"\n" for item in items)
