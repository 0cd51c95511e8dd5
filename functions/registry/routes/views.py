"""Records as JSON objects: what callers are shown, field by field."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from oriel.blobs import Presigned
from oriel.clock import now_ms
from oriel.identity import Principal
from oriel.published import Published
from oriel.store.policy_records import ApiKey
from oriel.store.records import Install, Page, Publisher, PublisherKey, Quarantine, StoredSecret, Upload, Version
from oriel.values import to_plain
from registry.catalogue import asks
from registry.core import Registry
from registry.grants import is_live
from registry.installs import Installs

T = TypeVar("T")
Json = dict[str, Any]


def page(found: Page[T], view: Callable[[T], Json]) -> Json:
    return {"items": [view(item) for item in found.items], "cursor": found.cursor}


def whole(items: Iterable[Json]) -> Json:
    """A listing that is never cut."""
    return {"items": list(items), "cursor": None}


def principal(caller: Principal) -> Json:
    """Who asks, and what that permits."""
    view = {name: getattr(caller, name) for name in ("subject", "tenant_id", "name", "email", "roles", "extension_id")}
    return {**view, "permissions": sorted(caller.permissions)}


def upload(record: Upload, address: Presigned | None = None) -> Json:
    """A session; `address` is where the blob store itself takes its bytes."""
    path = f"/api/v1/uploads/{record.upload_id}"
    findings = [{"code": code, "at": at, "message": message} for code, at, message in record.findings]
    view = {name: getattr(record, name) for name in ("upload_id", "state", "content_hash", "size")}
    view |= {"extension_id": record.extension_id, "version": record.version, "findings": findings}
    view |= {"upload_url": address.url if address else f"{path}/bundle", "finalize_url": f"{path}/finalize"}
    view |= {"upload_headers": dict(address.headers) if address else {}}
    return view | {"created_at": record.created_at, "updated_at": record.updated_at}


def publisher(record: Publisher) -> Json:
    return to_plain(record)


def publisher_key(record: PublisherKey) -> Json:
    return to_plain(record)


def quarantine(record: Quarantine) -> Json:
    return to_plain(record)


def version_line(record: Version) -> Json:
    """A version in a list."""
    names = ("version", "version_id", "status", "content_hash", "publisher", "created_at")
    return {name: getattr(record, name) for name in names}


def version(record: Version, size: int) -> Json:
    """A version with all that an administrator looks at before installing."""
    manifest = Published.read(record.manifest)
    return {
        **version_line(record),
        "extension_id": record.extension_id,
        "title": manifest.title,
        "description": manifest.description,
        "capabilities": list(asks(manifest)),
        "signer_key_id": record.signer_key_id,
        "published_by": record.published_by,
        "component_digest": record.component_digest,
        "size": size,
        "manifest": record.manifest,
    }


def install(record: Install, manifest: Published, now: int) -> Json:
    """An install; `missing` is what its version asks for and the tenant has not granted, or no longer grants."""
    granted = {grant.capability for grant in record.grants if is_live(grant, now)}
    missing = [ask for ask in asks(manifest) if ask["name"] not in granted]
    return {**to_plain(record), "title": manifest.title, "missing": missing}


def install_of(registry: Registry) -> Callable[[Install], Json]:
    """The view of an install as it is now."""
    installs = Installs(registry)
    return lambda record: install(record, installs.manifest(record), registry.now())


def secret(record: StoredSecret) -> Json:
    """Everything but what is sealed."""
    names = ("name", "hosts", "reference_only", "updated_at")
    return {name: getattr(record, name) for name in names}


def api_key(record: ApiKey) -> Json:
    """Everything but the hash; `state` is `live`, `expired` or `revoked`."""
    view = {name: value for name, value in to_plain(record).items() if name not in {"tenant_id", "secret_hash"}}
    over = "expired" if now_ms() >= record.expires_at else "live"
    return view | {"state": "revoked" if record.revoked_at is not None else over}
