"""Routes of whoever admits and bounds: API keys, quotas, the data key."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from oriel.identity import Permission
from oriel.quotas import MAX_BURST, MAX_CONCURRENT, MAX_COUNT, MAX_PER_SECOND, Quotas
from oriel.values import to_plain
from registry.api_keys import MAX_DAYS, ApiKeysOf
from registry.core import Registry
from registry.quotas import QuotaBook
from registry.resealing import Resealing
from registry.routes import views
from registry.routes.body import Body
from registry.routes.caller import ConfiguringCaller, Cursor, InstallingCaller, Limit, OperatingCaller

Json = dict[str, Any]


class CreateApiKey(Body):
    name: str = Field(min_length=1, max_length=128)
    permissions: tuple[Permission, ...] = Field(min_length=1, max_length=6)
    days: int = Field(default=90, ge=1, le=MAX_DAYS)
    extension_id: str | None = Field(default=None, max_length=128)


class CreatePlatformKey(Body):
    name: str = Field(min_length=1, max_length=128)
    permissions: tuple[Permission, ...] = Field(min_length=1, max_length=6)
    days: int = Field(default=90, ge=1, le=MAX_DAYS)


_Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]


class QuotaValues(Body):
    """`oriel.quotas.Quotas` as somebody sends them."""

    requests_per_second: float | None = Field(default=None, ge=0, le=MAX_PER_SECOND, allow_inf_nan=False)
    burst: int | None = Field(default=None, ge=1, le=MAX_BURST)
    concurrent: int | None = Field(default=None, ge=0, le=MAX_CONCURRENT)
    daily_invocations: _Count | None = None
    daily_cpu_ms: _Count | None = None
    daily_memory_mb_ms: _Count | None = None
    daily_egress_bytes: _Count | None = None

    def quotas(self) -> Quotas:
        return Quotas.read(self.model_dump())


class SetDefaults(Body):
    tenant: QuotaValues = Field(default_factory=QuotaValues)
    install: QuotaValues = Field(default_factory=QuotaValues)


def governing_routes(routes: APIRouter, registry: Registry, tidy: Callable[[], None]) -> None:
    """Args: tidy: tells the worker that there is something to seal anew."""
    _key_routes(routes, registry)
    _quota_routes(routes, registry)
    _data_key_routes(routes, registry, tidy)


def _key_routes(routes: APIRouter, registry: Registry) -> None:

    @routes.post("/api-keys", status_code=201)
    def create_api_key(body: CreateApiKey, caller: InstallingCaller) -> Json:
        keys = ApiKeysOf(registry, caller.require_tenant())
        key, token = keys.create(caller, body.name, body.permissions, body.extension_id, body.days)
        return {**views.api_key(key), "token": token}

    @routes.get("/api-keys")
    def list_api_keys(caller: InstallingCaller, cursor: Cursor = None, limit: Limit = 100) -> Json:
        return views.page(ApiKeysOf(registry, caller.require_tenant()).page(cursor, limit), views.api_key)

    @routes.delete("/api-keys/{key_id}")
    def revoke_api_key(key_id: str, caller: InstallingCaller) -> Json:
        return views.api_key(ApiKeysOf(registry, caller.require_tenant()).revoke(caller, key_id))

    @routes.post("/platform/api-keys", status_code=201)
    def create_platform_key(body: CreatePlatformKey, caller: OperatingCaller) -> Json:
        key, token = ApiKeysOf(registry, None).create(caller, body.name, body.permissions, None, body.days)
        return {**views.api_key(key), "token": token}

    @routes.get("/platform/api-keys")
    def list_platform_keys(caller: OperatingCaller, cursor: Cursor = None, limit: Limit = 100) -> Json:
        return views.page(ApiKeysOf(registry, None).page(cursor, limit), views.api_key)

    @routes.delete("/platform/api-keys/{key_id}")
    def revoke_platform_key(key_id: str, caller: OperatingCaller) -> Json:
        return views.api_key(ApiKeysOf(registry, None).revoke(caller, key_id))


def _quota_routes(routes: APIRouter, registry: Registry) -> None:
    book = QuotaBook(registry)

    @routes.get("/quotas")
    def get_quotas(caller: ConfiguringCaller) -> Json:
        return book.view(caller.require_tenant())

    @routes.get("/quota-defaults")
    def get_quota_defaults(caller: OperatingCaller) -> Json:
        return book.defaults()

    @routes.put("/quota-defaults")
    def set_quota_defaults(body: SetDefaults, caller: OperatingCaller) -> Json:
        return book.set_defaults(caller, body.tenant.quotas(), body.install.quotas())

    @routes.get("/tenants/{tenant_id}/quotas")
    def get_quotas_of(tenant_id: str, caller: OperatingCaller) -> Json:
        return book.view(tenant_id)

    @routes.put("/tenants/{tenant_id}/quotas")
    def set_tenant_quotas(tenant_id: str, body: QuotaValues, caller: OperatingCaller) -> Json:
        return book.set_own(caller, tenant_id, "", body.quotas())

    @routes.put("/tenants/{tenant_id}/quotas/{extension_id}")
    def set_install_quotas(tenant_id: str, extension_id: str, body: QuotaValues, caller: OperatingCaller) -> Json:
        return book.set_own(caller, tenant_id, extension_id, body.quotas())


def _data_key_routes(routes: APIRouter, registry: Registry, tidy: Callable[[], None]) -> None:
    resealing = Resealing(registry)

    @routes.get("/data-key")
    def get_data_key(caller: OperatingCaller) -> Json:
        return to_plain(resealing.current())

    @routes.post("/data-key/rotate", status_code=202)
    def rotate_data_key(caller: OperatingCaller) -> Json:
        rotation = resealing.rotate(caller)
        tidy()
        return to_plain(rotation)
