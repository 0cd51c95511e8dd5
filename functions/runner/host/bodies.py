"""`types.body` of the WIT package, as bytes and back.

A body crosses the boundary as text wherever it can, because a string costs the host one unit of a bounded
allowance a byte and an entry of `list<u8>` thirty-two (see `wit/types.wit`).
"""

import codecs
from typing import Literal, TypeAlias

Empty: TypeAlias = tuple[Literal["empty"], None]
Text: TypeAlias = tuple[Literal["text"], str]
Bytes: TypeAlias = tuple[Literal["bytes"], bytes]
Binary: TypeAlias = tuple[Literal["binary"], str]
Body: TypeAlias = Empty | Text | Bytes | Binary

LARGEST_LIST = 1 << 12  # bytes; above it a binary string is faster in every language, by up to twenty times
EMPTY: Empty = ("empty", None)
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
    """The bytes of a body. `ValueError` where a binary string has a character above U+00FF."""
    if body[0] == "empty":
        return b""
    if body[0] == "text":
        return body[1].encode()
    if body[0] == "bytes":
        return body[1]
    return body[1].encode("latin-1")


def from_bytes(data: bytes, content_type: str = "") -> Body:
    """The body for `data`: text where `content_type` says text and it is valid UTF-8, else bytes or a binary string."""
    if not data:
        return EMPTY
    if is_texty(content_type) and not data.startswith(codecs.BOM_UTF8):  # a JavaScript guest would lose the mark
        try:
            return ("text", data.decode())
        except UnicodeDecodeError:
            pass
    if len(data) <= LARGEST_LIST:
        return ("bytes", data)
    return ("binary", data.decode("latin-1"))


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
