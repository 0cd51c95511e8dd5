"""Which origins a tenant's grant covers.

| grant | covers |
|---|---|
| `api.acme.com` | `https://api.acme.com`, port 443 |
| `api.acme.com:8443` | `https://api.acme.com:8443` and no other port |
| `http://api.acme.com` | `http://api.acme.com`, port 80; not `https:` |
| `*.acme.com` | every name below `acme.com`, `https:`, port 443; not `acme.com` itself |

Rules kept here: an empty list covers nothing; a grant that cannot be read covers nothing; `*` stands first, alone in
its label, and before at least two labels, so that no grant covers a whole top-level domain.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from runner.egress.model import EgressError
from runner.egress.urls import Origin, parse_origin

_WILDCARD = "*."


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry; with `subdomains` it is for the names below `origin.host` and not for that itself."""

    origin: Origin
    subdomains: bool

    @classmethod
    def parse(cls, text: str) -> "Grant | None":
        """None where the text is no grant; the manifest's check has said why, long before."""
        scheme, separator, authority = text.partition("://")
        if not separator:
            scheme, authority = "https", text
        if scheme not in {"https", "http"}:
            return None
        name = authority.removeprefix(_WILDCARD)
        subdomains = name != authority
        try:
            origin = parse_origin(scheme, name)
        except EgressError:
            return None
        return None if subdomains and "." not in origin.host else cls(origin, subdomains)

    def covers(self, origin: Origin) -> bool:
        if (origin.scheme, origin.port) != (self.origin.scheme, self.origin.port):
            return False
        if self.subdomains:
            return origin.host.endswith(f".{self.origin.host}")
        return origin.host == self.origin.host


@lru_cache(maxsize=1_024)
def _parsed(text: str) -> Grant | None:
    return Grant.parse(text)


def covered(origin: Origin, grants: Iterable[str]) -> bool:
    """Whether any of the grants covers the origin."""
    return any(grant is not None and grant.covers(origin) for grant in map(_parsed, grants))
