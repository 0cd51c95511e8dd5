"""Routes of the audit: a tenant's own chain, the platform's, and whether they are whole."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from oriel import strict_json
from oriel.values import to_plain
from registry.audits import Audits, Verification
from registry.core import Registry
from registry.routes import views
from registry.routes.caller import ConfiguringCaller, Cursor, Limit, OperatingCaller

Json = dict[str, Any]
FewAtOnce = Annotated[int, Query(ge=1, le=20)]


class Verify(BaseModel):
    """What to hold a chain against, beside what the platform keeps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint: dict[str, Any] | None = None


def auditing_routes(routes: APIRouter, registry: Registry) -> None:
    audits = Audits(registry)

    @routes.get("/audit")
    def list_audit(caller: ConfiguringCaller, cursor: Cursor = None, limit: Limit = 50) -> Json:
        return views.page(audits.page(caller.require_tenant(), cursor, limit), to_plain)

    @routes.post("/audit/verify")
    def verify_audit(body: Verify, caller: ConfiguringCaller) -> Json:
        return verification(audits.verify(caller.require_tenant(), _envelope(body)))

    @routes.get("/audit/checkpoint")
    def get_checkpoint(caller: ConfiguringCaller) -> Json:
        return audits.checkpoint(caller.require_tenant())

    @routes.get("/audit/platform")
    def list_platform_audit(caller: OperatingCaller, cursor: Cursor = None, limit: Limit = 50) -> Json:
        return views.page(audits.page(None, cursor, limit), to_plain)

    @routes.post("/audit/platform/verify")
    def verify_platform_audit(body: Verify, caller: OperatingCaller) -> Json:
        return verification(audits.verify(None, _envelope(body)))

    @routes.get("/audit/platform/checkpoint")
    def get_platform_checkpoint(caller: OperatingCaller) -> Json:
        return audits.checkpoint(None)

    @routes.post("/audit/chains/verify")
    def verify_chains(caller: OperatingCaller, cursor: Cursor = None, limit: FewAtOnce = 20) -> Json:
        return views.page(audits.verify_page(cursor, limit), verification)


def verification(found: Verification) -> Json:
    return {**to_plain(found), "intact": found.intact}


def _envelope(body: Verify) -> bytes | None:
    return None if body.checkpoint is None else strict_json.dumps(body.checkpoint)
