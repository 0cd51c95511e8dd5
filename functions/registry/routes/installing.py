"""Routes of tenants' administrators: the catalogue, installs, grants, configuration, secrets, the menu."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field, SecretStr

from oriel.manifest import LimitsRequest
from oriel.store.records import Extension
from registry.catalogue import Catalogue
from registry.core import Registry
from registry.installs import Installs, SecretRequest
from registry.routes import views
from registry.routes.body import Body, Grants
from registry.routes.caller import Caller, ConfiguringCaller, Cursor, InstallingCaller, Limit

Json = dict[str, Any]


class CreateInstall(Body):
    extension_id: str = Field(max_length=128)
    version: str | None = Field(default=None, max_length=100)
    grants: Grants | None = None
    config: dict[str, Any] | None = None


class ChangeInstall(Body):
    status: Literal["enabled", "disabled"] | None = None
    config: dict[str, Any] | None = None
    limits: LimitsRequest | None = None


class SetConfig(Body):
    config: dict[str, Any]


class SetSecret(Body):
    value: SecretStr
    hosts: tuple[str, ...] = Field(default=(), max_length=32)
    reference_only: bool = False


def catalogue_routes(routes: APIRouter, registry: Registry) -> None:
    """What every authenticated caller may look at."""
    catalogue = Catalogue(registry)

    def line(extension: Extension) -> Json:
        latest = catalogue.latest(extension.extension_id)
        return {
            "extension_id": extension.extension_id,
            "publisher": extension.publisher,
            "created_at": extension.created_at,
            "latest": latest.version if latest else None,
            "title": latest.manifest["title"] if latest else None,
        }

    @routes.get("/me")
    def me(caller: Caller) -> Json:
        return views.principal(caller)

    @routes.get("/extensions")
    def list_extensions(caller: Caller, cursor: Cursor = None, limit: Limit = 50) -> Json:
        return views.page(catalogue.page(cursor, limit), line)

    @routes.get("/extensions/{extension_id}")
    def get_extension(extension_id: str, caller: Caller) -> Json:
        extension = catalogue.extension(extension_id)
        versions = [views.version_line(version) for version in catalogue.versions(extension_id)]
        return {**line(extension), "versions": versions}

    @routes.get("/extensions/{extension_id}/versions/{version}")
    def get_version(extension_id: str, version: str, caller: Caller) -> Json:
        found = catalogue.version(extension_id, version)
        return views.version(found, catalogue.size(found))


def install_routes(routes: APIRouter, registry: Registry) -> None:
    """What administrators do for their tenant, and the menu that every user of it sees."""
    installs, view = Installs(registry), views.install_of(registry)
    _secret_routes(routes, installs)

    @routes.get("/menu")
    def menu(caller: Caller) -> Json:
        return {"items": list(installs.menu(caller.require_tenant()))}

    @routes.post("/installs", status_code=201)
    def create_install(body: CreateInstall, caller: InstallingCaller, response: Response) -> Json:
        install, new = installs.install(caller, body.extension_id, body.version, body.grants, body.config)
        response.status_code = 201 if new else 200
        return view(install)

    @routes.get("/installs")
    def list_installs(caller: Caller, cursor: Cursor = None, limit: Limit = 50) -> Json:
        return views.page(installs.page(caller.require_tenant(), cursor, limit), view)

    @routes.get("/installs/{extension_id}")
    def get_install(extension_id: str, caller: Caller) -> Json:
        return view(installs.find(caller.require_tenant(), extension_id))

    @routes.patch("/installs/{extension_id}")
    def change_install(extension_id: str, body: ChangeInstall, caller: InstallingCaller) -> Json:
        changed = installs.change(
            caller,
            extension_id,
            status=body.status,
            config=body.config,
            limits=body.limits,
        )
        return view(changed)

    @routes.put("/installs/{extension_id}/config")
    def set_config(extension_id: str, body: SetConfig, caller: ConfiguringCaller) -> Json:
        return view(installs.set_config(caller, extension_id, body.config))


def _secret_routes(routes: APIRouter, installs: Installs) -> None:

    @routes.get("/installs/{extension_id}/secrets")
    def list_secrets(extension_id: str, caller: ConfiguringCaller) -> Json:
        return views.whole(map(views.secret, installs.secrets(caller.require_tenant(), extension_id)))

    @routes.put("/installs/{extension_id}/secrets/{name}")
    def put_secret(extension_id: str, name: str, body: SetSecret, caller: ConfiguringCaller) -> Json:
        secret = SecretRequest(body.value.get_secret_value().encode(), body.hosts, body.reference_only)
        return views.secret(installs.put_secret(caller, extension_id, name, secret))

    @routes.delete("/installs/{extension_id}/secrets/{name}", status_code=204)
    def delete_secret(extension_id: str, name: str, caller: ConfiguringCaller) -> None:
        installs.delete_secret(caller, extension_id, name)
