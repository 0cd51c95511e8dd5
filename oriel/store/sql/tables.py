"""The registry's tables, for SQLite and PostgreSQL alike.

Rules kept here:

- The key of every tenant's table begins with `tenant_id`, and in PostgreSQL row-level security guards the table
  (`oriel.store.sql.row_security`; a test finds a table without it).
- A change here is a migration in `oriel.store.sql.migrations` too; a test finds where the two differ.
- Guest keys are stored as their UTF-8 bytes: both databases then order them in the same way, and no collation,
  no NUL and no case rule can make two keys one.
- A foreign key stands where an orphan would be a fault. Guest records and log entries have none: they are written
  on the request path, and an entry outlives what it tells of. Nor has quarantine: what runs is what is asked about.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
)

from oriel.store.sql.types import Json, Name, OptionalJson

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _name(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Name, primary_key=key, nullable=False)


def _time(name: str, *, optional: bool = False) -> Column[int]:
    """Unix milliseconds."""
    return Column(name, BigInteger, nullable=optional)


def _json(name: str) -> Column[Any]:
    return Column(name, Json, nullable=False)


publisher = Table(
    "publisher",
    METADATA,
    _name("publisher", key=True),
    _json("prefixes"),
    _time("created_at"),
    _time("revoked_at", optional=True),
)

publisher_key = Table(
    "publisher_key",
    METADATA,
    Column("publisher", Name, ForeignKey("publisher.publisher"), primary_key=True),
    _name("key_id", key=True),
    _name("public_key_pem"),
    _time("not_before"),
    _time("not_after", optional=True),
    _time("revoked_at", optional=True),
)

upload_session = Table(
    "upload_session",
    METADATA,
    _name("upload_id", key=True),
    _name("principal"),
    _name("content_hash"),
    Column("size", BigInteger, nullable=False),
    _name("state"),
    _time("created_at"),
    _time("updated_at"),
    Column("revision", Integer, nullable=False),
    Column("extension_id", Name),
    Column("version", Name),
    _json("findings"),
    Column("attempts", Integer, nullable=False),
    Index(None, "principal", "content_hash", "upload_id"),
    Index(None, "state", "upload_id"),
)

extension_registry = Table(
    "extension_registry",
    METADATA,
    _name("extension_id", key=True),
    Column("publisher", Name, ForeignKey("publisher.publisher"), nullable=False),
    _time("created_at"),
)

extension_bundle = Table(
    "extension_bundle",
    METADATA,
    _name("content_hash", key=True),
    Column("size", BigInteger, nullable=False),
    _name("component_digest"),
    _time("created_at"),
)

extension_version = Table(
    "extension_version",
    METADATA,
    Column("extension_id", Name, ForeignKey("extension_registry.extension_id"), primary_key=True),
    _name("version", key=True),
    _name("version_id"),
    Column("content_hash", Name, ForeignKey("extension_bundle.content_hash"), nullable=False),
    _name("component_digest"),
    _json("manifest"),
    _name("publisher"),
    _name("signer_key_id"),
    _name("published_by"),
    _time("created_at"),
    _name("status"),
    UniqueConstraint("version_id"),
)

rollout = Table(
    "rollout",
    METADATA,
    _name("extension_id", key=True),
    _name("version", key=True),
    Column("percent", Integer, nullable=False),
    _name("status"),
    _name("started_by"),
    _time("created_at"),
    _time("updated_at"),
    Column("revision", Integer, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("followers", Integer, nullable=False),
    Column("moved", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    ForeignKeyConstraint(["extension_id", "version"], ["extension_version.extension_id", "extension_version.version"]),
)

claim = Table(
    "claim",
    METADATA,
    _name("name", key=True),
    _name("holder"),
    _time("until"),
)

tenant_extension_install = Table(
    "tenant_extension_install",
    METADATA,
    _name("tenant_id", key=True),
    _name("extension_id", key=True),
    _name("install_id"),
    _name("version"),
    _name("status"),
    _json("grants"),
    _json("config"),
    _name("installed_by"),
    _time("created_at"),
    _time("updated_at"),
    Column("revision", Integer, nullable=False),
    _json("limits"),
    _name("follows"),
    Column("by_rollout", Boolean, nullable=False),
    Column("previous_version", Name),
    Column("previous_config", OptionalJson),
    _time("delete_at", optional=True),
    _json("erased"),
    UniqueConstraint("tenant_id", "install_id"),
    ForeignKeyConstraint(["extension_id", "version"], ["extension_version.extension_id", "extension_version.version"]),
)
_FOLLOWS = tenant_extension_install.c.follows != ""
_GOES = tenant_extension_install.c.delete_at.is_not(None)
Index(
    "ix_tenant_extension_install_followers",
    tenant_extension_install.c.extension_id,
    tenant_extension_install.c.tenant_id,
    sqlite_where=_FOLLOWS,
    postgresql_where=_FOLLOWS,
)
Index(
    "ix_tenant_extension_install_deletions",
    tenant_extension_install.c.delete_at,
    sqlite_where=_GOES,
    postgresql_where=_GOES,
)

install_secret = Table(
    "install_secret",
    METADATA,
    _name("tenant_id", key=True),
    _name("install_id", key=True),
    _name("name", key=True),
    _name("key_id"),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    _json("hosts"),
    Column("reference_only", Boolean, nullable=False),
    _time("updated_at"),
    ForeignKeyConstraint(
        ["tenant_id", "install_id"], ["tenant_extension_install.tenant_id", "tenant_extension_install.install_id"]
    ),
)

extension_event_subscription = Table(
    "extension_event_subscription",
    METADATA,
    _name("tenant_id", key=True),
    _name("install_id", key=True),
    _name("subscription_id", key=True),
    _name("extension_id"),
    _name("topic"),
    _name("path"),
    _json("filter"),
    Column("ordered", Boolean, nullable=False),
    _time("created_at"),
    ForeignKeyConstraint(
        ["tenant_id", "install_id"], ["tenant_extension_install.tenant_id", "tenant_extension_install.install_id"]
    ),
)

guest_record = Table(
    "guest_record",
    METADATA,
    _name("tenant_id", key=True),
    _name("install_id", key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("text", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    _time("updated_at"),
    _time("expires_at", optional=True),
)

event = Table(
    "event",
    METADATA,
    _name("tenant_id", key=True),
    _name("event_id", key=True),
    _name("topic"),
    _name("source"),
    Column("key", Name),
    _json("data"),
    Column("depth", Integer, nullable=False),
    Column("caused_by", Name),
    _time("created_at"),
    _time("expires_at", optional=True),
)

event_rate = Table(
    "event_rate",
    METADATA,
    _name("tenant_id", key=True),
    _name("source", key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("emitted", Integer, nullable=False),
    _time("expires_at", optional=True),
)

event_delivery = Table(
    "event_delivery",
    METADATA,
    _name("tenant_id", key=True),
    _name("delivery_id", key=True),
    _name("event_id"),
    _name("topic"),
    _name("install_id"),
    _name("extension_id"),
    _name("path"),
    Column("lane", Name),
    _name("state"),
    Column("attempts", Integer, nullable=False),
    Column("reason", Name),
    Column("status", Integer),
    Column("execution_id", Name),
    _time("created_at"),
    _time("updated_at"),
    _time("due_at", optional=True),
    _time("expires_at", optional=True),
    Index(None, "tenant_id", "state", "delivery_id"),
)

schedule = Table(
    "schedule",
    METADATA,
    _name("tenant_id", key=True),
    _name("schedule_id", key=True),
    _name("install_id"),
    _name("extension_id"),
    _name("name"),
    _name("origin"),
    _name("cron"),
    _name("timezone"),
    _name("method"),
    _name("path"),
    Column("payload", OptionalJson),
    Column("enabled", Boolean, nullable=False),
    _name("missed"),
    Column("overlap", Boolean, nullable=False),
    _time("next_at", optional=True),
    Column("off_reason", Name),
    _name("created_by"),
    _time("created_at"),
    _time("updated_at"),
    Column("revision", Integer, nullable=False),
    UniqueConstraint("tenant_id", "install_id", "name"),
    ForeignKeyConstraint(
        ["tenant_id", "install_id"], ["tenant_extension_install.tenant_id", "tenant_extension_install.install_id"]
    ),
)

schedule_run = Table(
    "schedule_run",
    METADATA,
    _name("tenant_id", key=True),
    _name("run_id", key=True),
    _name("schedule_id"),
    _name("install_id"),
    _name("extension_id"),
    _time("scheduled_at", optional=True),
    _name("state"),
    Column("attempts", Integer, nullable=False),
    Column("reason", Name),
    Column("status", Integer),
    Column("execution_id", Name),
    _time("created_at"),
    _time("started_at", optional=True),
    _time("finished_at", optional=True),
    _time("expires_at", optional=True),
)

due_work = Table(
    "due_work",
    METADATA,
    _name("tenant_id", key=True),
    _name("kind", key=True),
    _name("item_id", key=True),
    Column("lane", Name),
    _time("due_at"),
    Index(None, "due_at", "tenant_id"),
    Index(None, "tenant_id", "due_at"),
    Index(None, "tenant_id", "lane", "item_id"),
)

repeated_request = Table(
    "repeated_request",
    METADATA,
    _name("tenant_id", key=True),
    _name("install_id", key=True),
    _name("key", key=True),
    _name("fingerprint"),
    _name("claim"),
    _time("created_at"),
    _time("expires_at"),
    Column("status", Integer),
    _json("headers"),
    Column("body", LargeBinary),
)

extension_execution_log = Table(
    "extension_execution_log",
    METADATA,
    _name("tenant_id", key=True),
    _name("execution_id", key=True),
    _name("request_id"),
    _name("extension_id"),
    _name("install_id"),
    _name("version"),
    _name("version_id"),
    _name("content_hash"),
    _name("trigger"),
    _name("method"),
    _name("path"),
    Column("status", Integer, nullable=False),
    Column("error_code", Name),
    _time("started_at"),
    _json("receipt"),
    _json("logs"),
    _time("recorded_at"),
    _time("expires_at", optional=True),
    *(Index(None, "tenant_id", name, "execution_id") for name in ("extension_id", "install_id", "version_id")),
    *(Index(None, "tenant_id", name, "execution_id") for name in ("content_hash", "request_id")),
)

extension_quota_usage = Table(
    "extension_quota_usage",
    METADATA,
    _name("tenant_id", key=True),
    _name("window", key=True),
    _name("extension_id", key=True),
    _name("version", key=True),
    Column("invocations", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("cpu_ms", Float, nullable=False),
    Column("memory_mb_ms", Float, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("egress_bytes", "kv_reads", "kv_writes", "log_bytes")),
    Index(None, "window", "tenant_id", "extension_id", "version"),
)

extension_usage_minute = Table(
    "extension_usage_minute",
    METADATA,
    _name("tenant_id", key=True),
    Column("minute", BigInteger, primary_key=True),
    _name("extension_id", key=True),
    Column("bucket", Integer, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in ("invocations", "failures", "cold")),
    *(Column(name, Float, nullable=False) for name in ("duration_ms", "cpu_ms")),
    Column("egress_bytes", BigInteger, nullable=False),
    _time("expires_at", optional=True),
)

quarantine = Table(
    "quarantine",
    METADATA,
    _name("content_hash", key=True),
    _name("extension_id"),
    Column("deaths", Integer, nullable=False),
    _name("reason"),
    _time("created_at"),
)

audit_entry = Table(
    "audit_entry",
    METADATA,
    _name("tenant_id", key=True),  # empty for no tenant: a key has no NULL
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _name("audit_id"),
    _time("at"),
    _name("actor"),
    _name("action"),
    _name("target"),
    Column("before", OptionalJson),
    Column("after", OptionalJson),
    _name("previous"),
    _name("digest"),
)

audit_head = Table(
    "audit_head",
    METADATA,
    _name("tenant_id", key=True),
    Column("sequence", BigInteger, nullable=False),
    _name("digest"),
)

api_key = Table(
    "api_key",
    METADATA,
    _name("tenant_id", key=True),  # empty for no tenant, as in the audit
    _name("key_id", key=True),
    _name("name"),
    _name("secret_hash"),
    _json("permissions"),
    Column("extension_id", Name),
    _name("created_by"),
    _time("created_at"),
    _time("expires_at"),
    _time("revoked_at", optional=True),
)

quota_defaults = Table(
    "quota_defaults",
    METADATA,
    _name("name", key=True),  # there is one row
    _json("tenant"),
    _json("install"),
    _name("updated_by"),
    _time("updated_at"),
)

tenant_quota = Table(
    "tenant_quota",
    METADATA,
    _name("tenant_id", key=True),
    _name("extension_id", key=True),  # empty for the tenant as a whole
    _json("values"),
    _name("updated_by"),
    _time("updated_at"),
)

rate_lease = Table(
    "rate_lease",
    METADATA,
    _name("tenant_id", key=True),
    _name("bucket", key=True),
    Column("tokens", Float, nullable=False),
    _time("refilled_at"),
    _name("day"),
    Column("invocations", BigInteger, nullable=False),
    Column("cpu_ms", Float, nullable=False),
    Column("memory_mb_ms", Float, nullable=False),
    Column("egress_bytes", BigInteger, nullable=False),
    _json("holders"),
    Column("revision", BigInteger, nullable=False),
)

data_key = Table(
    "data_key",
    METADATA,
    _name("key_id", key=True),
    _time("created_at"),
    _time("resealed_at", optional=True),
    Column("resealed", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
)

execution_fixture = Table(
    "execution_fixture",
    METADATA,
    _name("tenant_id", key=True),
    _name("install_id", key=True),
    _name("execution_id", key=True),
    _name("extension_id"),
    _name("version"),
    _name("content_hash"),
    _name("reason"),
    _time("created_at"),
    _time("expires_at"),
    _name("key_id"),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
)

EXPIRING = (
    guest_record,
    repeated_request,
    event,
    event_rate,
    event_delivery,
    schedule_run,
    extension_execution_log,
    extension_usage_minute,
    execution_fixture,
)
"""What is purged when its `expires_at` has come."""

for _table in EXPIRING:
    _expires = _table.c.expires_at.is_not(None)
    Index(None, _table.c.expires_at, sqlite_where=_expires, postgresql_where=_expires)
