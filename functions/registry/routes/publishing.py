"""Routes of publishers and operators: uploads, publishers and keys, the status of versions, quarantine."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import anyio
import anyio.from_thread
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from oriel.errors import OrielError
from oriel.store.records import VersionStatus
from oriel.values import to_plain
from registry.catalogue import Catalogue
from registry.collecting import Collector
from registry.core import Registry, principal_id
from registry.publishers import Publishers
from registry.quarantine import Quarantines
from registry.routes import views
from registry.routes.body import Body
from registry.routes.caller import Caller, Cursor, Limit, OperatingCaller, PublishingCaller
from registry.uploads import Uploads

Json = dict[str, Any]
ContentHash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]

UPLOADS_AT_ONCE = 8  # each one holds a thread of its own, so that slow senders hold up no other request
CHUNK_SECONDS = 30


class OpenUpload(Body):
    content_hash: ContentHash
    size: int = Field(ge=1)


class FinalizeUpload(Body):
    signature: dict[str, Any] | None = None


class RegisterPublisher(Body):
    publisher: str = Field(max_length=128)
    prefixes: tuple[str, ...] = Field(default=(), max_length=32)


class RegisterKey(Body):
    public_key_pem: str = Field(max_length=16_384)
    not_before: int | None = Field(default=None, ge=0)
    not_after: int | None = Field(default=None, ge=0)


class Collect(Body):
    dry_run: bool = True


class SetStatus(Body):
    status: VersionStatus


def publishing_routes(routes: APIRouter, registry: Registry, wake: Callable[[str], None]) -> None:
    """Args: wake: tells the publisher that a session was finalized."""
    uploads, publishers, catalogue = Uploads(registry), Publishers(registry), Catalogue(registry)
    slots = CapacityLimiter(UPLOADS_AT_ONCE)

    @routes.post("/uploads", status_code=201)
    def open_upload(body: OpenUpload, caller: PublishingCaller, response: Response) -> Json:
        upload, new = uploads.open(principal_id(caller), body.content_hash, body.size)
        response.status_code = 201 if new else 200
        return views.upload(upload, uploads.address(upload))

    @routes.get("/uploads/{upload_id}")
    def get_upload(upload_id: str, caller: PublishingCaller) -> Json:
        upload = uploads.get(principal_id(caller), upload_id)
        return views.upload(upload, uploads.address(upload))

    @routes.put("/uploads/{upload_id}/bundle")
    async def receive_bundle(upload_id: str, caller: PublishingCaller, request: Request) -> Json:
        chunks = _from_thread(request)
        upload = await run_sync(uploads.receive, principal_id(caller), upload_id, chunks, limiter=slots)
        return views.upload(upload)

    @routes.post("/uploads/{upload_id}/finalize", status_code=202)
    def finalize(upload_id: str, body: FinalizeUpload, caller: PublishingCaller, response: Response) -> Json:
        upload = uploads.finalize(principal_id(caller), upload_id, body.signature)
        wake(upload_id)
        response.headers["location"] = f"/api/v1/uploads/{upload_id}"
        return views.upload(upload)

    @routes.post("/publishers", status_code=201)
    def register_publisher(body: RegisterPublisher, caller: OperatingCaller, response: Response) -> Json:
        publisher, new = publishers.register(caller, body.publisher, body.prefixes)
        response.status_code = 201 if new else 200
        return views.publisher(publisher)

    @routes.get("/publishers")
    def list_publishers(caller: Caller, cursor: Cursor = None, limit: Limit = 100) -> Json:
        return views.page(publishers.page(cursor, limit), views.publisher)

    @routes.get("/publishers/{publisher}")
    def get_publisher(publisher: str, caller: Caller) -> Json:
        keys = [views.publisher_key(key) for key in publishers.keys(publisher)]
        return {**views.publisher(publishers.get(publisher)), "keys": keys}

    @routes.post("/publishers/{publisher}/keys", status_code=201)
    def add_key(publisher: str, body: RegisterKey, caller: OperatingCaller) -> Json:
        key = publishers.add_key(caller, publisher, body.public_key_pem, body.not_before, body.not_after)
        return views.publisher_key(key)

    @routes.post("/publishers/{publisher}/keys/{key_id}/revoke")
    def revoke_key(publisher: str, key_id: str, caller: OperatingCaller) -> Json:
        return views.publisher_key(publishers.revoke_key(caller, publisher, key_id))

    @routes.post("/publishers/{publisher}/revoke")
    def revoke_publisher(publisher: str, caller: OperatingCaller) -> Json:
        return views.publisher(publishers.revoke(caller, publisher))

    @routes.post("/extensions/{extension_id}/versions/{version}/status")
    def set_status(extension_id: str, version: str, body: SetStatus, caller: Caller) -> Json:
        changed = catalogue.set_status(caller, extension_id, version, body.status)
        return views.version(changed, catalogue.size(changed))

    _quarantine_routes(routes, registry)


def _quarantine_routes(routes: APIRouter, registry: Registry) -> None:
    quarantines = Quarantines(registry)

    @routes.post("/collection")
    def collect(body: Collect, caller: OperatingCaller) -> Json:
        return to_plain(Collector(registry).collect(caller, dry_run=body.dry_run))

    @routes.get("/quarantine")
    def list_quarantine(caller: OperatingCaller, cursor: Cursor = None, limit: Limit = 100) -> Json:
        return views.page(quarantines.page(cursor, limit), views.quarantine)

    @routes.delete("/quarantine/{content_hash}", status_code=204)
    def lift_quarantine(content_hash: ContentHash, caller: OperatingCaller) -> None:
        quarantines.lift(caller, content_hash)


def _from_thread(request: Request) -> Iterator[bytes]:
    """The request's body for a thread that blocks: it arrives no faster than it is written."""
    stream = request.stream()

    async def following() -> bytes | None:
        with anyio.move_on_after(CHUNK_SECONDS):
            return await anext(stream, None)
        raise OrielError("malformed_request", f"No more of the body came within {CHUNK_SECONDS} seconds.")

    while (chunk := anyio.from_thread.run(following)) is not None:
        yield chunk
