"""URLs of outgoing requests, read strictly: one reading only, the same for the screen and for the wire.

Rules kept here:

- `https:` or `http:`, then a host name, then perhaps a port. No user, no password.
- Printable ASCII without space and backslash, from end to end. Nothing is trimmed, decoded or repaired, so a name
  in another script has to come in its `xn--` form, and its look-alike dots with it.
- A host is a name: letters, digits, hyphens. An address is refused in every notation: dotted, short, decimal,
  octal, hex (anything whose last label is a number, as in the WHATWG URL standard, section 3.5), or bracketed.
- No trailing dot: `api.acme.com.` is the same host by another name, and grants know one name.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urljoin

from msgspec import Struct

from oriel import hosts
from oriel.hosts import DEFAULT_PORTS
from runner.egress.model import EgressError

MAX_URL: Final = 8_192

_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_AUTHORITY = re.compile(r"([^:]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Origin(Struct, frozen=True):
    """Scheme, host and port (RFC 6454): what grants, secrets and connections are bound to."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The `host` header: the port only where it is not the scheme's own."""
        return self.host if self.port == DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    def covered_by(self, patterns: Iterable[str]) -> bool:
        """Whether any of the host patterns covers this origin."""
        return hosts.covered(self.scheme, self.host, self.port, patterns)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Url(Struct, frozen=True):
    """An origin, and the path with its query as they go over the wire."""

    origin: Origin
    target: str

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def parse(text: str) -> Url:
    """Read an absolute URL. The fragment is left out.

    Raises:
        EgressError: `denied` where the host is an address, `invalid-request` for all else.
    """
    _require_plain(text)
    match = _URL.fullmatch(text)
    if match is None:
        raise EgressError("invalid-request", "The URL must begin with https:// (or http:// where that is granted).")
    scheme, authority, rest = match[1].lower(), match[2], match[3]
    return Url(parse_origin(scheme, authority), rest if rest.startswith("/") else f"/{rest}")


def parse_origin(scheme: str, authority: str) -> Origin:
    """Read `host` or `host:port`; raises as `parse` does."""
    if "@" in authority:
        raise EgressError("invalid-request", "The URL must not hold a user or a password.")
    if "[" in authority:
        raise EgressError("denied", "Grants are for names; an address in a URL is refused.")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise EgressError("invalid-request", "The URL's host and port cannot be read.")
    port = int(match[2]) if match[2] else DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65_535:
        raise EgressError("invalid-request", f"The URL's port {port} is not from 1 to 65535.")
    return Origin(scheme, _host(match[1].lower()), port)


def join(base: Url, reference: str) -> Url:
    """Where a `location` leads, seen from `base` (RFC 3986, section 5); raises as `parse` does."""
    _require_plain(reference)
    if _SCHEME.match(reference):
        return parse(reference)
    if reference.startswith("//"):
        return parse(f"{base.origin.scheme}:{reference}")
    return parse(urljoin(str(base), reference))


def _require_plain(text: str) -> None:
    if len(text) > MAX_URL:
        raise EgressError("invalid-request", f"The URL has {len(text):,} characters; at most {MAX_URL:,} are allowed.")
    if not _PLAIN.fullmatch(text):
        raise EgressError(
            "invalid-request",
            "The URL may hold printable ASCII only, without space and backslash: percent-encode the rest, "
            "and write the host in its xn-- form.",
        )


def _host(host: str) -> str:
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise EgressError("denied", "Grants are for names; an address in a URL is refused.")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise EgressError("invalid-request", "The URL's host is not a plain name (letters, digits, hyphens, dots).")
    return host
