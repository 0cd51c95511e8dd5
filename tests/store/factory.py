"""Records to store, each with the fields a test does not care about filled in."""

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
