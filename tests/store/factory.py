"""Records to store, each with the fields a test does not care about filled in."""

from oriel.store.event_records import Delivery, Event, Schedule, ScheduleRun, Subscription
from oriel.store.records import Bundle, Extension, Install, Publisher, PublisherKey, Upload, Version

T0 = 1_795_000_000_000


def publisher(name="acme", **fields):
    return Publisher(publisher=name, prefixes=(f"com.{name}",), created_at=T0, **fields)


def key(name="acme", key_id="sha256:k1", **fields):
    return PublisherKey(publisher=name, key_id=key_id, public_key_pem="PEM", not_before=T0, **fields)


def upload(upload_id="upl_1", **fields):
    record = {
        "principal": "ann",
        "content_hash": "sha256:aa",
        "size": 3,
        "state": "open",
        "created_at": T0,
        "updated_at": T0,
    }
    return Upload(upload_id=upload_id, **(record | fields))


def version(number="1.0.0", extension_id="com.acme.notes", owner="acme", **fields):
    """The three records that `create_version` takes."""
    content_hash = fields.pop("content_hash", f"sha256:{extension_id}-{number}")
    record = {
        "version_id": f"ver_{extension_id}_{number}",
        "component_digest": "sha256:cc",
        "manifest": {"name": extension_id, "nested": [1, {"é": None}]},
        "signer_key_id": "sha256:k1",
        "published_by": "ann",
        "created_at": T0,
    }
    return (
        Extension(extension_id=extension_id, publisher=owner, created_at=T0),
        Bundle(content_hash=content_hash, size=3, component_digest="sha256:cc", created_at=T0),
        Version(
            extension_id=extension_id, version=number, content_hash=content_hash, publisher=owner, **(record | fields)
        ),
    )


def install(tenant_id="t1", extension_id="com.acme.notes", **fields):
    record = {
        "install_id": f"ins_{tenant_id}_{extension_id}",
        "version": "1.0.0",
        "status": "enabled",
        "grants": (),
        "installed_by": "ann",
        "created_at": T0,
        "updated_at": T0,
    }
    return Install(tenant_id=tenant_id, extension_id=extension_id, **(record | fields))


LATER = T0 + 86_400_000


def subscription(subscription_id="s1", tenant_id="t1", **fields):
    record = {"install_id": f"ins_{tenant_id}_com.acme.notes", "extension_id": "com.acme.notes", "topic": "order.*"}
    record |= {"path": "/on-order", "filter": {"total.currency": ["EUR", None]}, "created_at": T0}
    return Subscription(tenant_id=tenant_id, subscription_id=subscription_id, **(record | fields))


def event(event_id="evt_1", tenant_id="t1", **fields):
    record = {"topic": "order.paid", "source": "product", "data": {"n": [1, None, "é"]}, "created_at": T0}
    return Event(tenant_id=tenant_id, event_id=event_id, **({"expires_at": LATER} | record | fields))


def delivery(event_id="evt_1", subscription_id="s1", tenant_id="t1", **fields):
    record = {"topic": "order.paid", "install_id": "i1", "extension_id": "com.acme.notes", "path": "/on-order"}
    record |= {"created_at": T0, "updated_at": T0, "expires_at": LATER}
    ids = {"delivery_id": f"{event_id}.{subscription_id}", "event_id": event_id}
    return Delivery(tenant_id=tenant_id, **ids, **(record | fields))


def schedule(schedule_id="sch_1", tenant_id="t1", **fields):
    record = {"install_id": f"ins_{tenant_id}_com.acme.notes", "extension_id": "com.acme.notes"}
    record |= {"name": schedule_id, "origin": "tenant", "cron": "0 9 * * *", "timezone": "UTC", "method": "POST"}
    record |= {"path": "/digest", "payload": {"a": 1}, "next_at": T0 + 1_000, "created_by": "ann"}
    return Schedule(tenant_id=tenant_id, schedule_id=schedule_id, created_at=T0, updated_at=T0, **(record | fields))


def run(run_id="1", schedule_id="sch_1", tenant_id="t1", **fields):
    record = {"install_id": f"ins_{tenant_id}_com.acme.notes", "extension_id": "com.acme.notes"}
    record |= {"scheduled_at": T0, "state": "queued", "created_at": T0, "expires_at": LATER}
    return ScheduleRun(
        tenant_id=tenant_id, run_id=f"{schedule_id}.{run_id}", schedule_id=schedule_id, **(record | fields)
    )
