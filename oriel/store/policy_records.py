"""What the gateway's policy remembers: API keys, quotas, meters, repeated requests, and which data key seals.

The rules of `oriel.store.records` hold here too.
"""

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from oriel.quotas import Quotas


class ApiKey(Struct, frozen=True, kw_only=True):
    """A machine's key. `tenant_id` is None for one outside all tenants; `secret_hash` is the token's SHA-256 in hex.

    It carries `permissions` and no roles, and speaks about `extension_id` alone where one is named.
    """

    tenant_id: str | None
    key_id: str
    name: str
    secret_hash: str
    permissions: tuple[str, ...]
    extension_id: str | None = None
    created_by: str
    created_at: int
    expires_at: int
    revoked_at: int | None = None


class QuotaDefaults(Struct, frozen=True, kw_only=True):
    """The operator's defaults, by the names of `oriel.quotas.Quotas`: for each tenant and for each install."""

    tenant: dict[str, Any]
    install: dict[str, Any]
    updated_by: str
    updated_at: int


class QuotaSetting(Struct, frozen=True, kw_only=True):
    """The operator's own values for a tenant, or for one of its installs; `extension_id` is empty for the tenant."""

    tenant_id: str
    extension_id: str
    values: dict[str, Any]
    updated_by: str
    updated_at: int


class Measures(Struct, frozen=True, kw_only=True):
    """What executions have used."""

    cpu_ms: float = 0.0
    memory_mb_ms: float = 0.0
    egress_bytes: int = 0

    def plus(self, other: "Measures") -> "Measures":
        return Measures(
            cpu_ms=self.cpu_ms + other.cpu_ms,
            memory_mb_ms=self.memory_mb_ms + other.memory_mb_ms,
            egress_bytes=self.egress_bytes + other.egress_bytes,
        )


class Meter(Struct, frozen=True, kw_only=True):
    """The one record that all gateways take from for a tenant, or for one of its installs (`bucket`: the extension).

    Attributes:
        tokens: of the rate, as of `refilled_at`.
        day: the UTC day that the four counts after it are of; `invocations` counts what was handed out.
        holders: which gateway holds how many places for executions, and until when: `{holder: [places, until]}`.
    """

    tenant_id: str
    bucket: str
    tokens: float
    refilled_at: int
    day: str
    invocations: int = 0
    cpu_ms: float = 0.0
    memory_mb_ms: float = 0.0
    egress_bytes: int = 0
    holders: dict[str, tuple[int, int]] = field(default_factory=dict)
    revision: int = 1

    @property
    def used(self) -> Measures:
        return Measures(cpu_ms=self.cpu_ms, memory_mb_ms=self.memory_mb_ms, egress_bytes=self.egress_bytes)


class LeaseAsk(Struct, frozen=True, kw_only=True):
    """What a gateway wants of a meter, and what it has to say about its last lease.

    Attributes:
        quotas: that hold for the meter now.
        tokens: wanted; 0 only settles.
        returned: tokens of the last lease that were not spent; `returned_day` is the day they were handed out on.
        places: for executions, that the holder needs from now on: all of them, not more of them.
        places_ms: for how long the holder may use them, its executions' deadlines included.
        spent: used since the last time.
    """

    bucket: str
    quotas: "Quotas"
    holder: str
    tokens: int
    returned: int = 0
    returned_day: str = ""
    places: int = 0
    places_ms: int = 0
    spent: Measures = field(default_factory=Measures)


class Lease(Struct, frozen=True, kw_only=True):
    """What a meter gave.

    Attributes:
        tokens: each is good for one execution.
        places: that the holder has from now on.
        left: tokens that the meter could still give; None where there is no rate.
        retry_ms: until a token may be there, where none was given.
        day: that the tokens count for; it ends in `day_ends_ms`.
        invocations, used: of the day, with all that this and other gateways were given and have reported.
    """

    bucket: str
    tokens: int
    places: int
    left: int | None
    retry_ms: int
    day: str
    day_ends_ms: int
    invocations: int
    used: Measures


class RepeatRecord(Struct, frozen=True, kw_only=True):
    """A request that carries an idempotency key: claimed by an execution, then answered.

    `key` is the hash of what the key is scoped to within the install, `fingerprint` of what was asked. While `status`
    is None the claim holds until `expires_at`; an answer is kept until then. `body` is None where it was too large.
    """

    tenant_id: str
    install_id: str
    key: str
    fingerprint: str
    claim: str
    created_at: int
    expires_at: int
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


class StoredDataKey(Struct, frozen=True, kw_only=True):
    """A data key that was made current, by its name, never by its bytes.

    `resealed_at` is when all that was sealed before had been sealed anew under it, `failed` how many could not be.
    """

    key_id: str
    created_at: int
    resealed_at: int | None = None
    resealed: int = 0
    failed: int = 0


class SealedPlace(Struct, frozen=True, kw_only=True):
    """Where a sealed secret stands, and under which data key."""

    tenant_id: str
    install_id: str
    name: str
    key_id: str
