"""What the registry remembers, as plain immutable records.

Every record of a tenant carries `tenant_id` first. Times are Unix milliseconds. A record is replaced, never
changed in place; the ones that several writers may touch carry a `revision` that each write raises by one.
"""

from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct, field

T = TypeVar("T")

UploadState = Literal["open", "uploaded", "verified", "compiled", "ready", "rejected"]
TERMINAL_STATES: frozenset[UploadState] = frozenset({"ready", "rejected"})
VersionStatus = Literal["ready", "deprecated", "yanked"]
InstallStatus = Literal["enabled", "disabled", "uninstalled", "deleting"]
Outcome = Literal["succeeded", "failed"]
RolloutStatus = Literal["active", "paused", "rolled_back"]


class Publisher(Struct, frozen=True, kw_only=True):
    """Who publishes, and under which name prefixes (`com.acme` owns `com.acme` and `com.acme.*`)."""

    publisher: str
    prefixes: tuple[str, ...]
    created_at: int
    revoked_at: int | None = None


class PublisherKey(Struct, frozen=True, kw_only=True):
    """A public key that may speak for a publisher. `key_id` is `sha256:` of its SubjectPublicKeyInfo."""

    publisher: str
    key_id: str
    public_key_pem: str
    not_before: int
    not_after: int | None = None
    revoked_at: int | None = None


class Upload(Struct, frozen=True, kw_only=True):
    """One upload session: the publish state machine's only mutable record."""

    upload_id: str
    principal: str
    content_hash: str
    size: int
    state: UploadState
    created_at: int
    updated_at: int
    revision: int = 1
    extension_id: str | None = None
    version: str | None = None
    findings: tuple[tuple[str, str, str], ...] = ()  # (code, at, message)
    attempts: int = 0


class Extension(Struct, frozen=True, kw_only=True):
    """`extension_registry`: a name, bound for ever to the publisher that first published it."""

    extension_id: str
    publisher: str
    created_at: int


class Bundle(Struct, frozen=True, kw_only=True):
    """`extension_bundle`: stored once, whoever publishes or installs it."""

    content_hash: str
    size: int
    component_digest: str
    created_at: int


class Version(Struct, frozen=True, kw_only=True):
    """`extension_version`: one immutable release. Only `status` changes after it is written.

    `manifest` is the manifest's canonical JSON object; read it with `oriel.published.Published`.
    """

    extension_id: str
    version: str
    version_id: str
    content_hash: str
    component_digest: str
    manifest: dict[str, Any]
    publisher: str
    signer_key_id: str
    published_by: str
    created_at: int
    status: VersionStatus = "ready"


class Grant(Struct, frozen=True, kw_only=True):
    """One capability that a tenant consented to, with the hosts, operations or topics where it takes them."""

    capability: str
    hosts: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    granted_by: str
    granted_at: int
    expires_at: int | None = None

    @property
    def reach(self) -> tuple[tuple[str, ...], ...]:
        """How far it goes: its hosts, operations and topics."""
        return self.hosts, self.operations, self.topics


class Install(Struct, frozen=True, kw_only=True):
    """`tenant_extension_install`: one extension for one tenant, with its grants and configuration.

    Attributes:
        follows: the range of versions (`oriel.versions`) that rollouts may move it within; empty where it is pinned.
        by_rollout: a rollout brought it to its version.
        previous_version: what it ran before, and `previous_config` how it was configured then; for going back.
        delete_at: when it and all that belongs to it may be deleted; None where it is not uninstalled.
        erased: how much of it a deletion that has begun has deleted, by kind.
        limits: by the names of `oriel.contract.Limits`.
    """

    tenant_id: str
    extension_id: str
    install_id: str
    version: str
    status: InstallStatus
    grants: tuple[Grant, ...]
    config: dict[str, Any] = field(default_factory=dict)
    installed_by: str
    created_at: int
    updated_at: int
    revision: int = 1
    limits: dict[str, int] = field(default_factory=dict)
    follows: str = ""
    by_rollout: bool = False
    previous_version: str | None = None
    previous_config: dict[str, Any] | None = None
    delete_at: int | None = None
    erased: dict[str, int] = field(default_factory=dict)


class Rollout(Struct, frozen=True, kw_only=True):
    """A version on its way to the tenants that follow a range: to `percent` of them, chosen by a stable hash.

    Attributes:
        settled: there is nothing left to move at this percentage.
        followers, moved, waiting: how many installs follow a range that includes the version, run it, and would but
            for their administrators' consent or configuration; as of the last walk.
    """

    extension_id: str
    version: str
    percent: int
    status: RolloutStatus
    started_by: str
    created_at: int
    updated_at: int
    revision: int = 1
    settled: bool = False
    followers: int = 0
    moved: int = 0
    waiting: int = 0


class StoredSecret(Struct, frozen=True, kw_only=True):
    """A sealed secret of an install (`oriel.sealing`). The plain value is nowhere in the store."""

    tenant_id: str
    install_id: str
    name: str
    key_id: str
    nonce: bytes
    ciphertext: bytes
    hosts: tuple[str, ...] = ()
    reference_only: bool = False
    updated_at: int


class Resolution(Struct, frozen=True, kw_only=True):
    """All that the gateway needs to know for one request, read at once.

    Where a rollout brought the install to its version and was rolled back, install and version are as before it.
    """

    install: Install
    version: Version
    secrets: tuple[StoredSecret, ...] = ()
    publisher_revoked: bool = False
    signer_revoked: bool = False
    quarantined: bool = False
    tenant_quotas: dict[str, Any] = field(default_factory=dict)  # what the operator set, by the names of
    install_quotas: dict[str, Any] = field(default_factory=dict)  # `oriel.quotas.Quotas`


class Quarantine(Struct, frozen=True, kw_only=True):
    """A bundle that runs nowhere, whoever installed it. `deaths` is how many workers it is held to have ended."""

    content_hash: str
    extension_id: str
    deaths: int
    reason: str
    created_at: int


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who changed what. `tenant_id` is None for what concerns the whole platform.

    `before` and `after` are JSON values of what changed and hold no secret; None is "not there".
    """

    tenant_id: str | None
    audit_id: str
    at: int
    actor: str
    action: str
    target: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class ChainedEntry(AuditEntry, frozen=True, kw_only=True):
    """An audit entry in its place (`oriel.store.audit`): written in the transaction of its change, never touched again.

    Entries of one tenant, and those of none, are a chain each, numbered from 1 without gaps.
    """

    sequence: int
    previous: str
    digest: str


class AuditHead(Struct, frozen=True, kw_only=True):
    """The last entry of a chain: its number and its digest."""

    tenant_id: str | None
    sequence: int
    digest: str


class Execution(Struct, frozen=True, kw_only=True):
    """`extension_execution_log`: what one execution was, did and used. `receipt` and `logs` are JSON values.

    Ids are ordered by time: an execution's is minted within a minute of `started_at`. `recorded_at` is the store's own
    to set, whenever it writes the entry. After `expires_at` the entry is as if it were not there.
    """

    tenant_id: str
    execution_id: str
    request_id: str
    extension_id: str
    install_id: str
    version: str
    version_id: str = ""
    content_hash: str
    trigger: str
    method: str
    path: str
    status: int
    error_code: str | None
    started_at: int
    receipt: dict[str, Any]
    logs: tuple[dict[str, Any], ...] = ()
    recorded_at: int = 0
    expires_at: int | None = None


class FixtureLine(Struct, frozen=True, kw_only=True):
    """A fixture in a listing: `reason` is "asked" or the error code of the failure it was kept for."""

    tenant_id: str
    install_id: str
    execution_id: str
    extension_id: str
    version: str
    content_hash: str
    reason: str
    created_at: int
    expires_at: int


class StoredFixture(FixtureLine, frozen=True, kw_only=True):
    """An execution kept whole (`oriel.fixture`), sealed for its install. It goes with the install, or expires."""

    key_id: str
    nonce: bytes
    ciphertext: bytes


class ExecutionFilter(Struct, frozen=True, kw_only=True):
    """Which executions are meant: those for which all holds that is given.

    Attributes:
        outcome: "failed" is an execution that ended with an error code. A guest's own 4xx and 5xx are answers.
        since, until: of `started_at`, in Unix milliseconds; `until` is not included.
        recorded_since: of `recorded_at`, likewise.
    """

    extension_id: str | None = None
    install_id: str | None = None
    version: str | None = None
    version_id: str | None = None
    content_hash: str | None = None
    request_id: str | None = None
    trigger: str | None = None
    error_code: str | None = None
    outcome: Outcome | None = None
    since: int | None = None
    until: int | None = None
    recorded_since: int | None = None


class Usage(Struct, frozen=True, kw_only=True):
    """`extension_quota_usage`: sums over one window (a UTC day, `2026-11-24`), kept for good."""

    tenant_id: str
    extension_id: str
    version: str
    window: str
    invocations: int = 0
    failures: int = 0
    duration_ms: float = 0.0
    cpu_ms: float = 0.0
    memory_mb_ms: float = 0.0
    egress_bytes: int = 0
    kv_reads: int = 0
    kv_writes: int = 0
    log_bytes: int = 0


class UsageMinute(Struct, frozen=True, kw_only=True):
    """`extension_usage_minute`: sums over the executions of one minute that took about as long, for charts.

    `minute` is its start in Unix milliseconds; `bucket` is the place in `oriel.store.usage.DURATION_BOUNDS_MS` of the
    first bound that their durations did not pass.
    """

    tenant_id: str
    minute: int
    extension_id: str
    bucket: int
    invocations: int = 0
    failures: int = 0
    cold: int = 0
    duration_ms: float = 0.0
    cpu_ms: float = 0.0
    egress_bytes: int = 0
    expires_at: int | None = None


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """Part of a listing; pass `cursor` to go on, None is the end."""

    items: tuple[T, ...]
    cursor: str | None = None
