"""Typed messages, for what a process reads before its first answer: settings, keys, statements, the contract.

They are msgspec's structs: a runner that starts for one request has no time to build a model's validators. Documents
that people write, the manifest first of all, are pydantic's business, which names every mistake in them.

Rules kept here:

- A message that came from outside is read with `from_json` or `convert`; both check types, bounds and patterns, and
  refuse members that the message does not have. Making one in Python checks nothing: the code's own types hold there.
- A pattern is searched for with `re`, whose `$` lets a newline pass: patterns end with `\\Z`.
- Messages do not change. `msgspec.structs.replace` makes another one.
"""

from typing import Any, Self

import msgspec

_encoder = msgspec.json.Encoder()


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An immutable record with a JSON form."""

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read one.

        Raises:
            msgspec.DecodeError: the bytes are no JSON, or (`msgspec.ValidationError`) not of this form.
        """
        return msgspec.json.decode(data, type=cls)

    @classmethod
    def convert(cls, value: Any) -> Self:
        """Read one from what a JSON parser gave. `msgspec.ValidationError` where it is not of this form."""
        return msgspec.convert(value, cls)

    def to_json(self) -> bytes:
        """Compact JSON in the order of the fields."""
        return _encoder.encode(self)

    def to_plain(self) -> dict[str, Any]:
        """Dicts, tuples, lists, strings and numbers."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def place_and_problem(error: msgspec.DecodeError) -> tuple[str, str]:
    """Where a message is wrong (`context.tenant_id`; empty for the whole), and what is wrong there.

    The text names types and bounds, and never the value.
    """
    text, _, place = str(error).partition(" - at `$")
    return place.removesuffix("`").lstrip("."), text
