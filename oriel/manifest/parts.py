"""The parts of a manifest, each one valid in itself.

Rules kept here:

- An unknown key is an error. Text that people see is one line without control or direction characters: a consent
  screen shows it.
- A capability may be written short, `"storage.kv"` or `"cap:storage.kv"`; its purpose is then empty.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    model_validator,
)

from oriel import hosts as host_patterns
from oriel.capabilities import CAPABILITIES, canonical_name, spellings
from oriel.manifest import values
from oriel.manifest.findings import did_you_mean
from oriel.operations import MAX_NAME, OPERATION

MAX_HOSTS = 50
MAX_OPERATIONS = 50
MAX_ROLES = 32

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Scalar = str | int | float | bool | None

_SEGMENT = r"[A-Za-z0-9_~@+,=-][A-Za-z0-9._~@+,=-]*"
ENDPOINT_PATH = rf"^/$|^(?:/(?::[A-Za-z][A-Za-z0-9_]{{0,31}}|{_SEGMENT}))+$"
UI_PATH = rf"^/(?:{_SEGMENT}(?:/{_SEGMENT})*/?)?(?:\?[A-Za-z0-9._~=&+-]*)?$"
TOPIC = r"^(?:\*|[a-z0-9_-]+(?:\.(?:\*|[a-z0-9_-]+))*)$"
ROLE = r"^[A-Za-z][A-Za-z0-9_.:-]{0,63}$"
HOOK = r"^[a-z][A-Za-z0-9]{0,39}$"
SLUG = r"^[a-z0-9][a-z0-9-]{0,62}$"
PATTERN_MEANINGS = {
    ENDPOINT_PATH: "must be a path such as /reports/:id, without empty or hidden segments or a slash at its end",
    UI_PATH: "must be a path inside the UI that starts with '/'",
    TOPIC: "must be a topic such as invoice.paid or invoice.*",
    ROLE: "must be the name of a role: a letter, then letters, digits and _.:-",
    OPERATION: "must be an operation of the host product such as orders.list",
    HOOK: "must be the name of a place in the product such as appMenu",
    SLUG: "must be lower-case letters, digits and hyphens",
}


def _one_line(text: str) -> str:
    # ZWNJ and ZWJ are part of ordinary writing; what else is not printable can change how a line reads.
    if not text.replace("\u200c", "").replace("\u200d", "").isprintable():
        raise ValueError("must be one line without control or direction characters")
    if text != text.strip():
        raise ValueError("must not begin or end with spaces")
    return text


def _unique(items: tuple[str, ...]) -> tuple[str, ...]:
    if doubled := sorted({item for item in items if items.count(item) > 1}):
        raise ValueError(f"names {', '.join(doubled)} twice")
    return items


def line(max_length: int, min_length: int = 1) -> tuple[object, ...]:
    """The annotations of a line of text that people see."""
    return (StringConstraints(min_length=min_length, max_length=max_length), AfterValidator(_one_line))


Label = Annotated[str, *line(60)]
EndpointPath = Annotated[str, StringConstraints(pattern=ENDPOINT_PATH, max_length=200)]
Roles = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=ROLE)], ...],
    Field(max_length=MAX_ROLES, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_unique),
]
BundleFile = Annotated[str, StringConstraints(max_length=200), AfterValidator(values.bundle_file)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _known(name: str) -> str:
    canonical = canonical_name(name)
    if canonical not in CAPABILITIES:
        known = ", ".join(sorted(CAPABILITIES))
        raise ValueError(f"is not a known capability ({known}){did_you_mean(canonical, CAPABILITIES)}")
    return canonical


_NAMES = Field(json_schema_extra={"enum": list(spellings())})


class CapabilityRequest(Part):
    """One thing the extension asks to be allowed to do."""

    name: Annotated[str, AfterValidator(_known), _NAMES]
    """What is asked for. `cap:` may stand before it."""

    purpose: Annotated[str, *line(300, 0)]
    """Why, in one sentence for the person who consents."""

    hosts: Annotated[
        tuple[Annotated[str, AfterValidator(host_patterns.normal)], ...],
        Field(max_length=MAX_HOSTS),
        AfterValidator(_unique),
    ] = ()
    """For `http.fetch`: DNS names, or `*.` and a name for all below it."""

    operations: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=OPERATION, max_length=MAX_NAME)], ...],
        Field(max_length=MAX_OPERATIONS, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_unique),
    ] = ()
    """For `host.call`: operations of the host product, each by its name."""

    @model_validator(mode="after")
    def _operations_fit(self) -> Self:
        takes_operations = CAPABILITIES[self.name].takes_operations
        if takes_operations and not self.operations:
            raise ValueError(
                f"needs operations: write {{'name': '{self.name}', 'purpose': '…', 'operations': ['orders.list']}}"
            )
        if self.operations and not takes_operations:
            raise ValueError(f"takes no operations; leave them out of '{self.name}'")
        return self

    @model_validator(mode="after")
    def _hosts_fit(self) -> Self:
        takes_hosts = CAPABILITIES[self.name].takes_hosts
        if takes_hosts and not self.hosts:
            raise ValueError(
                f"needs hosts: write {{'name': '{self.name}', 'purpose': '…', 'hosts': ['api.example.com']}}"
            )
        if self.hosts and not takes_hosts:
            raise ValueError(f"takes no hosts; leave them out of '{self.name}'")
        return self


def _long_form(value: object) -> object:
    return {"name": value, "purpose": ""} if isinstance(value, str) else value


CapabilityItem = Annotated[
    CapabilityRequest,
    BeforeValidator(
        _long_form,
        json_schema_input_type=Annotated[str, _NAMES] | CapabilityRequest,
    ),
]


class Hook(Part):
    """One place in the host product where the UI appears."""

    label: Label
    path: Annotated[str, StringConstraints(pattern=UI_PATH, max_length=200)] = "/"
    """Where in the UI it leads."""
    icon: BundleFile | None = None
    """An image under `ui/`."""


class Ui(Part):
    """The UI, shown in a sandboxed frame."""

    type: Literal["iframe"] = "iframe"
    entry: BundleFile = "ui/index.html"
    """The document the frame opens, under `ui/`."""
    hooks: dict[Annotated[str, StringConstraints(pattern=HOOK)], Annotated[tuple[Hook, ...], Field(max_length=20)]] = (
        Field(default_factory=dict, max_length=20)
    )
    """Places of the host product, such as `appMenu` and `clientTab`, and what stands there."""


class Endpoint(Part):
    """One path that the handler answers; what is not declared is not reachable."""

    method: Method
    path: EndpointPath
    """Segments are literal, or `:name` for any one segment."""
    roles: Roles = ()
    """Only users with one of these roles may call it; none named is no restriction."""
    internal: bool = False
    """Only the platform calls it, for events and schedules; to everybody else it is not there."""

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(segment for segment in self.path.split("/") if segment)


class Api(Part):
    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=500)] = ()


def _filter_value(value: Any) -> Any:
    alternatives = value if isinstance(value, list | tuple) else [value]
    if not alternatives or not all(isinstance(item, Scalar) for item in alternatives):
        raise ValueError("must be text, a number, true, false or null, or a list of these")
    return value


class EventHandler(Part):
    """A subscription; the event arrives as a POST to `path`."""

    topic: Annotated[str, StringConstraints(pattern=TOPIC, max_length=128)]
    """Dotted; `*` stands for any one segment, and as the last one for any number."""
    path: EndpointPath
    filter: dict[str, Annotated[Any, AfterValidator(_filter_value)]] = Field(default_factory=dict, max_length=20)
    """Fields of the event's data (dotted) and the value, or the values, they must have."""
    ordered: bool = False
    """Events of one key arrive one after the other, in their order; the next one waits for the one before."""


class Schedule(Part):
    """A call that the platform makes at fixed times."""

    name: Annotated[str, StringConstraints(pattern=SLUG)]
    cron: Annotated[str, StringConstraints(max_length=100), AfterValidator(values.cron)]
    """Five fields: minute, hour, day of the month, month, day of the week."""
    timezone: Annotated[str, StringConstraints(max_length=64), AfterValidator(values.timezone)] = "UTC"
    method: Method = "POST"
    path: EndpointPath
    payload: dict[str, Any] | None = None
    """Sent as the JSON body."""
    missed: Literal["once", "skip"] = "once"
    """What becomes of times at which the platform was down: one run makes up for all of them, or none does."""
    overlap: bool = False
    """A run may begin while the one before goes on."""


Bound = Annotated[StrictInt, Field(ge=0)] | None


class LimitsRequest(Part):
    """What one execution needs, where the platform's defaults are too large or too small; never above its ceiling."""

    timeout_ms: Annotated[StrictInt, Field(ge=1, le=900_000)] | None = None
    memory_mb: Annotated[StrictInt, Field(ge=1, le=4096)] | None = None
    fuel: Annotated[StrictInt, Field(ge=1)] | None = None
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
