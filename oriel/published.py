"""A published manifest, as whoever serves it reads it: the canonical object that the registry keeps with a version.

What authors write is validated once, by `oriel.manifest`, which names every mistake. What was published is read with
each cold start, and by who can mend nothing: structs do it in a hundredth of the time that the models take to be made.

Rules kept here:

- Strict: every field is there, of its type, and no other; only what has no value is left out. Both sides are held
  together by a test over the examples and over generated manifests.
- What cannot be read is `unavailable`. Nothing is guessed: an endpoint whose roles are not said is not open to all.
"""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from msgspec import Meta, ValidationError, convert

from oriel.configuration import as_strings
from oriel.errors import OrielError
from oriel.messages import Message

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Bound = Annotated[int, Meta(ge=0)] | None

_log = logging.getLogger(__name__)


class CapabilityRequest(Message, frozen=True, kw_only=True):
    """One thing the extension asks to be allowed to do."""

    name: str
    purpose: str
    hosts: tuple[str, ...]
    operations: tuple[str, ...]


class Hook(Message, frozen=True, kw_only=True):
    """One place in the host product where the UI appears."""

    label: str
    path: str
    icon: str | None = None


class Ui(Message, frozen=True, kw_only=True):
    type: Literal["iframe"]
    entry: str
    hooks: dict[str, tuple[Hook, ...]]


class Endpoint(Message, frozen=True, kw_only=True):
    """One path that the handler answers; no roles is no restriction."""

    method: Method
    path: str
    roles: tuple[str, ...]
    internal: bool


class Api(Message, frozen=True, kw_only=True):
    endpoints: tuple[Endpoint, ...]


class EventHandler(Message, frozen=True, kw_only=True):
    topic: str
    path: str
    filter: dict[str, Any]
    ordered: bool


class Schedule(Message, frozen=True, kw_only=True):
    name: str
    cron: str
    timezone: str
    method: Method
    path: str
    payload: dict[str, Any] | None = None
    missed: Literal["once", "skip"]
    overlap: bool


class LimitsRequest(Message, frozen=True, kw_only=True):
    """What one execution needs, where the platform's defaults are too large or too small."""

    timeout_ms: Bound = None
    memory_mb: Bound = None
    fuel: Bound = None
    max_response_bytes: Bound = None
    max_response_headers: Bound = None
    max_host_calls: Bound = None
    max_egress_bytes: Bound = None
    max_log_lines: Bound = None
    max_log_bytes: Bound = None
    max_kv_operations: Bound = None
    max_kv_bytes: Bound = None
    max_metric_samples: Bound = None
    max_metric_series: Bound = None


class Published(Message, frozen=True, kw_only=True):
    """The manifest of a version; `oriel.manifest.Manifest` says what each field means."""

    manifest_version: Literal[2]
    name: str
    publisher: str
    version: str
    title: str
    description: str
    runtime: str
    capabilities: tuple[CapabilityRequest, ...]
    ui: Ui | None = None
    api: Api
    events: tuple[EventHandler, ...]
    schedules: tuple[Schedule, ...]
    assets: tuple[str, ...]
    sbom: str | None = None
    settings: dict[str, Any] | None = None
    limits: LimitsRequest

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Read what is kept with a version.

        Raises:
            OrielError: `unavailable`. It was valid when it was published: the caller can mend nothing.
        """
        try:
            return convert(stored, cls)
        except ValidationError as error:
            named = f"{stored.get('name')} {stored.get('version')}"
            _log.error("a published manifest cannot be read", extra={"manifest": named, "reason": str(error)})
            raise OrielError("unavailable", "The version's manifest cannot be read.") from None

    @property
    def asked(self) -> dict[str, CapabilityRequest]:
        """What is asked for, by the capability's name, in the manifest's order."""
        return {request.name: request for request in self.capabilities}

    def config_strings(self, configuration: Mapping[str, Any]) -> dict[str, str]:
        """The configuration as the guest gets it: defaults filled in, text as it is, anything else as JSON text."""
        return as_strings(self.settings, configuration)
