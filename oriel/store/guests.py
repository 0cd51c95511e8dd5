"""Guests' key-value records: what the runner gets of the store, and what it imports of it to start."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from oriel.store.records import Page


class GuestRecord(Struct, frozen=True, kw_only=True):
    """A key-value record of a guest. `text` says that the guest wrote a string."""

    tenant_id: str
    install_id: str
    key: str
    value: bytes
    text: bool
    revision: int
    updated_at: int
    expires_at: int | None = None


class GuestWrite(Struct, frozen=True, kw_only=True):
    """A write of a guest record, carried out only where `when` holds.

    `when` is "always", "absent" (no live record), or the revision that must be stored.
    """

    key: str
    value: bytes
    text: bool
    when: Literal["always", "absent"] | int = "always"
    expires_at: int | None = None


class GuestStore(Protocol):
    """Key-value records of one install. Expired records are as if they were not there, at every method."""

    def guest_get(self, tenant_id: str, install_id: str, keys: Sequence[str]) -> tuple[GuestRecord, ...]:
        """The records that are there, in the order of `keys`."""
        ...

    def guest_put(self, tenant_id: str, install_id: str, writes: Sequence[GuestWrite]) -> tuple[int, ...]:
        """All writes or none; the new revisions. `Conflict` names the first key whose condition fails.

        A new record has revision 1, also where an expired or deleted one had the key.
        """
        ...

    def guest_delete(self, tenant_id: str, install_id: str, key: str, revision: int | None = None) -> bool:
        """Whether there was a record. `Conflict` where `revision` is given and is not the stored one."""
        ...

    def guest_list(
        self, tenant_id: str, install_id: str, prefix: str, cursor: str | None, limit: int
    ) -> "Page[GuestRecord]":
        """Records whose key starts with `prefix`, ordered by the key's UTF-8 bytes. Loses none, doubles none.

        Any key's bytes make a cursor (`oriel.store.cursors`): the listing goes on after that key, be it there or not.
        """
        ...
