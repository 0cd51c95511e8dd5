"""The registry's store, as the access patterns the platform needs.

Rules every backend keeps (tests/store holds them to it):

- A method is one access pattern: one transaction in SQL, the requests that docs/reference/dynamodb.md lists in
  DynamoDB. None scans.
- Writes that must not overwrite say so: `create_*` raises `Conflict` where the record exists, `replace_*`
  where the stored revision is not one less than the record's.
- A read after a write by the same process sees it.
- Whatever is not there is None or an empty page, never an exception.
- A change may come with an audit `entry`. It is written in the change's transaction, as the next of its chain, exactly
  once however many write at once; a change that is not made, or that finds nothing to change, leaves none. Who changes
  something for somebody gives one; a change without is nobody's (a test's, a benchmark's).
- A backend that cannot answer raises `StoreUnavailable`; callers then deny (503), they do not guess.

`GuestStore` is apart, because the runner gets that much of the store, the way to emit events and the schedules, and no
more. What belongs to events and schedules is in `oriel.store.eventing`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from oriel.store.event_records import Work
from oriel.store.eventing import EventStore
from oriel.store.guests import GuestStore
from oriel.store.policy import PolicyStore
from oriel.store.records import (
    AuditEntry,
    AuditHead,
    Bundle,
    ChainedEntry,
    Execution,
    ExecutionFilter,
    Extension,
    FixtureLine,
    Install,
    Page,
    Publisher,
    PublisherKey,
    Quarantine,
    Resolution,
    Rollout,
    StoredFixture,
    StoredSecret,
    Upload,
    Usage,
    UsageMinute,
    Version,
    VersionStatus,
)

EVERY_EXECUTION = ExecutionFilter()


class Store(GuestStore, EventStore, PolicyStore, Protocol):
    """Everything the registry remembers."""

    # publishers and their keys
    def put_publisher(self, publisher: Publisher, entry: AuditEntry | None = None) -> None: ...
    def get_publisher(self, publisher: str) -> Publisher | None: ...
    def list_publishers(self, cursor: str | None = None, limit: int = 100) -> Page[Publisher]: ...
    def put_publisher_key(self, key: PublisherKey, entry: AuditEntry | None = None) -> None: ...
    def list_publisher_keys(self, publisher: str) -> tuple[PublisherKey, ...]: ...

    # publishing
    def create_upload(self, upload: Upload) -> None: ...
    def get_upload(self, upload_id: str) -> Upload | None:
        """A backend may forget a session that is not on the work list 30 days after its last change."""
        ...

    def find_upload(self, principal: str, content_hash: str) -> Upload | None:
        """The newest session of this principal for these bytes."""
        ...

    def replace_upload(self, upload: Upload) -> None: ...
    def pending_uploads(self, limit: int = 100) -> tuple[Upload, ...]:
        """Sessions in `uploaded`, `verified` or `compiled`, oldest first: the publisher's work list."""
        ...

    def create_version(
        self, extension: Extension, bundle: Bundle, version: Version, entry: AuditEntry | None = None
    ) -> None:
        """Write the extension and the bundle where they are new, and the version last, in one transaction.

        `Conflict` where the extension belongs to another publisher or the version exists.
        """
        ...

    def set_version_status(
        self, extension_id: str, version: str, status: VersionStatus, entry: AuditEntry | None = None
    ) -> None: ...
    def get_extension(self, extension_id: str) -> Extension | None: ...
    def list_extensions(self, cursor: str | None = None, limit: int = 100) -> Page[Extension]: ...
    def get_version(self, extension_id: str, version: str) -> Version | None: ...
    def list_versions(self, extension_id: str) -> tuple[Version, ...]:
        """All versions, oldest first by time of publication (semver order is the caller's)."""
        ...

    def get_bundle(self, content_hash: str) -> Bundle | None: ...

    # installs
    def create_install(self, install: Install, entry: AuditEntry | None = None, then: Work | None = None) -> None:
        """`then` is put in the queue in the same transaction. `Conflict` where there is one, or no such version."""
        ...

    def replace_install(self, install: Install, entry: AuditEntry | None = None, then: Work | None = None) -> None:
        """As `create_install`, in place of the one whose revision is one less."""
        ...

    def get_install(self, tenant_id: str, extension_id: str) -> Install | None: ...
    def list_installs(self, tenant_id: str, cursor: str | None = None, limit: int = 100) -> Page[Install]: ...
    def delete_install(
        self, tenant_id: str, extension_id: str, entry: AuditEntry | None = None
    ) -> Mapping[str, int] | None:
        """Delete all that belongs to the install, and the install last; how many of each kind, or None for no install.

        It goes piece by piece. One that was cut off is carried on by the next call, and counted with it. The entry is
        written with the last piece, and its `after` is the counts.
        """
        ...

    def due_deletions(self, limit: int = 100) -> tuple[Install, ...]:
        """Installs of all tenants whose `delete_at` has come."""
        ...

    def list_followers(self, extension_id: str, cursor: str | None = None, limit: int = 100) -> Page[Install]:
        """Installs of all tenants that follow a range, ordered by tenant."""
        ...

    def put_secret(self, secret: StoredSecret, entry: AuditEntry | None = None) -> None: ...
    def delete_secret(self, tenant_id: str, install_id: str, name: str, entry: AuditEntry | None = None) -> bool: ...
    def list_secrets(self, tenant_id: str, install_id: str) -> tuple[StoredSecret, ...]: ...

    # rollouts
    def create_rollout(self, rollout: Rollout, entry: AuditEntry | None = None) -> None:
        """`Conflict` where the version has one, or is not there."""
        ...

    def replace_rollout(self, rollout: Rollout, entry: AuditEntry | None = None) -> None: ...
    def get_rollout(self, extension_id: str, version: str) -> Rollout | None: ...
    def list_rollouts(self, extension_id: str) -> tuple[Rollout, ...]:
        """All of an extension, ordered by the version's text."""
        ...

    def pending_rollouts(self, limit: int = 100) -> tuple[Rollout, ...]:
        """Those that are not settled."""
        ...

    # claims
    def claim(self, name: str, holder: str, until: int) -> bool:
        """Hold `name` until that time (Unix ms), or hold it longer. False while another holds it."""
        ...

    def release(self, name: str, holder: str) -> None:
        """Let go of what `holder` holds; of another's, nothing."""
        ...

    # the request path
    def resolve(self, tenant_id: str, extension_id: str) -> Resolution | None:
        """Install, version, secrets, revocations, quarantine and quotas at once: the one read of a request."""
        ...

    # quarantine
    def put_quarantine(self, record: Quarantine, entry: AuditEntry) -> bool:
        """Write both, or neither where the bundle is in quarantine already. Whether it is new."""
        ...

    def delete_quarantine(self, content_hash: str, entry: AuditEntry) -> bool:
        """Delete the one and write the other, or neither where there is none. Whether there was one."""
        ...

    def get_quarantine(self, content_hash: str) -> Quarantine | None: ...
    def list_quarantine(self, cursor: str | None = None, limit: int = 100) -> Page[Quarantine]: ...

    # the audit
    def append_audit(self, entry: AuditEntry) -> ChainedEntry:
        """For a change that is in no record of the store; the entry in its place."""
        ...

    def list_audit(self, tenant_id: str | None, cursor: str | None = None, limit: int = 50) -> Page[ChainedEntry]:
        """Newest first: one tenant's, or those of no tenant."""
        ...

    def read_audit(self, tenant_id: str | None, after: int = 0, limit: int = 500) -> tuple[ChainedEntry, ...]:
        """The chain as it is stored, oldest first, from the number after `after` on."""
        ...

    def get_audit_head(self, tenant_id: str | None) -> AuditHead | None: ...
    def list_audit_heads(self, cursor: str | None = None, limit: int = 100) -> Page[AuditHead]:
        """Of all chains, the platform's first."""
        ...

    # what happened
    def record_executions(self, executions: Sequence[Execution]) -> None:
        """Write the log entries and add them to the usage of their day and minute.

        An execution id written twice counts once.
        """
        ...

    def list_executions(
        self,
        tenant_id: str,
        where: ExecutionFilter = EVERY_EXECUTION,
        cursor: str | None = None,
        limit: int = 50,
        *,
        oldest_first: bool = False,
    ) -> Page[Execution]:
        """Newest first, by the execution id, which is ordered by time; expired ones are not there.

        A page may have fewer than `limit`, or none, and a cursor all the same: the listing ends where there is none.
        """
        ...

    def get_execution(self, tenant_id: str, execution_id: str) -> Execution | None: ...
    def put_fixture(self, fixture: StoredFixture) -> None:
        """Written again, it is the same."""
        ...

    def get_fixture(self, tenant_id: str, install_id: str, execution_id: str) -> StoredFixture | None: ...
    def list_fixtures(
        self, tenant_id: str, install_id: str, cursor: str | None = None, limit: int = 50
    ) -> Page[FixtureLine]:
        """Newest first; expired ones are not there."""
        ...

    def list_usage(self, tenant_id: str, since: str, until: str) -> tuple[Usage, ...]:
        """Windows from `since` to `until`, both included."""
        ...

    def list_usage_of_all(self, window: str, cursor: str | None = None, limit: int = 100) -> Page[Usage]:
        """One window's usage of all tenants: for the operator's bill. In no particular order; none is lost."""
        ...

    def list_minutes(
        self, tenant_id: str, since: int, until: int, extension_id: str | None = None
    ) -> tuple[UsageMinute, ...]:
        """Rows whose minute begins from `since` on and before `until` (Unix milliseconds), oldest first."""
        ...

    def purge_expired(self, limit: int = 1_000) -> int:
        """Remove at most `limit` records of each kind that nobody sees any more, of all tenants; how many there were.

        These are the expired (guest records, repeated requests, events, deliveries, runs), but where the backend
        removes them by itself.
        """
        ...

    def ping(self) -> None:
        """Return where the store answers; `StoreUnavailable` where it does not."""
        ...

    def close(self) -> None: ...
