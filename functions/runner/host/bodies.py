"""`types.body` of the WIT package, as bytes and back.

A body crosses the boundary as text wherever it can, because a string costs the host one unit of a bounded
allowance a byte and an entry of `list<u8>` thirty-two (see `wit/types.wit`).
"""

import codecs
from binascii import a2b_base64, b2a_base64
from typing import Literal, TypeAlias

Empty: TypeAlias = tuple[Literal["empty"], None]
Text: TypeAlias = tuple[Literal["text"], str]
Bytes: TypeAlias = tuple[Literal["bytes"], bytes]
Base64: TypeAlias = tuple[Literal["base64"], str]
Body: TypeAlias = Empty | Text | Bytes | Base64

LARGEST_LIST = 1 << 12  # bytes; above it base64 is faster in every language, by up to twenty times
EMPTY: Empty = ("empty", None)
NOT_BASE64 = "base64 is not as RFC 4648, section 4, has it, with padding"
_TEXTY = frozenset(
    {
        "application/json",
        "application/xml",
        "application/javascript",
        "application/ecmascript",
        "application/graphql",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "application/yaml",
        "image/svg+xml",
    }
)


def to_bytes(body: Body) -> bytes:
    """The bytes of a body. `ValueError` where base64 is none, or has no padding."""
    if body[0] == "empty":
        return b""
    if body[0] == "text":
        return body[1].encode()
    if body[0] == "bytes":
        return body[1]
    return a2b_base64(body[1], strict_mode=True)


def least_size(body: Body) -> int:
    """Bytes that a body has at the least, told without a copy of it."""
    if body[0] == "empty":
        return 0
    return len(body[1]) // 4 * 3 - 2 if body[0] == "base64" else len(body[1])


def from_bytes(data: bytes, content_type: str = "") -> Body:
    """The body for `data`: text where `content_type` says text and it is valid UTF-8, else bytes or base64."""
    if not data:
        return EMPTY
    if is_texty(content_type) and not data.startswith(codecs.BOM_UTF8):  # a JavaScript guest would lose the mark
        try:
            return ("text", data.decode())
        except UnicodeDecodeError:
            pass
    if len(data) <= LARGEST_LIST:
        return ("bytes", data)
    return ("base64", b2a_base64(data, newline=False).decode())


def from_text(text: str, content_type: str = "") -> Body:
    """The same for a body that came as text."""
    if text and is_texty(content_type) and not text.startswith("\ufeff"):
        return ("text", text)
    return from_bytes(text.encode(), content_type)


def is_texty(content_type: str) -> bool:
    """Whether a media type (RFC 9110, section 8.3.1) names text in UTF-8."""
    essence, _, parameters = content_type.lower().partition(";")
    essence = essence.strip()
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in {"utf-8", "utf8", "us-ascii"}:
            return False
    return essence.startswith("text/") or essence.endswith(("+json", "+xml")) or essence in _TEXTY
