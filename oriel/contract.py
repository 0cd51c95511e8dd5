"""The contract between gateway and runner: `POST /v1/execute`.

The gateway has resolved the install and applied the policy; the runner does what is written here and nothing
more. What an execution may do (`providers`, `egress`, `limits`) is decided by the gateway and sealed by the
service token that covers the whole body (`oriel.identity`).
"""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta, field

from oriel.messages import Message
from oriel.tracing import Span

Trigger = Literal["http", "event", "schedule"]
ContentHash = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]
CodeDigest = Annotated[str, Meta(pattern=r"^blake3:[0-9a-f]{64}\Z")]  # of native code (`oriel.native_code`)
AtLeastOne = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]

DEFAULT_TIMEOUT_MS = 10_000
DEFAULT_MEMORY_MB = 128
HISTOGRAM_BOUNDS = tuple(digit * 10.0**power for power in range(-3, 5) for digit in (1, 2.5, 5))


# A body that travels as text: in the worst case JSON makes six characters of one of them, and even so it is small
# beside what an envelope may have.
MAX_TEXT_BYTES = 100_000
REDACTED = "[secret]"
"""What stands in place of a secret's value wherever people look."""


class BodyFields(TypedDict):
    """The two fields of a message that carry a body; at most one of them is not empty."""

    body_text: str
    body_bytes: bytes


def body_fields(body: bytes) -> BodyFields:
    """A body in the form that travels fastest: as text where it is some, else as bytes, which are base64 in JSON."""
    if len(body) <= MAX_TEXT_BYTES:
        try:
            return {"body_text": body.decode(), "body_bytes": b""}
        except UnicodeDecodeError:
            pass
    return {"body_text": "", "body_bytes": body}


class _WithBody(Message, frozen=True):
    body_text: str = ""
    body_bytes: bytes = field(name="body_b64", default=b"")

    def body(self) -> bytes:
        return self.body_text.encode() if self.body_text else self.body_bytes


class ExecutionContext(Message, frozen=True):
    """The ids of one execution. Every log line, receipt and host call carries them.

    `caused_by` is the event that the handler is called with, `depth` how many events stand behind it. Where it is
    traced, `traceparent` is the gateway's span (W3C trace context) and `trace_from` the caller's above it; else empty.
    """

    request_id: str
    execution_id: str
    tenant_id: str
    extension_id: str
    install_id: str
    version_id: str
    version: str
    content_hash: ContentHash
    trigger: Trigger = "http"
    depth: int = 0
    caused_by: str | None = None
    config: dict[str, str] = field(default_factory=dict)
    traceparent: str = ""
    trace_from: str = ""


class HttpRequest(_WithBody, frozen=True, kw_only=True):
    """What the handler is asked. `headers` keeps repeats and their order; names are lower case."""

    method: str
    path: str
    query: str = ""
    route: str = ""
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


class Limits(Message, frozen=True):
    """The bounds of one execution; every one of them is enforced by the runner.

    `timeout_ms` covers everything: the guest, its host calls, reading its answer.
    """

    timeout_ms: Annotated[int, Meta(ge=1, le=900_000)] = DEFAULT_TIMEOUT_MS
    memory_mb: Annotated[int, Meta(ge=1, le=4096)] = DEFAULT_MEMORY_MB
    fuel: AtLeastOne | None = None
    max_response_bytes: NotNegative = 6_000_000
    max_response_headers: NotNegative = 64
    max_host_calls: NotNegative = 1_000
    max_egress_bytes: NotNegative = 10_000_000
    max_log_lines: NotNegative = 200
    max_log_bytes: NotNegative = 64_000
    max_kv_operations: NotNegative = 200
    max_kv_bytes: NotNegative = 32_000_000
    max_metric_samples: NotNegative = 1_000
    max_metric_series: NotNegative = 100


class SealedSecret(Message, frozen=True):
    """One secret as it is stored: AES-256-GCM, bound to tenant, install and name (`oriel.sealing`)."""

    name: str
    key_id: str
    nonce_b64: str
    ciphertext_b64: str
    hosts: tuple[str, ...] = ()
    reference_only: bool = False


class User(Message, frozen=True, omit_defaults=True):
    """The user whose request it is, as far as the verified token tells.

    The members from `type` on are those of `alga:extension`; the company may come by either of its names.
    """

    id: str
    name: str | None = None
    email: str | None = None
    roles: tuple[str, ...] = ()
    type: str | None = None
    client_id: str | None = None
    client_name: str | None = None
    company_name: str | None = None
    additional_fields: dict[str, str] = field(default_factory=dict)

    @property
    def company(self) -> str:
        """By whichever name it came."""
        return self.client_name or self.company_name or ""


class DeclaredEndpoint(Message, frozen=True):
    """An endpoint that the version declares."""

    method: str
    path: str


class SealedFixture(Message, frozen=True):
    """An execution kept whole (`oriel.fixture`), compressed and sealed like a secret of its install."""

    key_id: str
    nonce_b64: str
    ciphertext_b64: str


class Recording(Message, frozen=True, omit_defaults=True):
    """What became of the wish to keep an execution: the fixture, or why there is none."""

    fixture: SealedFixture | None = None
    refused: str = ""


class ExecuteRequest(Message, frozen=True):
    """What is to be executed, and with what.

    Attributes:
        record: keep it whole, whatever comes of it or where it fails.
        user: the user as the guest may see it; None without the grant.
        operations: those of the host product that may be called (`host.call`).
        endpoints: what the version declares; with `schedule.manage` alone.
        acting_user: the user as the host product is told when an operation is called; never shown to the guest.
    """

    context: ExecutionContext
    http: HttpRequest
    limits: Limits = Limits()
    providers: frozenset[str] = frozenset()
    egress: tuple[str, ...] = ()
    secrets: tuple[SealedSecret, ...] = ()
    user: User | None = None
    operations: tuple[str, ...] = ()
    acting_user: User | None = None
    endpoints: tuple[DeclaredEndpoint, ...] = ()
    record: Literal["always", "failure"] | None = None


class ExecuteError(Message, frozen=True):
    """Why there is no answer of the guest's own: a code of `oriel.errors.CATALOGUE` and one sentence."""

    code: str
    message: str


class Receipt(Message, frozen=True):
    """What one execution used. Times in milliseconds, sizes in bytes.

    `queue_ms` is the part of `duration_ms` that it waited for a thread; `cold` says that its component was not in the
    worker's memory.
    """

    duration_ms: float = 0.0
    queue_ms: float = 0.0
    cpu_ms: float = 0.0
    peak_memory_bytes: int = 0
    fuel: int | None = None
    host_calls: int = 0
    denied_calls: int = 0
    egress_bytes: int = 0
    kv_reads: int = 0
    kv_writes: int = 0
    log_lines: int = 0
    log_bytes: int = 0
    log_dropped: int = 0
    metric_samples: int = 0
    metrics_dropped: int = 0
    cold: bool = False
    reason: str | None = None


class LogLine(Message, frozen=True):
    """One line the guest logged; `at_ms` counts from the start of the execution."""

    at_ms: float
    level: Literal["debug", "info", "warn", "error"]
    message: str
    fields: dict[str, str] = field(default_factory=dict)


class Metric(Message, frozen=True, kw_only=True):
    """One series of one execution: a name, its labels, and what became of the samples.

    Attributes:
        value: a counter's sum, a gauge's last value, a histogram's sum.
        count: the number of samples.
        buckets: of a histogram, the samples in each of `HISTOGRAM_BOUNDS`, and at the end those above the last.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: dict[str, str] = field(default_factory=dict)
    value: float
    count: int
    buckets: tuple[int, ...] = ()


class ExecuteResponse(_WithBody, frozen=True, kw_only=True):
    """`status`, `headers` and the body are the guest's where `error` is None."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    error: ExecuteError | None = None
    receipt: Receipt = Receipt()
    logs: tuple[LogLine, ...] = ()
    metrics: tuple[Metric, ...] = ()
    recording: Recording | None = None
    spans: tuple[Span, ...] = ()
