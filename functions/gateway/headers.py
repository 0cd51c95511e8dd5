"""Which headers reach a guest, and which of a guest's headers reach the client.

Rules kept here:

- Both ways an allowlist. What is not on it does not pass: credentials, cookies, hop-by-hop and forwarded headers,
  and whatever is invented tomorrow.
- A guest's headers are its own: they are taken from its answer, never from the transport that brought it.
- A header that a line break, NUL or another control character could split is refused (`bad_response`), not cleaned.
- What the platform itself says (`PLATFORM_HEADERS`) a guest cannot say, nor can a client say it to a guest.
- No shared cache may keep a guest's answer: it is one user's. Errors are not cached at all.
- A guest's content is never a document of the gateway's origin: its type is not sniffed, its scripts do not run.
"""

import re
from collections.abc import Iterable

from gateway.messages import Headers
from oriel.errors import OrielError

EXTENSION_PREFIX = "x-ext-"
EXECUTION_ID = "x-ext-execution-id"
RECEIPT = "x-ext-receipt"
SERVER_TIMING = "server-timing"
RECORD = "x-ext-record"
RECORDED = "x-ext-recorded"
PLATFORM_HEADERS = frozenset({EXECUTION_ID, RECEIPT, RECORD, RECORDED, "x-ext-request-id"})

_REQUEST = frozenset(
    {
        "accept",
        "accept-language",
        "content-language",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
        "prefer",
    }
)
_RESPONSE_ONCE = frozenset({"content-type", "content-disposition", "etag"})
_CACHE_DIRECTIVE = re.compile(r"no-store|no-cache|private|must-revalidate|immutable|max-age=\d{1,9}")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,128}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8192}")
_MEDIA_TYPE = re.compile(r"[!#$&^_.+0-9A-Za-z-]{1,64}/[!#$&^_.+0-9A-Za-z-]{1,64}(?:\s*;[\x20-\x7e]{0,200})?")
_CONTAINMENT: Headers = (
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
)


def reaches_guest(name: str) -> bool:
    """Whether a request header of that name, in lower case, is passed on."""
    return bool(_NAME.fullmatch(name)) and (name in _REQUEST or _is_extensions_own(name))


def request_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers that the guest sees, in order, repeats kept.

    Raises:
        OrielError: `malformed_request`, for a value with a control character in it.
    """
    passed = tuple((name, value) for name, value in headers if reaches_guest(name))
    for name, value in passed:
        if not _VALUE.fullmatch(value):
            raise OrielError("malformed_request", f"The header '{name}' is not plain text of at most 8 KB.")
    return passed


def response_headers(status: int, headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers that the client sees of a guest's answer, and those that contain it.

    Raises:
        OrielError: `bad_response`, for a header that is not a plain one.
    """
    passed: list[tuple[str, str]] = []
    cache: list[str] = []
    once: set[str] = set()
    for given_name, given_value in headers:
        name, value = given_name.lower(), given_value.strip(" \t")
        _require_plain(name, value)
        if name == "cache-control":
            cache.append(value)
        elif name in _RESPONSE_ONCE and name not in once:
            once.add(name)
            passed.append((name, value))
        elif _is_extensions_own(name):
            passed.append((name, value))
    return (*passed, ("cache-control", _cache_control(status, cache)), *_CONTAINMENT)


def _is_extensions_own(name: str) -> bool:
    return name.startswith(EXTENSION_PREFIX) and name not in PLATFORM_HEADERS


def _require_plain(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise OrielError("bad_response", "The extension answered with a header whose name is not a plain token.")
    if not _VALUE.fullmatch(value):
        raise OrielError("bad_response", f"The extension's header '{name}' holds characters that no header may hold.")
    if name == "content-type" and not _MEDIA_TYPE.fullmatch(value):
        raise OrielError("bad_response", "The extension's header 'content-type' is not a media type.")


def _cache_control(status: int, given: Iterable[str]) -> str:
    """The safe part of what the guest asked for: `no-store` unless it asked to be cached, and then `private`."""
    directives = [part.strip().lower() for value in given for part in value.split(",")]
    safe = [directive for directive in dict.fromkeys(directives) if _CACHE_DIRECTIVE.fullmatch(directive)]
    if status >= 400 or "no-store" in safe or not safe:
        return "no-store"
    return ", ".join(["private", *(directive for directive in safe if directive != "private")])
