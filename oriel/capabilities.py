"""What an extension may ask for, and which interface of `oriel:extension` each capability opens.

Rules kept here:

- Deny by default: a capability that is not granted is not there, whatever the manifest asks for.
- `context.read` and `log.emit` are always there and need no consent.
- Names are written `storage.kv`; `cap:storage.kv` means the same. `scheduler.manage`, of `alga:extension`, is
  `schedule.manage`.
"""

from collections.abc import Mapping

from msgspec import Struct

WIT_PACKAGE = "oriel:extension"
WIT_VERSION = "1.0.0"


class Capability(Struct, frozen=True):
    """One thing an extension can be allowed to do.

    Attributes:
        name: as in the manifest, `http.fetch`.
        interface: the interface of `oriel:extension` that needs it, or None where no import does.
        summary: what it means to a tenant's administrator, in a sentence that ends a consent screen's line.
        always: there without being asked for.
        takes_hosts: the request names the hosts it is for.
        takes_operations: the request names the operations of the host product it is for.
        takes_topics: it is for the topics that the manifest subscribes to (`events`).
        sensitive: shown with a warning on the consent screen.
    """

    name: str
    interface: str | None
    summary: str
    always: bool = False
    takes_hosts: bool = False
    takes_operations: bool = False
    takes_topics: bool = False
    sensitive: bool = False


_ALL = (
    Capability("context.read", "context", "Read who is asking and the install's configuration.", always=True),
    Capability("log.emit", "log", "Write lines to its own log.", always=True),
    Capability("storage.kv", "storage", "Keep its own records for your organisation."),
    Capability("secrets.get", "secrets", "Use the secrets you set for it.", sensitive=True),
    Capability(
        "http.fetch", "http", "Send requests to the hosts named, and to no others.", takes_hosts=True, sensitive=True
    ),
    Capability("metrics.emit", "metrics", "Count and measure what it does."),
    Capability("user.read", "user", "See the name, e-mail address and roles of the user.", sensitive=True),
    Capability("events.emit", "events", "Tell other extensions of your organisation what has happened in it."),
    Capability(
        "events.subscribe",
        None,
        "Be told when something of the topics named happens in your organisation.",
        takes_topics=True,
        sensitive=True,
    ),
    Capability("schedule.manage", "schedule", "Set when its own endpoints are called."),
    Capability(
        "host.call",
        "host",
        "Use the operations of this product that are named, for your organisation.",
        takes_operations=True,
        sensitive=True,
    ),
    # Opened by interfaces of `alga:extension` alone; the host product carries out what is behind them.
    Capability("ui.proxy", None, "Call this product's own routes for its user interface.", sensitive=True),
    Capability("invoice.manual.create", None, "Create invoices for your clients.", sensitive=True),
    Capability("client.read", None, "Read your clients.", sensitive=True),
    Capability("service.read", None, "Read your services and their rates.", sensitive=True),
)

CAPABILITIES: Mapping[str, Capability] = {capability.name: capability for capability in _ALL}
ALWAYS: frozenset[str] = frozenset(capability.name for capability in _ALL if capability.always)
PRODUCT_BACKED: frozenset[str] = frozenset(
    {"host.call", "ui.proxy", "invoice.manual.create", "client.read", "service.read"}
)
"""What the host product carries out."""
BY_INTERFACE: Mapping[str, Capability] = {
    capability.interface: capability for capability in _ALL if capability.interface is not None
}


_OTHER_NAMES: Mapping[str, str] = {"scheduler.manage": "schedule.manage"}


def canonical_name(name: str) -> str:
    """`cap:storage.kv` and `storage.kv` both give `storage.kv`; the name need not be a known one."""
    plain = name.removeprefix("cap:")
    return _OTHER_NAMES.get(plain, plain)


def spellings() -> tuple[str, ...]:
    """Every way in which a known capability may be written."""
    plain = sorted({*CAPABILITIES, *_OTHER_NAMES})
    return tuple(prefix + name for prefix in ("", "cap:") for name in plain)
