"""What is said about one key: whom it may speak for, when, and whether it was revoked.

Times are Unix milliseconds; a window includes its first and excludes its last millisecond.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from oriel.signing.keys import PublicKey


class ChainError(Exception):
    """Why a chain of certificates is not believed, as the end of a sentence that starts with the key."""


class Validity(Struct, frozen=True, kw_only=True):
    """A window, and the moment of a revocation."""

    not_before: int = 0
    not_after: int | None = None
    revoked_at: int | None = None

    def refusal(self, now: int) -> str | None:
        """Why it does not hold at `now`, as the end of a sentence; None where it holds."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return f"was revoked at {iso(self.revoked_at)}"
        if now < self.not_before:
            return f"is not valid before {iso(self.not_before)}"
        if self.not_after is not None and now >= self.not_after:
            return f"expired at {iso(self.not_after)}"
        return None

    def within(self, other: "Validity") -> Self:
        """Only what both allow; a revocation of either counts."""
        return replace(
            self,
            not_before=max(self.not_before, other.not_before),
            not_after=_earlier(self.not_after, other.not_after),
            revoked_at=_earlier(self.revoked_at, other.revoked_at),
        )


class TrustedKey(Struct, frozen=True):
    """A public key with the publishers it is bound to; bound to none, it speaks for nobody."""

    public_key: PublicKey
    publishers: frozenset[str]
    validity: Validity = Validity()

    @property
    def key_id(self) -> str:
        return self.public_key.key_id

    def refusal(self, publisher: str, now: int) -> str | None:
        """Why it does not speak for `publisher` at `now`, as the end of a sentence; None where it does."""
        if not self.publishers:
            return (
                "is bound to no publisher, so it speaks for nobody: register it for the publisher, or write "
                f"'Publisher: {publisher}' above its block in the trust bundle"
            )
        if publisher not in self.publishers:
            return f"speaks for {', '.join(sorted(self.publishers))}, not for {publisher}"
        return self.validity.refusal(now)


def merged(keys: Iterable[TrustedKey]) -> dict[str, tuple[TrustedKey, ...]]:
    """All that is said of each key, by its id."""
    found: dict[str, tuple[TrustedKey, ...]] = {}
    for key in keys:
        found[key.key_id] = (*found.get(key.key_id, ()), key)
    return found


def iso(milliseconds: int) -> str:
    """`2026-01-01T00:00:00Z`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: datetime) -> int:
    """The moment as Unix milliseconds; `moment` carries its zone."""
    return int(moment.timestamp() * 1000)


def _earlier(first: int | None, second: int | None) -> int | None:
    moments = [moment for moment in (first, second) if moment is not None]
    return min(moments, default=None)
