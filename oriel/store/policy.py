"""The part of the store that the gateway's policy stands on. The rules of `oriel.store.base` hold here too."""

from collections.abc import Sequence
from typing import Protocol

from oriel.store.policy_records import (
    ApiKey,
    Lease,
    LeaseAsk,
    QuotaDefaults,
    QuotaSetting,
    RepeatRecord,
    SealedPlace,
    StoredDataKey,
)
from oriel.store.records import AuditEntry, Page, StoredSecret


class PolicyStore(Protocol):
    """What the gateway's policy remembers. `tenant_id` is None for API keys that belong to no tenant."""

    def create_api_key(self, key: ApiKey, entry: AuditEntry | None = None) -> None: ...
    def get_api_key(self, tenant_id: str | None, key_id: str) -> ApiKey | None: ...
    def list_api_keys(self, tenant_id: str | None, cursor: str | None = None, limit: int = 100) -> Page[ApiKey]:
        """Oldest first, revoked and expired ones too."""
        ...

    def revoke_api_key(self, tenant_id: str | None, key_id: str, at: int, entry: AuditEntry | None = None) -> bool:
        """Whether there was one that was not revoked yet."""
        ...

    def put_quota_defaults(self, defaults: QuotaDefaults, entry: AuditEntry | None = None) -> None: ...
    def get_quota_defaults(self) -> QuotaDefaults | None: ...
    def put_quota(self, setting: QuotaSetting, entry: AuditEntry | None = None) -> None:
        """Without values: the defaults hold again."""
        ...

    def list_quotas(self, tenant_id: str) -> tuple[QuotaSetting, ...]:
        """The tenant's own first, then those of its installs by extension."""
        ...

    def take_leases(self, tenant_id: str, asks: Sequence[LeaseAsk]) -> tuple[Lease, ...]:
        """Settle and take from several meters of a tenant in one transaction, in the order of `asks`.

        A meter is made where there is none. `oriel.store.leases` says what is given. Two asks never name one bucket.
        """
        ...

    def claim_repeat(self, record: RepeatRecord) -> RepeatRecord | None:
        """Keep the claim where there is no live record of its key; else the one that is there."""
        ...

    def answer_repeat(self, record: RepeatRecord) -> bool:
        """Write the answer over the claim; whether `record.claim` still has the key."""
        ...

    def drop_repeat(self, record: RepeatRecord) -> bool:
        """Take the claim back; whether `record.claim` still had the key."""
        ...

    def put_data_key(self, key: StoredDataKey, entry: AuditEntry | None = None) -> None:
        """Write it over what is known of the same key. No two are made in one millisecond."""
        ...

    def current_data_key(self) -> StoredDataKey | None:
        """The newest."""
        ...

    def list_sealed(self, key_id: str, cursor: str | None = None, limit: int = 100) -> Page[SealedPlace]:
        """Sealed secrets of all tenants under another data key than `key_id`; a page may have fewer than `limit`."""
        ...

    def reseal_secret(self, secret: StoredSecret, before: StoredSecret) -> bool:
        """Write `secret` over `before`; whether `before` was what is stored."""
        ...
