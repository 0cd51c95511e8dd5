"""Host patterns: what a manifest asks for under `http.fetch`, what a tenant grants, what a secret is bound to.

| pattern | covers |
|---|---|
| `api.acme.com` | `https://api.acme.com`, port 443 |
| `api.acme.com:8443` | `https://api.acme.com:8443` and no other port |
| `http://api.acme.com` | `http://api.acme.com`, port 80; not `https:` |
| `*.acme.com` | every name below `acme.com`, `https:`, port 443; not `acme.com` itself |

Rules kept here:

- One reading for everybody: the manifest's check, consent at the registry, the gateway's intersection and the
  runner's screen all ask this module.
- An empty list covers nothing; a pattern that cannot be read covers nothing.
- A pattern is a DNS name of two labels or more, in lower case with `xn--` labels; an address is none. `*` is the whole
  first label, before a name, so that no pattern covers a top-level domain.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Self

from msgspec import Struct

DEFAULT_PORTS: Final = {"https": 443, "http": 80}

_WILDCARD = "*."
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[0-9]{1,5}")
_MAX_NAME = 253


class HostPattern(Struct, frozen=True):
    """One pattern; with `subdomains` it is for the names below `name` and not for that itself."""

    scheme: str
    name: str
    port: int
    subdomains: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pattern.

        Raises:
            ValueError: with the end of a sentence that starts with the pattern.
        """
        scheme, separator, authority = text.partition("://")
        if not separator:
            scheme, authority = "https", text
        if scheme not in DEFAULT_PORTS:
            raise ValueError("has a scheme that is neither https nor http; leave it out: api.example.com")
        host, separator, port = authority.partition(":")
        name = host.removeprefix(_WILDCARD)
        return cls(scheme, _name(name), _port(port) if separator else DEFAULT_PORTS[scheme], name != host)

    def __str__(self) -> str:
        """The normal form: equal patterns are written alike."""
        scheme = "" if self.scheme == "https" else f"{self.scheme}://"
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{scheme}{_WILDCARD if self.subdomains else ''}{self.name}{port}"

    def covers(self, scheme: str, host: str, port: int) -> bool:
        """Whether an origin is covered; `host` in lower case."""
        if (scheme, port) != (self.scheme, self.port):
            return False
        return host.endswith(f".{self.name}") if self.subdomains else host == self.name

    def includes(self, other: "HostPattern") -> bool:
        """Whether every origin that `other` covers is covered."""
        if self.subdomains == other.subdomains and self.name == other.name:
            return (self.scheme, self.port) == (other.scheme, other.port)
        return self.subdomains and self.covers(other.scheme, other.name, other.port)


def normal(text: str) -> str:
    """A pattern in its normal form; raises as `HostPattern.parse`."""
    return str(HostPattern.parse(text))


def covered(scheme: str, host: str, port: int, patterns: Iterable[str]) -> bool:
    """Whether any of the patterns covers the origin."""
    return any(pattern is not None and pattern.covers(scheme, host, port) for pattern in map(_read, patterns))


def included(text: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns includes the pattern `text`."""
    narrow = _read(text)
    return narrow is not None and any(
        pattern is not None and pattern.includes(narrow) for pattern in map(_read, patterns)
    )


def intersection(asked: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
    """What both sides cover, in the order of `granted`."""
    wanted = [pattern for pattern in map(_read, asked) if pattern is not None]
    given = [pattern for pattern in map(_read, granted) if pattern is not None]
    both = (_narrower(grant, ask) for grant in given for ask in wanted)
    return tuple(dict.fromkeys(str(pattern) for pattern in both if pattern is not None))


def _narrower(one: HostPattern, other: HostPattern) -> HostPattern | None:
    if other.includes(one):
        return one
    return other if one.includes(other) else None


@lru_cache(maxsize=4_096)
def _read(text: str) -> HostPattern | None:
    try:
        return HostPattern.parse(text)
    except ValueError:
        return None


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= 65_535:
        raise ValueError("has a port that is not a number from 1 to 65535")
    return int(text)


def _name(text: str) -> str:
    if "*" in text:
        raise ValueError("may have a '*' only as its whole first label, as in *.example.com")
    if re.search(r"[/@?#\[\]\\\s]", text):
        raise ValueError("is more than a name; leave out user, path and query: api.example.com")
    name = text if _is_plain(text) else _encoded(text)
    labels = name.split(".")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        raise ValueError("is an IP address; only names can be asked for")
    if len(labels) < 2 or len(name) > _MAX_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("must be a full name without a dot at the end, as in api.example.com")
    return name


def _is_plain(name: str) -> bool:
    """Whether the name stands as it is. `xn--` labels are checked with the others that need encoding."""
    return "xn--" not in name and all(map(_LABEL.fullmatch, name.split(".")))


def _encoded(text: str) -> str:
    import idna  # only for names that are not plain already: the runner's start does without it

    try:
        return idna.encode(text, uts46=True).decode()
    except idna.IDNAError:
        raise ValueError("is not a DNS name") from None
