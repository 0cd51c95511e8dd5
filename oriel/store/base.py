"""The registry's store, as the access patterns the platform needs.

Rules every backend keeps (tests/store holds them to it):

- A method is one access pattern: one transaction in SQL, the requests that docs/reference/dynamodb.md lists in
  DynamoDB. None scans.
- Writes that must not overwrite say so: `create_*` raises `Conflict` where the record exists, `replace_*`
  where the stored revision is not one less than the record's.
- A read after a write by the same process sees it.
- Whatever is not there is None or an empty page, never an exception.
- A backend that cannot answer raises `StoreUnavailable`; callers then deny (503), they do not guess.

`GuestStore` is apart, because the runner gets that much of the store, the way to emit events and the schedules, and no
more. What belongs to events and schedules is in `oriel.store.eventing`.
"""

from collections.abc import Sequence
from typing import Protocol

from oriel.store.eventing import EventStore
from oriel.store.guests import GuestStore
from oriel.store.policy import PolicyStore
from oriel.store.records import (
    AuditEntry,
    Bundle,
    Execution,
    ExecutionFilter,
    Extension,
    Install,
    Page,
    Publisher,
    PublisherKey,
    Quarantine,
    Resolution,
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
    def put_publisher(self, publisher: Publisher) -> None: ...
    def get_publisher(self, publisher: str) -> Publisher | None: ...
    def list_publishers(self, cursor: str | None = None, limit: int = 100) -> Page[Publisher]: ...
    def put_publisher_key(self, key: PublisherKey) -> None: ...
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

    def create_version(self, extension: Extension, bundle: Bundle, version: Version) -> None:
        """Write the extension and the bundle where they are new, and the version last, in one transaction.

        `Conflict` where the extension belongs to another publisher or the version exists.
        """
        ...

    def set_version_status(self, extension_id: str, version: str, status: VersionStatus) -> None: ...
    def get_extension(self, extension_id: str) -> Extension | None: ...
    def list_extensions(self, cursor: str | None = None, limit: int = 100) -> Page[Extension]: ...
    def get_version(self, extension_id: str, version: str) -> Version | None: ...
    def list_versions(self, extension_id: str) -> tuple[Version, ...]:
        """All versions, oldest first by time of publication (semver order is the caller's)."""
        ...

    def get_bundle(self, content_hash: str) -> Bundle | None: ...

    # installs
    def create_install(self, install: Install) -> None: ...
    def replace_install(self, install: Install) -> None: ...
    def get_install(self, tenant_id: str, extension_id: str) -> Install | None: ...
    def list_installs(self, tenant_id: str, cursor: str | None = None, limit: int = 100) -> Page[Install]: ...
    def delete_install(self, tenant_id: str, extension_id: str) -> bool:
        """The install with its secrets, records, repeated requests, subscriptions, schedules. Whether there was one."""
        ...

    def put_secret(self, secret: StoredSecret) -> None: ...
    def delete_secret(self, tenant_id: str, install_id: str, name: str) -> bool: ...
    def list_secrets(self, tenant_id: str, install_id: str) -> tuple[StoredSecret, ...]: ...

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
    def append_audit(self, entry: AuditEntry) -> None:
        """`Conflict` where its id is taken. A change that has a method with an `entry` writes it there."""
        ...

    def list_audit(self, tenant_id: str | None, cursor: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        """Newest first, by the entry's id, which is ordered by time: one tenant's, or those of no tenant."""
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
        removes them by itself, and what a deletion that was cut off left.
        """
        ...

    def ping(self) -> None:
        """Return where the store answers; `StoreUnavailable` where it does not."""
        ...

    def close(self) -> None: ...
