"""The platform's settings, read once from the environment.

Every setting is an environment variable `ORIEL_<NAME>`; the trust bundle is `SIGNING_TRUST_BUNDLE`. The defaults are
those of one machine: SQLite and files under `.oriel/`, loopback addresses. A variable that is empty is not set. A
setting that cannot be read stops the start with every finding at once.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field
from msgspec.structs import replace

from oriel.errors import Finding, InvalidInput
from oriel.messages import place_and_problem

MEGABYTE = 1_000_000
PEM_MARK = "-----BEGIN"
LOCAL_ISSUER = "urn:oriel:local"
PREFIX = "ORIEL_"
TRUST_BUNDLE = "SIGNING_TRUST_BUNDLE"


def _processors() -> int:
    """One worker for each that this process may use; at least two, so that one's end leaves another."""
    return max(2, min(16, len(os.sched_getaffinity(0))))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of the three functions and of the platform on one machine.

    Raises (from `load`): `InvalidInput` with code `invalid_input`.
    """

    # where things are
    data_dir: Path = Path(".oriel")
    store: str = ""  # `sqlite:PATH`, `dynamodb:TABLE`, …; by default in the data directory
    blobs: str = ""  # `file:DIR` or `s3:BUCKET[/PREFIX]`; by default in the data directory
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8420
    ui_port: Annotated[int, Meta(ge=0, le=65535)] = 8421
    public_url: str = ""
    ui_origin: str = ""
    ui_blobs: str = ""  # where extensions' UIs are, if not with the other blobs

    # in AWS: what the functions call, and where their keys are (`oriel.aws.keys`)
    runner: str = ""  # `lambda:FUNCTION[:ALIAS]`; the gateway's way to the runner
    runner_by_tenant: bool = False  # each tenant has execution environments of its own
    publish_queue: str = ""  # `sqs:URL`; where finalized uploads are announced
    work_queue: str = ""  # `sqs:URL`; where work of events and schedules is announced
    scheduler: str = ""  # `scheduler:GROUP`; where schedules that are due later are kept
    scheduler_queue: str = ""  # the work queue's ARN
    scheduler_role: str = ""  # the ARN of the role by which the scheduler sends
    platform_key: str = ""  # `kms:KEY`, ECDSA P-256; signs artifacts
    believed_platform_keys: tuple[str, ...] = ()  # `kms:KEY` of retired ones, and of the next one
    data_key: str = ""  # `kms:KEY`, symmetric; under it secrets are sealed
    service_secret: str = ""  # `secretsmanager:SECRET`, shared by gateway and runner
    session_secret: str = ""  # `secretsmanager:SECRET`, the gateway's alone
    host_secret: str = ""  # `secretsmanager:SECRET`, the runner's alone

    # who may do what
    oidc_issuer: str = ""
    oidc_audience: str = "oriel"
    oidc_jwks: str = ""  # a URL or a file; by default the local keyring's own issuer
    tenant_claim: str = "tenant"
    roles_claim: str = "roles"
    roles: str = ""  # roles to permissions (`oriel.identity.RolePolicy`): JSON, or the path of a file
    host_origins: tuple[str, ...] = ()
    signing_trust_bundle: str = ""  # PEM text, or the path of a PEM file
    console_client_id: str = ""  # of the console at the identity provider, as a public client
    console_token_url: str = ""  # a path of the host product that answers the console with its user's token

    # ceilings no extension passes
    max_body_bytes: Annotated[int, Meta(ge=1)] = 6 * MEGABYTE
    max_bundle_bytes: Annotated[int, Meta(ge=1)] = 64 * MEGABYTE
    max_timeout_ms: Annotated[int, Meta(ge=1)] = 30_000
    max_memory_mb: Annotated[int, Meta(ge=16)] = 256
    max_fuel: Annotated[int, Meta(ge=0)] = 0  # 0: it is not counted, and no limit of it can be held
    cache_seconds: Annotated[float, Meta(ge=0, le=5)] = 5.0

    # the engine room: processes share the processors best, threads wait for what guests ask of the world
    # (docs/decisions/0001-pooling-allocator.md)
    runner_workers: Annotated[int, Meta(ge=1, le=64)] = field(default_factory=_processors)
    runner_threads: Annotated[int, Meta(ge=1, le=256)] = 4
    runner_resident_mb: Annotated[int, Meta(ge=0, le=1_024)] = 0
    artifact_cache_mb: Annotated[int, Meta(ge=64)] = 2_000
    host_operations: str = ""  # operations of the host product (`oriel.operations`): JSON, or the path of a file
    egress_allow_networks: tuple[str, ...] = ()
    egress_mode: Literal["enforce", "report"] = "enforce"  # in "report", what no grant covers passes and is logged
    compile_memory_mb: Annotated[int, Meta(ge=512)] = 4_096
    compile_seconds: Annotated[int, Meta(ge=5)] = 120

    # what is remembered of executions
    uninstall_grace_days: Annotated[int, Meta(ge=0, le=3_650)] = 30
    log_retention_days: Annotated[int, Meta(ge=1, le=3_650)] = 30
    fixture_retention_days: Annotated[int, Meta(ge=1, le=3_650)] = 7
    record_failures: Annotated[float, Meta(ge=0, le=1)] = 0.0  # the share of executions kept whole where they fail
    metrics: Literal["", "emf"] = ""  # CloudWatch's lines on standard output; on one machine there is /metrics
    otlp_endpoint: str = ""  # of an OpenTelemetry collector, without /v1/traces; nothing is traced without one
    otlp_headers: tuple[Annotated[str, Meta(pattern="^[^=]+=.*\\Z")], ...] = ()  # NAME=VALUE, for its credentials
    trace_share: Annotated[float, Meta(ge=0, le=1)] = 0.0  # of requests that come without a sampled traceparent
    prices: str = ""  # what usage costs (`oriel.pricing`): JSON, or the path of a file
    # events and schedules
    event_keep_days: Annotated[int, Meta(ge=1, le=400)] = 14
    event_attempts: Annotated[int, Meta(ge=1, le=100)] = 10  # deliveries tried before one is a dead letter
    events_per_minute: Annotated[int, Meta(ge=1)] = 6_000  # of the host product, for one tenant
    extension_events_per_minute: Annotated[int, Meta(ge=1)] = 600  # of one extension, for one tenant
    schedule_min_seconds: Annotated[int, Meta(ge=60)] = 300  # what must lie between two runs of a schedule

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def load(cls, **overrides: Any) -> "Settings":
        """Read the environment; `overrides` win over it."""
        values: dict[str, Any] = {}
        findings: list[Finding] = []
        for setting in msgspec.structs.fields(cls):
            given = overrides.get(setting.name, os.environ.get(variable(setting.name)) or None)
            if given is None:
                continue
            try:
                values[setting.name] = _read(setting.type, given)
            except msgspec.ValidationError as error:
                findings.append(Finding(variable(setting.name), place_and_problem(error)[1]))
        if findings:
            raise InvalidInput("invalid_input", findings, subject="The environment")
        return cls(**values)

    @property
    def store_url(self) -> str:
        return self.store or f"sqlite:{self.data_dir / 'oriel.db'}"

    @property
    def blobs_url(self) -> str:
        return self.blobs or f"file:{self.data_dir / 'blobs'}"

    @property
    def keyring_path(self) -> Path:
        return self.data_dir / "keyring.json"

    @property
    def base_url(self) -> str:
        """Where the gateway and the registry answer, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def ui_base_url(self) -> str:
        return (self.ui_origin or f"http://{self.host}:{self.ui_port}").rstrip("/")

    @property
    def issuer(self) -> str:
        """Whose tokens are believed: the identity provider, or the issuer of the local keyring."""
        return self.oidc_issuer or LOCAL_ISSUER

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Origins of the host product: they may call the API from a browser and frame the UIs."""
        return self.host_origins or (self.base_url,)

    @property
    def counts_fuel(self) -> bool:
        """Whether the engine counts fuel: that is another configuration of it, with artifacts of its own."""
        return self.max_fuel > 0

    def on_ports(self, port: int, ui_port: int) -> "Settings":
        """The same settings with the ports that are really listened on."""
        return replace(self, port=port, ui_port=ui_port)

    def trust_bundle_pem(self) -> str:
        """The operator's trust bundle as PEM text; empty where none is set."""
        value = self.signing_trust_bundle
        if not value or PEM_MARK in value:
            return value
        try:
            return Path(value).read_text(encoding="utf-8")
        except OSError as error:
            at = TRUST_BUNDLE
            message = f"{value} cannot be read: {error.strerror}. Give PEM text or the path of a PEM file."
            raise InvalidInput("invalid_input", [Finding(at, message)], subject="The environment") from None

    def environment(self) -> Mapping[str, str]:
        """The variables that make another process load the same settings."""
        pairs = ((variable(name), value) for name, value in msgspec.structs.asdict(self).items())
        return {name: ",".join(value) if isinstance(value, tuple) else str(value) for name, value in pairs}


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return TRUST_BUNDLE if setting == "signing_trust_bundle" else f"{PREFIX}{setting.upper()}"


def _read(type_: Any, given: Any) -> Any:
    """A setting's value from its text; the parts of a list are written with commas between them."""
    if type_ == tuple[str, ...] and isinstance(given, str):
        given = tuple(part.strip() for part in given.split(",") if part.strip())
    return msgspec.convert(given, type_, strict=False, dec_hook=_path)


def _path(type_: type, given: Any) -> Any:
    if type_ is not Path:
        raise NotImplementedError(f"no setting is of the type {type_}")
    return Path(given)
