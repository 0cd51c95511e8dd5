"""The tables of the first release, and the policies that keep tenants apart in PostgreSQL."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from oriel.store.sql.migrations.tenancy import (
    isolate,
    isolate_append_only,
    isolate_head,
    isolate_installs,
    isolate_queue,
    isolate_with_platform,
    isolate_with_purge,
    open_to_reader,
)

revision = "0001"
down_revision = None

EXPIRING = (
    "guest_record",
    "repeated_request",
    "event",
    "event_rate",
    "event_delivery",
    "schedule_run",
    "extension_execution_log",
    "extension_usage_minute",
    "execution_fixture",
)


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=null)


def _json(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=null)


def _bytes(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _boolean(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _integer(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def _big(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _float(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Float(), nullable=False)


def upgrade() -> None:
    _create_platform_tables()
    _create_tenant_tables()
    _create_event_tables()
    _create_schedule_tables()
    _create_policy_tables()
    isolate_installs("tenant_extension_install")
    for table in ("install_secret", "extension_event_subscription"):
        isolate(table)
    for table in ("extension_quota_usage", "tenant_quota", "rate_lease"):
        isolate(table)
    isolate("schedule")
    open_to_reader("extension_quota_usage", "billing")
    for table in EXPIRING:
        _expires(table)
        isolate_with_purge(table)
    isolate_queue("due_work")
    isolate_with_platform("api_key")
    open_to_reader("install_secret", "reseal")
    isolate_append_only("audit_entry")
    isolate_head("audit_head")


def _expires(table: str) -> None:
    some = sa.text("expires_at IS NOT NULL")
    op.create_index(f"ix_{table}_expires_at", table, ["expires_at"], sqlite_where=some, postgresql_where=some)


def _create_platform_tables() -> None:
    op.create_table(
        "publisher",
        _text("publisher"),
        _json("prefixes"),
        _big("created_at"),
        _big("revoked_at", null=True),
        sa.PrimaryKeyConstraint("publisher", name="pk_publisher"),
    )

    op.create_table(
        "publisher_key",
        _text("publisher"),
        _text("key_id"),
        _text("public_key_pem"),
        _big("not_before"),
        _big("not_after", null=True),
        _big("revoked_at", null=True),
        sa.PrimaryKeyConstraint("publisher", "key_id", name="pk_publisher_key"),
        sa.ForeignKeyConstraint(["publisher"], ["publisher.publisher"], name="fk_publisher_key_publisher"),
    )

    op.create_table(
        "upload_session",
        _text("upload_id"),
        _text("principal"),
        _text("content_hash"),
        _big("size"),
        _text("state"),
        _big("created_at"),
        _big("updated_at"),
        _integer("revision"),
        _text("extension_id", null=True),
        _text("version", null=True),
        _json("findings"),
        _integer("attempts"),
        sa.PrimaryKeyConstraint("upload_id", name="pk_upload_session"),
    )
    op.create_index(
        "ix_upload_session_principal_content_hash_upload_id",
        "upload_session",
        ["principal", "content_hash", "upload_id"],
    )
    op.create_index("ix_upload_session_state_upload_id", "upload_session", ["state", "upload_id"])

    op.create_table(
        "extension_registry",
        _text("extension_id"),
        _text("publisher"),
        _big("created_at"),
        sa.PrimaryKeyConstraint("extension_id", name="pk_extension_registry"),
        sa.ForeignKeyConstraint(["publisher"], ["publisher.publisher"], name="fk_extension_registry_publisher"),
    )

    op.create_table(
        "extension_bundle",
        _text("content_hash"),
        _big("size"),
        _text("component_digest"),
        _big("created_at"),
        sa.PrimaryKeyConstraint("content_hash", name="pk_extension_bundle"),
    )

    op.create_table(
        "extension_version",
        _text("extension_id"),
        _text("version"),
        _text("version_id"),
        _text("content_hash"),
        _text("component_digest"),
        _json("manifest"),
        _text("publisher"),
        _text("signer_key_id"),
        _text("published_by"),
        _big("created_at"),
        _text("status"),
        sa.PrimaryKeyConstraint("extension_id", "version", name="pk_extension_version"),
        sa.UniqueConstraint("version_id", name="uq_extension_version_version_id"),
        sa.ForeignKeyConstraint(
            ["content_hash"], ["extension_bundle.content_hash"], name="fk_extension_version_content_hash"
        ),
        sa.ForeignKeyConstraint(
            ["extension_id"], ["extension_registry.extension_id"], name="fk_extension_version_extension_id"
        ),
    )

    op.create_table(
        "rollout",
        _text("extension_id"),
        _text("version"),
        _integer("percent"),
        _text("status"),
        _text("started_by"),
        _big("created_at"),
        _big("updated_at"),
        _integer("revision"),
        _boolean("settled"),
        _integer("followers"),
        _integer("moved"),
        _integer("waiting"),
        sa.PrimaryKeyConstraint("extension_id", "version", name="pk_rollout"),
        sa.ForeignKeyConstraint(
            ["extension_id", "version"],
            ["extension_version.extension_id", "extension_version.version"],
            name="fk_rollout_extension_id_version",
        ),
    )

    op.create_table(
        "claim",
        _text("name"),
        _text("holder"),
        _big("until"),
        sa.PrimaryKeyConstraint("name", name="pk_claim"),
    )

    op.create_table(
        "quarantine",
        _text("content_hash"),
        _text("extension_id"),
        _integer("deaths"),
        _text("reason"),
        _big("created_at"),
        sa.PrimaryKeyConstraint("content_hash", name="pk_quarantine"),
    )


def _create_tenant_tables() -> None:
    op.create_table(
        "tenant_extension_install",
        _text("tenant_id"),
        _text("extension_id"),
        _text("install_id"),
        _text("version"),
        _text("status"),
        _json("grants"),
        _json("config"),
        _text("installed_by"),
        _big("created_at"),
        _big("updated_at"),
        _integer("revision"),
        _json("limits"),
        _text("follows"),
        _boolean("by_rollout"),
        _text("previous_version", null=True),
        _json("previous_config", null=True),
        _big("delete_at", null=True),
        _json("erased"),
        sa.PrimaryKeyConstraint("tenant_id", "extension_id", name="pk_tenant_extension_install"),
        sa.UniqueConstraint("tenant_id", "install_id", name="uq_tenant_extension_install_tenant_id_install_id"),
        sa.ForeignKeyConstraint(
            ["extension_id", "version"],
            ["extension_version.extension_id", "extension_version.version"],
            name="fk_tenant_extension_install_extension_id_version",
        ),
    )
    follows, goes = sa.text("follows != ''"), sa.text("delete_at IS NOT NULL")
    op.create_index(
        "ix_tenant_extension_install_followers",
        "tenant_extension_install",
        ["extension_id", "tenant_id"],
        sqlite_where=follows,
        postgresql_where=follows,
    )
    op.create_index(
        "ix_tenant_extension_install_deletions",
        "tenant_extension_install",
        ["delete_at"],
        sqlite_where=goes,
        postgresql_where=goes,
    )

    op.create_table(
        "install_secret",
        _text("tenant_id"),
        _text("install_id"),
        _text("name"),
        _text("key_id"),
        _bytes("nonce"),
        _bytes("ciphertext"),
        _json("hosts"),
        _boolean("reference_only"),
        _big("updated_at"),
        sa.PrimaryKeyConstraint("tenant_id", "install_id", "name", name="pk_install_secret"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "install_id"],
            ["tenant_extension_install.tenant_id", "tenant_extension_install.install_id"],
            name="fk_install_secret_tenant_id_install_id",
        ),
    )

    op.create_table(
        "guest_record",
        _text("tenant_id"),
        _text("install_id"),
        _bytes("key"),
        _bytes("value"),
        _boolean("text"),
        _integer("revision"),
        _big("updated_at"),
        _big("expires_at", null=True),
        sa.PrimaryKeyConstraint("tenant_id", "install_id", "key", name="pk_guest_record"),
    )

    op.create_table(
        "extension_execution_log",
        _text("tenant_id"),
        _text("execution_id"),
        _text("request_id"),
        _text("extension_id"),
        _text("install_id"),
        _text("version"),
        _text("version_id"),
        _text("content_hash"),
        _text("trigger"),
        _text("method"),
        _text("path"),
        _integer("status"),
        _text("error_code", null=True),
        _big("started_at"),
        _json("receipt"),
        _json("logs"),
        _big("recorded_at"),
        _big("expires_at", null=True),
        sa.PrimaryKeyConstraint("tenant_id", "execution_id", name="pk_extension_execution_log"),
    )
    for name in ("extension_id", "install_id", "version_id", "content_hash", "request_id"):
        op.create_index(
            f"ix_extension_execution_log_tenant_id_{name}_execution_id",
            "extension_execution_log",
            ["tenant_id", name, "execution_id"],
        )

    op.create_table(
        "extension_quota_usage",
        _text("tenant_id"),
        _text("window"),
        _text("extension_id"),
        _text("version"),
        _big("invocations"),
        _big("failures"),
        _float("duration_ms"),
        _float("cpu_ms"),
        _float("memory_mb_ms"),
        *map(_big, ("egress_bytes", "kv_reads", "kv_writes", "log_bytes")),
        sa.PrimaryKeyConstraint("tenant_id", "window", "extension_id", "version", name="pk_extension_quota_usage"),
    )
    op.create_index(
        "ix_extension_quota_usage_window_tenant_id_extension_id_version",
        "extension_quota_usage",
        ["window", "tenant_id", "extension_id", "version"],
    )

    op.create_table(
        "execution_fixture",
        *map(_text, ("tenant_id", "install_id", "execution_id", "extension_id", "version", "content_hash", "reason")),
        *map(_big, ("created_at", "expires_at")),
        _text("key_id"),
        *map(_bytes, ("nonce", "ciphertext")),
        sa.PrimaryKeyConstraint("tenant_id", "install_id", "execution_id", name="pk_execution_fixture"),
    )

    op.create_table(
        "extension_usage_minute",
        _text("tenant_id"),
        _big("minute"),
        _text("extension_id"),
        _integer("bucket"),
        *map(_big, ("invocations", "failures", "cold")),
        *map(_float, ("duration_ms", "cpu_ms")),
        _big("egress_bytes"),
        _big("expires_at", null=True),
        sa.PrimaryKeyConstraint("tenant_id", "minute", "extension_id", "bucket", name="pk_extension_usage_minute"),
    )

    op.create_table(
        "audit_entry",
        _text("tenant_id"),
        _big("sequence"),
        _text("audit_id"),
        _big("at"),
        _text("actor"),
        _text("action"),
        _text("target"),
        _json("before", null=True),
        _json("after", null=True),
        _text("previous"),
        _text("digest"),
        sa.PrimaryKeyConstraint("tenant_id", "sequence", name="pk_audit_entry"),
    )

    op.create_table(
        "audit_head",
        _text("tenant_id"),
        _big("sequence"),
        _text("digest"),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_audit_head"),
    )


def _of_an_install(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "install_id"],
        ["tenant_extension_install.tenant_id", "tenant_extension_install.install_id"],
        name=f"fk_{table}_tenant_id_install_id",
    )


def _create_event_tables() -> None:
    op.create_table(
        "extension_event_subscription",
        _text("tenant_id"),
        _text("install_id"),
        _text("subscription_id"),
        _text("extension_id"),
        _text("topic"),
        _text("path"),
        _json("filter"),
        _boolean("ordered"),
        _big("created_at"),
        sa.PrimaryKeyConstraint("tenant_id", "install_id", "subscription_id", name="pk_extension_event_subscription"),
        _of_an_install("extension_event_subscription"),
    )

    op.create_table(
        "event",
        _text("tenant_id"),
        _text("event_id"),
        _text("topic"),
        _text("source"),
        _text("key", null=True),
        _json("data"),
        _integer("depth"),
        _text("caused_by", null=True),
        _big("created_at"),
        _big("expires_at", null=True),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name="pk_event"),
    )

    op.create_table(
        "event_rate",
        _text("tenant_id"),
        _text("source"),
        _big("minute"),
        _integer("emitted"),
        _big("expires_at", null=True),
        sa.PrimaryKeyConstraint("tenant_id", "source", "minute", name="pk_event_rate"),
    )

    op.create_table(
        "event_delivery",
        _text("tenant_id"),
        _text("delivery_id"),
        _text("event_id"),
        _text("topic"),
        _text("install_id"),
        _text("extension_id"),
        _text("path"),
        _text("lane", null=True),
        _text("state"),
        _integer("attempts"),
        _text("reason", null=True),
        _integer("status", null=True),
        _text("execution_id", null=True),
        _big("created_at"),
        _big("updated_at"),
        _big("due_at", null=True),
        _big("expires_at", null=True),
        sa.PrimaryKeyConstraint("tenant_id", "delivery_id", name="pk_event_delivery"),
    )
    op.create_index(
        "ix_event_delivery_tenant_id_state_delivery_id", "event_delivery", ["tenant_id", "state", "delivery_id"]
    )

    op.create_table(
        "due_work",
        _text("tenant_id"),
        _text("kind"),
        _text("item_id"),
        _text("lane", null=True),
        _big("due_at"),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "item_id", name="pk_due_work"),
    )
    op.create_index("ix_due_work_due_at_tenant_id", "due_work", ["due_at", "tenant_id"])
    op.create_index("ix_due_work_tenant_id_due_at", "due_work", ["tenant_id", "due_at"])
    op.create_index("ix_due_work_tenant_id_lane_item_id", "due_work", ["tenant_id", "lane", "item_id"])


def _create_schedule_tables() -> None:
    op.create_table(
        "schedule",
        _text("tenant_id"),
        _text("schedule_id"),
        _text("install_id"),
        _text("extension_id"),
        _text("name"),
        _text("origin"),
        _text("cron"),
        _text("timezone"),
        _text("method"),
        _text("path"),
        _json("payload", null=True),
        _boolean("enabled"),
        _text("missed"),
        _boolean("overlap"),
        _big("next_at", null=True),
        _text("off_reason", null=True),
        _text("created_by"),
        _big("created_at"),
        _big("updated_at"),
        _integer("revision"),
        sa.PrimaryKeyConstraint("tenant_id", "schedule_id", name="pk_schedule"),
        sa.UniqueConstraint("tenant_id", "install_id", "name", name="uq_schedule_tenant_id_install_id_name"),
        _of_an_install("schedule"),
    )

    op.create_table(
        "schedule_run",
        _text("tenant_id"),
        _text("run_id"),
        _text("schedule_id"),
        _text("install_id"),
        _text("extension_id"),
        _big("scheduled_at", null=True),
        _text("state"),
        _integer("attempts"),
        _text("reason", null=True),
        _integer("status", null=True),
        _text("execution_id", null=True),
        _big("created_at"),
        _big("started_at", null=True),
        _big("finished_at", null=True),
        _big("expires_at", null=True),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", name="pk_schedule_run"),
    )


def _create_policy_tables() -> None:
    op.create_table(
        "api_key",
        _text("tenant_id"),
        _text("key_id"),
        _text("name"),
        _text("secret_hash"),
        _json("permissions"),
        _text("extension_id", null=True),
        _text("created_by"),
        _big("created_at"),
        _big("expires_at"),
        _big("revoked_at", null=True),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", name="pk_api_key"),
    )

    op.create_table(
        "quota_defaults",
        _text("name"),
        _json("tenant"),
        _json("install"),
        _text("updated_by"),
        _big("updated_at"),
        sa.PrimaryKeyConstraint("name", name="pk_quota_defaults"),
    )

    op.create_table(
        "tenant_quota",
        _text("tenant_id"),
        _text("extension_id"),
        _json("values"),
        _text("updated_by"),
        _big("updated_at"),
        sa.PrimaryKeyConstraint("tenant_id", "extension_id", name="pk_tenant_quota"),
    )

    op.create_table(
        "rate_lease",
        _text("tenant_id"),
        _text("bucket"),
        _float("tokens"),
        _big("refilled_at"),
        _text("day"),
        _big("invocations"),
        _float("cpu_ms"),
        _float("memory_mb_ms"),
        _big("egress_bytes"),
        _json("holders"),
        _big("revision"),
        sa.PrimaryKeyConstraint("tenant_id", "bucket", name="pk_rate_lease"),
    )

    op.create_table(
        "repeated_request",
        _text("tenant_id"),
        _text("install_id"),
        _text("key"),
        _text("fingerprint"),
        _text("claim"),
        _big("created_at"),
        _big("expires_at"),
        sa.Column("status", sa.Integer(), nullable=True),
        _json("headers"),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "install_id", "key", name="pk_repeated_request"),
    )

    op.create_table(
        "data_key",
        _text("key_id"),
        _big("created_at"),
        _big("resealed_at", null=True),
        _big("resealed"),
        _big("failed"),
        sa.PrimaryKeyConstraint("key_id", name="pk_data_key"),
    )
