"""One of each thing that the registry answers with, for the HTTP reference: records, and the registry's views of them.

Ids, hashes and times are fixed, so that the page is the same every time.
"""

from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from oriel.contract import LogLine, Receipt
from oriel.manifest import Manifest
from oriel.store import event_records, records
from oriel.store.audit import chained, head_of
from oriel.store.policy_records import ApiKey, QuotaSetting, StoredDataKey
from registry.audits import Verification
from registry.core import Registry
from registry.differences import differences, more
from registry.installs import Installs
from registry.leaving import receipt
from registry.quotas import QuotaBook
from registry.routes import views
from registry.routes.auditing import verification

Json = dict[str, Any]
MANIFEST = Path(__file__).resolve().parents[1] / "examples" / "pulse" / "manifest.json"
MOMENT = 1_795_492_101_893
HASH = "sha256:" + "2c" * 32
KEY_ID = "sha256:" + "86" * 32
TENANT = "northwind"
ADMIN = "northwind/ada"


def samples(registry: Registry) -> dict[str, Json]:
    """By name, as JSON objects. They are written to the registry's store, which is empty before."""
    manifest = Manifest.parse(MANIFEST.read_bytes())
    publisher = records.Publisher(publisher=manifest.publisher, prefixes=(manifest.publisher,), created_at=MOMENT)
    version, install = _version(manifest), _install(manifest)
    extension = records.Extension(extension_id=manifest.name, publisher=manifest.publisher, created_at=MOMENT)
    bundle = records.Bundle(content_hash=HASH, size=3_461_651, component_digest=HASH, created_at=MOMENT)
    registry.store.put_publisher(publisher)
    registry.store.create_version(extension, bundle, version)
    registry.store.create_install(install)
    return {
        "Upload": views.upload(_upload(manifest)),
        "Publisher": views.publisher(publisher),
        "Key": views.publisher_key(_key(manifest)),
        "Quarantine": views.quarantine(_quarantine(manifest)),
        "Version": {**views.version(version, bundle.size), "manifest": {"…": "the manifest, whole"}},
        "Install": views.install(install, manifest, MOMENT),
        **_life(registry, manifest, install, version),
        "Menu item": next(Installs(registry).menu(TENANT)),
        "Secret": views.secret(_secret()),
        "Execution": asdict(_execution(manifest)),
        "Usage": asdict(_usage(manifest)) | {"cost": "0.000338"},
        "API key": views.api_key(_api_key(manifest)) | {"state": "live"},
        "Quotas": _quotas(registry, manifest),
        "Data key": asdict(StoredDataKey(key_id="key_02", created_at=MOMENT, resealed_at=MOMENT + 9_000, resealed=12)),
        "Audit entry": asdict(_audit_entry(manifest)),
        "Verification": verification(Verification(TENANT, 12, head_of(_audit_entry(manifest)), 1, ())),
        "Event": asdict(EVENT),
        "Subscription": asdict(_subscription(manifest)),
        "Delivery": asdict(_delivery(manifest)),
        "Schedule": {**asdict(_schedule(manifest)), "next_runs": [MOMENT + 86_400_000 * day for day in range(5)]},
        "Run": asdict(_run(manifest)),
    }


EVENT = event_records.Event(
    tenant_id=TENANT,
    event_id="evt_01",
    topic="order.paid",
    source="product",
    key="o-17",
    data={"order": "o-17"},
    created_at=MOMENT,
    expires_at=MOMENT + 14 * 86_400_000,
)


def _subscription(manifest: Manifest) -> event_records.Subscription:
    return event_records.Subscription(
        tenant_id=TENANT,
        install_id="ins_01",
        subscription_id="5e0c1a2b3c4d5e6f",
        extension_id=manifest.name,
        topic="order.*",
        path="/on-order",
        filter={"total.currency": ["EUR", "CHF"]},
        ordered=True,
        created_at=MOMENT,
    )


def _delivery(manifest: Manifest) -> event_records.Delivery:
    return event_records.Delivery(
        tenant_id=TENANT,
        delivery_id="evt_01.5e0c1a2b3c4d5e6f",
        event_id="evt_01",
        topic="order.paid",
        install_id="ins_01",
        extension_id=manifest.name,
        path="/on-order",
        state="dead",
        attempts=10,
        reason="guest_trap",
        status=502,
        execution_id="exe_01",
        created_at=MOMENT,
        updated_at=MOMENT,
        expires_at=EVENT.expires_at,
    )


def _schedule(manifest: Manifest) -> event_records.Schedule:
    return event_records.Schedule(
        tenant_id=TENANT,
        schedule_id="sch_01",
        install_id="ins_01",
        extension_id=manifest.name,
        name="digest",
        origin="manifest",
        cron="0 8 * * mon-fri",
        timezone="Europe/Berlin",
        method="POST",
        path="/digest",
        next_at=MOMENT,
        created_by=ADMIN,
        created_at=MOMENT,
        updated_at=MOMENT,
    )


def _run(manifest: Manifest) -> event_records.ScheduleRun:
    return event_records.ScheduleRun(
        tenant_id=TENANT,
        run_id="sch_01.run_01",
        schedule_id="sch_01",
        install_id="ins_01",
        extension_id=manifest.name,
        scheduled_at=MOMENT,
        state="succeeded",
        attempts=1,
        status=204,
        execution_id="exe_01",
        created_at=MOMENT,
        started_at=MOMENT,
        finished_at=MOMENT + 12,
        expires_at=MOMENT + 30 * 86_400_000,
    )


def _upload(manifest: Manifest) -> records.Upload:
    return records.Upload(
        upload_id="upl_01",
        principal="/ci",
        content_hash=HASH,
        size=3_461_651,
        state="rejected",
        extension_id=manifest.name,
        version=manifest.version,
        findings=(("invalid_component", "component", "takes more than 120 seconds to compile"),),
        created_at=MOMENT,
        updated_at=MOMENT,
    )


def _key(manifest: Manifest) -> records.PublisherKey:
    pem = "-----BEGIN PUBLIC KEY-----\n…"
    return records.PublisherKey(publisher=manifest.publisher, key_id=KEY_ID, public_key_pem=pem, not_before=MOMENT)


def _quarantine(manifest: Manifest) -> records.Quarantine:
    reason = "It was inside 3 workers that ended within ten minutes, alone in 2 of them."
    return records.Quarantine(content_hash=HASH, extension_id=manifest.name, deaths=3, reason=reason, created_at=MOMENT)


def _version(manifest: Manifest) -> records.Version:
    return records.Version(
        extension_id=manifest.name,
        version=manifest.version,
        version_id="ver_01",
        content_hash=HASH,
        component_digest=HASH,
        manifest=manifest.to_json(),
        publisher=manifest.publisher,
        signer_key_id=KEY_ID,
        published_by="/ci",
        created_at=MOMENT,
    )


def _install(manifest: Manifest) -> records.Install:
    granted = records.Grant(capability="storage.kv", granted_by=ADMIN, granted_at=MOMENT)
    return records.Install(
        tenant_id=TENANT,
        extension_id=manifest.name,
        install_id="ins_01",
        version=manifest.version,
        status="enabled",
        grants=(granted,),
        config={"alert_at": 6},
        installed_by=ADMIN,
        created_at=MOMENT,
        updated_at=MOMENT,
    )


def _secret() -> records.StoredSecret:
    return records.StoredSecret(
        tenant_id=TENANT,
        install_id="ins_01",
        name="WEBHOOK_TOKEN",
        key_id="key_01",
        nonce=b"",
        ciphertext=b"",
        hosts=("hooks.acme.example",),
        reference_only=True,
        updated_at=MOMENT,
    )


def _execution(manifest: Manifest) -> records.Execution:
    return records.Execution(
        tenant_id=TENANT,
        execution_id="exe_01",
        request_id="req_01",
        extension_id=manifest.name,
        install_id="ins_01",
        version=manifest.version,
        version_id="ver_01",
        content_hash=HASH,
        trigger="http",
        method="GET",
        path="/board",
        status=200,
        error_code=None,
        started_at=MOMENT,
        receipt=Receipt(
            duration_ms=10.3, cpu_ms=6.0, peak_memory_bytes=10_055_680, host_calls=3, kv_reads=13
        ).to_plain(),
        logs=(LogLine(at_ms=1.5, level="info", message="13 weeks").to_plain(),),
        recorded_at=MOMENT + 200,
        expires_at=MOMENT + 30 * 86_400_000,
    )


def _life(
    registry: Registry, manifest: Manifest, install: records.Install, version: records.Version
) -> dict[str, Json]:
    """What is said of other versions, of a deletion and of a rollout."""
    asked = [request.model_dump(mode="json") for request in manifest.capabilities[1:]]
    after = replace(version, version="1.1.0", manifest={**manifest.to_json(), "version": "1.1.0"})
    before = replace(version, manifest={**manifest.to_json(), "capabilities": asked})
    entry = records.AuditEntry(
        tenant_id=TENANT, audit_id="aud_02", at=MOMENT, actor=ADMIN, action="install.delete", target=manifest.name
    )
    rollout = records.Rollout(
        extension_id=manifest.name,
        version="1.1.0",
        percent=10,
        status="active",
        started_by="/ci",
        created_at=MOMENT,
        updated_at=MOMENT,
        followers=40,
        moved=4,
    )
    upgrade = {
        "extension_id": manifest.name,
        "from": version.version,
        "to": "1.1.0",
        "direction": "upgrade",
        "follows": "^1.0.0",
        "changes": differences(before, after, (3_461_651, 3_470_020)),
        "needs_consent": more(Manifest.parse(before.manifest), Manifest.parse(after.manifest)),
        "keeps": ["storage.kv"],
        "config_findings": [],
    }
    counts = {"secrets": 1, "records": 13, "executions": 208}
    return {"Upgrade": upgrade, "Receipt": receipt(entry, install, counts), "Rollout": asdict(rollout)}


def _audit_entry(manifest: Manifest) -> records.ChainedEntry:
    changed = records.AuditEntry(
        tenant_id=TENANT,
        audit_id="aud_01",
        at=MOMENT,
        actor=ADMIN,
        action="config.set",
        target=manifest.name,
        before={"config": {"alert_at": 5}},
        after={"config": {"alert_at": 6}},
    )
    return chained(changed, records.AuditHead(tenant_id=TENANT, sequence=11, digest=HASH))


def _usage(manifest: Manifest) -> records.Usage:
    return records.Usage(
        tenant_id=TENANT,
        extension_id=manifest.name,
        version=manifest.version,
        window="2026-11-24",
        invocations=3,
        failures=0,
        duration_ms=290.4,
        cpu_ms=21.4,
        memory_mb_ms=2_926.3,
        egress_bytes=0,
    )


def _api_key(manifest: Manifest) -> ApiKey:
    return ApiKey(
        tenant_id=TENANT,
        key_id="key_01",
        name="Nightly import",
        secret_hash="",
        permissions=("invoke:read", "invoke:write"),
        extension_id=manifest.name,
        created_by=ADMIN,
        created_at=MOMENT,
        expires_at=MOMENT + 90 * 86_400_000,
    )


def _quotas(registry: Registry, manifest: Manifest) -> Json:
    values = {"daily_invocations": 10_000}
    setting = QuotaSetting(
        tenant_id=TENANT, extension_id=manifest.name, values=values, updated_by="/ops", updated_at=MOMENT
    )
    registry.store.put_quota(setting)
    return QuotaBook(replace(registry, now=lambda: MOMENT)).view(TENANT)
