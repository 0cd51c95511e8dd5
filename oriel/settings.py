"""The platform's settings, read once from the environment.

Every setting is an environment variable `ORIEL_<NAME>`; the trust bundle is `SIGNING_TRUST_BUNDLE`. The defaults are
those of one machine: SQLite and files under `.oriel/`, loopback addresses. A setting that cannot be read stops the
start with every finding at once.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from oriel.errors import Finding, InvalidInput

MEGABYTE = 1_000_000
PEM_MARK = "-----BEGIN"
LOCAL_ISSUER = "urn:oriel:local"


def _processors() -> int:
    """One worker for each that this process may use; at least two, so that one's end leaves another."""
    return max(2, min(16, len(os.sched_getaffinity(0))))


class Settings(BaseSettings):
    """All settings of the three functions and of the platform on one machine.

    Raises (from `load`): `InvalidInput` with code `invalid_input`.
    """

    model_config = SettingsConfigDict(env_prefix="ORIEL_", env_ignore_empty=True, frozen=True, extra="ignore")

    # where things are
    data_dir: Path = Path(".oriel")
    store: str = Field(default="", description="`sqlite:PATH`, `dynamodb:TABLE`, …; by default in the data directory")
    blobs: str = Field(default="", description="`file:DIR` or `s3:BUCKET[/PREFIX]`; by default in the data directory")
    host: str = "127.0.0.1"
    port: int = Field(default=8420, ge=0, le=65535)
    ui_port: int = Field(default=8421, ge=0, le=65535)
    public_url: str = ""
    ui_origin: str = ""

    # who may do what
    oidc_issuer: str = ""
    oidc_audience: str = "oriel"
    oidc_jwks: str = Field(default="", description="a URL or a file; by default the local keyring's own issuer")
    tenant_claim: str = "tenant"
    roles_claim: str = "roles"
    host_origins: Annotated[tuple[str, ...], NoDecode] = ()
    signing_trust_bundle: str = Field(
        default="",
        validation_alias=AliasChoices("SIGNING_TRUST_BUNDLE", "signing_trust_bundle"),
        description="PEM text, or the path of a PEM file",
    )

    # ceilings no extension passes
    max_body_bytes: int = Field(default=6 * MEGABYTE, ge=1)
    max_bundle_bytes: int = Field(default=64 * MEGABYTE, ge=1)
    max_timeout_ms: int = Field(default=30_000, ge=1)
    max_memory_mb: int = Field(default=256, ge=16)
    cache_seconds: float = Field(default=5.0, ge=0, le=5)

    # the engine room: processes share the processors best, threads wait for what guests ask of the world
    # (docs/decisions/0001-pooling-allocator.md)
    runner_workers: int = Field(default_factory=_processors, ge=1, le=64)
    runner_threads: int = Field(default=4, ge=1, le=256)
    artifact_cache_mb: int = Field(default=2_000, ge=64)
    host_operations: str = Field(
        default="", description="operations of the host product (`oriel.operations`): JSON, or the path of a file"
    )
    egress_allow_networks: Annotated[tuple[str, ...], NoDecode] = ()
    compile_memory_mb: int = Field(default=4_096, ge=512)
    compile_seconds: int = Field(default=120, ge=5)

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("host_origins", "egress_allow_networks", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @classmethod
    def load(cls, **overrides: Any) -> "Settings":
        """Read the environment; `overrides` win over it."""
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise InvalidInput("invalid_input", _findings(error), subject="The environment") from None

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

    def on_ports(self, port: int, ui_port: int) -> "Settings":
        """The same settings with the ports that are really listened on."""
        return self.model_copy(update={"port": port, "ui_port": ui_port})

    def trust_bundle_pem(self) -> str:
        """The operator's trust bundle as PEM text; empty where none is set."""
        value = self.signing_trust_bundle
        if not value or PEM_MARK in value:
            return value
        try:
            return Path(value).read_text(encoding="utf-8")
        except OSError as error:
            at = "SIGNING_TRUST_BUNDLE"
            message = f"{value} cannot be read: {error.strerror}. Give PEM text or the path of a PEM file."
            raise InvalidInput("invalid_input", [Finding(at, message)], subject="The environment") from None

    def environment(self) -> Mapping[str, str]:
        """The variables that make another process load the same settings."""
        prefix = str(self.model_config["env_prefix"])
        pairs = {f"{prefix}{name.upper()}": value for name, value in self if name != "signing_trust_bundle"}
        pairs["SIGNING_TRUST_BUNDLE"] = self.signing_trust_bundle
        return {name: ",".join(value) if isinstance(value, tuple) else str(value) for name, value in pairs.items()}


def _findings(error: ValidationError) -> list[Finding]:
    return [
        Finding("ORIEL_" + ".".join(str(part) for part in entry["loc"]).upper(), entry["msg"])
        for entry in error.errors(include_url=False)
    ]
