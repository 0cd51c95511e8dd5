"""The UI origin in words: which paths it knows, what each is stored as, and which headers each kind is sent with.

    /ext-ui/{extension_id}/sha256:{hex}/…    an extension's assets, under the hash of its bundle
    /oriel/guest.js, /oriel/guest/…          the guest library

Rules kept here:

- One definition of the headers, for the server on one machine and for the deployment alike. They depend on the kind
  of answer, the UI origin and the host origins, and on nothing in the request.
- Every answer carries the policy: an SVG opened at the top level is a document too.
- `immutable` is for whole answers of bytes that a content hash names (200 and 304); an error is never stored.
- What shrinks is stored three times, as it is and in each of `ENCODINGS`, so that no request compresses and nobody has
  to look what there is. An encoding is another representation, with a validator of its own.
- Sources are named by their origin, never `'self'`: the documents are sandboxed and their own origin is opaque.
- No `allow-same-origin`, no way to connect, submit, nest or open: a UI reaches its handler through the bridge alone.

Sources: CSP Level 3, Fetch (CORP, CORS), RFC 9110 (ranges, validators), RFC 8246 (`immutable`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal

from msgspec import Struct

Kind = Literal["asset", "part", "library", "problem"]
Encoding = Literal["br", "gzip"]

ENCODINGS: tuple[Encoding, ...] = ("br", "gzip")  # the better first

SANDBOX = "allow-scripts allow-forms"
FALLBACK_DOCUMENT = "index.html"
EXT_UI = "ext-ui"
LIBRARY = "oriel"
HASH_PREFIX = "sha256:"

_CACHE: Mapping[Kind, str] = {
    "asset": "public, max-age=31536000, immutable",
    "part": "public, max-age=31536000",
    "library": "public, no-cache",
    "problem": "no-store",
}
_REFUSED_FEATURES = (
    "accelerometer", "autoplay", "camera", "clipboard-read", "clipboard-write", "display-capture",
    "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection", "keyboard-map",
    "local-fonts", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial", "storage-access", "usb",
    "window-management", "xr-spatial-tracking",
)  # fmt: skip
MEDIA_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".htm": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".xml": "application/xml",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/x-icon",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".wasm": "application/wasm",
    ".pdf": "application/pdf",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
_SHRINKS = re.compile(r"text/.*|application/(json|manifest\+json|xml|wasm)|image/(svg\+xml|x-icon)|font/[ot]tf")
_EXTENSION_ID = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_CONTENT_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Asset(Struct, frozen=True):
    """One path under `/ext-ui/`; `path` is empty for the root of the UI."""

    extension_id: str
    hex: str
    path: str

    def blob_key(self, encoding: Encoding | None = None) -> str:
        return ui_blob_key(self.extension_id, self.hex, self.path, encoding)

    def etag(self, encoding: Encoding | None = None) -> str:
        """Strong: the bundle's hash, the path and the encoding name the bytes, as they are stored, once and for all."""
        return f'"{self.hex[:32]}{f"-{encoding}" if encoding else ""}"'

    def fallback(self) -> "Asset":
        """What a navigation to a path inside the app is answered with."""
        return Asset(self.extension_id, self.hex, FALLBACK_DOCUMENT)

    @property
    def is_extensionless(self) -> bool:
        return not PurePosixPath(self.path).suffix


class Sources(Struct, frozen=True):
    """The origins that the headers name: where the UIs are served, and who may frame them."""

    ui_origin: str
    host_origins: tuple[str, ...]


def ui_blob_key(extension_id: str, hexdigest: str, path: str, encoding: Encoding | None = None) -> str:
    """Where the registry puts `ui/<path>` of a bundle, and the UI origin finds it.

    The encoded forms lie beside the bundle's own folder: no file of a bundle can stand in for one.
    """
    return f"{EXT_UI}/{extension_id}/{hexdigest}{f'.{encoding}' if encoding else ''}/{path}"


def object_headers(key: str) -> dict[str, str]:
    """The headers that a store keeps with a blob where browsers get it from there (S3 behind CloudFront)."""
    top, _, rest = key.partition("/")
    if top == LIBRARY:
        return {"content-type": media_type(key), "cache-control": _CACHE["library"]}
    if top != EXT_UI:
        return {}
    _, folder, path = rest.split("/", 2)
    headers = {"content-type": media_type(path), "cache-control": _CACHE["asset"]}
    encoding = folder.partition(".")[2]
    return {**headers, "content-encoding": encoding} if encoding else headers


def locate(segments: Sequence[str]) -> Asset | None:
    """The asset that a clean path names, or None where the path is not one of `/ext-ui/`."""
    if len(segments) < 3 or segments[0] != EXT_UI:
        return None
    _, extension_id, content_hash, *rest = segments
    if not _EXTENSION_ID.fullmatch(extension_id) or not _CONTENT_HASH.fullmatch(content_hash):
        return None
    return Asset(extension_id, content_hash.removeprefix(HASH_PREFIX), "/".join(rest))


def media_type(path: str) -> str:
    """By the name's suffix from a fixed table, the same on every machine; unknown ones are only bytes."""
    return MEDIA_TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")


def shrinks(path: str) -> bool:
    """Whether a file of this name is stored in `ENCODINGS` too: by its type, never by trying."""
    return _SHRINKS.fullmatch(media_type(path).partition(";")[0]) is not None


def negotiated(accept_encoding: str | None) -> tuple[Encoding, ...]:
    """The encodings that the header takes (RFC 9110, 12.5.3), the best first."""
    refused: set[str] = set()
    taken: set[str] = set()
    for part in (accept_encoding or "").lower().split(","):
        name, _, parameters = part.partition(";")
        weight = re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", parameters)
        (refused if weight else taken).add(name.strip())
    return tuple(name for name in ENCODINGS if name not in refused and (name in taken or "*" in taken))


def vary(path: str) -> str | None:
    """What in a request an asset's answer depends on; documents answer navigations too."""
    named = ["accept-encoding"] if shrinks(path) else []
    if media_type(path).startswith("text/html"):
        named += ["sec-fetch-mode", "accept"]
    return ", ".join(named) or None


def content_security_policy(sources: Sources) -> str:
    """The policy of every answer of the UI origin."""
    own = sources.ui_origin
    directives = {
        "default-src": "'none'",
        "script-src": own,
        "style-src": own,
        "img-src": f"{own} data: blob:",
        "font-src": f"{own} data:",
        "media-src": f"{own} blob:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": " ".join(sources.host_origins) or "'none'",
        "sandbox": SANDBOX,
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def headers_for(kind: Kind, sources: Sources) -> dict[str, str]:
    """All headers of an answer but those of its body (type, length, range, validator).

    `access-control-allow-origin: *` is for the module scripts and fonts of an opaque origin: the assets are public
    and are fetched without credentials.
    """
    return {
        "cache-control": _CACHE[kind],
        "content-security-policy": content_security_policy(sources),
        "permissions-policy": ", ".join(f"{feature}=()" for feature in _REFUSED_FEATURES),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-dns-prefetch-control": "off",
        "cross-origin-resource-policy": "cross-origin",
        "access-control-allow-origin": "*",
    }


def is_navigation(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks for a document: `Sec-Fetch-Mode` where it is sent, else an `Accept` with HTML."""
    mode = headers.get("sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in headers.get("accept", "")


def etag_matches(header: str | None, etag: str) -> bool:
    """`If-None-Match` (RFC 9110, 13.1.2): the weak comparison."""
    if header is None:
        return False
    return any(candidate in {"*", etag} for candidate in _listed(header))


def _listed(header: str) -> Iterable[str]:
    return (part.strip().removeprefix("W/") for part in header.split(","))


def single_range(header: str | None, size: int) -> range | None:
    """The bytes that a `Range` header asks for (RFC 9110, 14.1.2), clipped to `size`.

    None where there is nothing to honour: no header, another unit, several ranges, or a malformed one. An empty
    range means that it cannot be satisfied (416).
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return range(max(size - int(last), 0), size)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < int(first):
        return None
    return range(int(first), end)
