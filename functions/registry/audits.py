"""The audit's chains: read, verified, and held down by checkpoints.

Rules kept here:

- A tenant's chain is for the tenant to read. The platform's, and whether all chains are whole, are the operator's.
- A checkpoint is a chain's end, signed by the platform. The worker leaves checkpoints among the blobs: whoever can
  write the store alone cannot cut off a chain's end, or write it anew, unseen.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from oriel.errors import OrielError
from oriel.provenance import Checkpoint, sign_checkpoint, verify_checkpoint
from oriel.store.audit import Fault, faults
from oriel.store.records import AuditHead, ChainedEntry, Page
from registry.core import Registry

PIECE = 500
KEPT_FAULTS = 100


class Verification(Struct, frozen=True):
    """What was found of one chain. `checkpoints` is how many it was held against."""

    tenant_id: str | None
    entries: int
    head: AuditHead | None
    checkpoints: int
    faults: tuple[Fault, ...]

    @property
    def intact(self) -> bool:
        return not self.faults


class Audits:
    """The chains of all tenants, and the platform's."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store, self._blobs = registry.store, registry.blobs

    def page(self, tenant_id: str | None, cursor: str | None, limit: int) -> Page[ChainedEntry]:
        return self._store.list_audit(tenant_id, cursor, limit)

    def verify(self, tenant_id: str | None, checkpoint: bytes | None = None) -> Verification:
        """Read a whole chain and say what is wrong with it.

        Args:
            checkpoint: an envelope that somebody kept; one among the blobs is taken in any case.

        Raises:
            OrielError: `invalid_input`, where it is not of this chain; `signature_…`, where it is not the platform's.
        """
        promised = [self._believed(checkpoint, tenant_id)] if checkpoint else []
        if (kept := self._last_kept(tenant_id)) is not None:
            promised.append(self._believed(self._blobs.get(kept), tenant_id))
        head = self._store.get_audit_head(tenant_id)
        counted = _Counted(self._chain(tenant_id, head))
        found = [*faults(counted, head, promised), *self._beyond(tenant_id, head)]
        return Verification(tenant_id, counted.count, head, len(promised), tuple(found[:KEPT_FAULTS]))

    def verify_page(self, cursor: str | None, limit: int) -> Page[Verification]:
        """Some of all chains, verified."""
        heads = self._store.list_audit_heads(cursor, limit)
        return Page(items=tuple(self.verify(head.tenant_id) for head in heads.items), cursor=heads.cursor)

    def checkpoint(self, tenant_id: str | None) -> dict[str, Any]:
        """The chain's end, signed, to keep; where this process signs nothing, the end that was left last.

        Raises:
            OrielError: `not_found`, where the chain is empty, or nothing was left yet.
        """
        head = self._store.get_audit_head(tenant_id)
        if head is None:
            raise OrielError("not_found", "There is no audit entry yet.")
        if self._registry.signs:
            envelope = self._signed(head)
        elif (kept := self._last_kept(tenant_id)) is not None:
            envelope = self._blobs.get(kept)
        else:
            raise OrielError("not_found", "There is no checkpoint yet; the platform leaves one within minutes.")
        signed: dict[str, Any] = json.loads(envelope)
        return signed

    def leave_checkpoints(self) -> int:
        """Leave one among the blobs of each chain that has grown since the last; how many."""
        left = 0
        for head in self._heads():
            key = _key(head.tenant_id, head.sequence)
            if self._blobs.info(key) is None:
                self._blobs.put_new(key, self._signed(head))
                left += 1
        return left

    def last_kept(self) -> Iterator[str]:
        """Of each chain that has one, the key of the last checkpoint among the blobs."""
        for head in self._heads():
            if (kept := self._last_kept(head.tenant_id)) is not None:
                yield kept

    def _heads(self) -> Iterator[AuditHead]:
        cursor: str | None = None
        while True:
            page = self._store.list_audit_heads(cursor)
            yield from page.items
            if (cursor := page.cursor) is None:
                return

    def _chain(self, tenant_id: str | None, head: AuditHead | None) -> Iterator[ChainedEntry]:
        """The chain up to `head`: what is written meanwhile comes after it."""
        after, last = 0, head.sequence if head else None
        while piece := self._store.read_audit(tenant_id, after, PIECE):
            yield from (link for link in piece if last is None or link.sequence <= last)
            after = piece[-1].sequence

    def _beyond(self, tenant_id: str | None, head: AuditHead | None) -> Iterator[Fault]:
        """Entries after the end, while nothing is written."""
        last = head.sequence if head else 0
        if self._store.read_audit(tenant_id, last, 1) and self._store.get_audit_head(tenant_id) == head:
            yield Fault(last + 1, f"the chain's head says {last}, and there are entries after it")

    def _last_kept(self, tenant_id: str | None) -> str | None:
        last = None
        for blob in self._blobs.list(_folder(tenant_id)):
            last = blob.key
        return last

    def _signed(self, head: AuditHead) -> bytes:
        checkpoint = Checkpoint(tenant_id=head.tenant_id, sequence=head.sequence, digest=head.digest)
        return sign_checkpoint(checkpoint, self._registry.platform_key)

    def _believed(self, envelope: bytes, tenant_id: str | None) -> AuditHead:
        checkpoint = verify_checkpoint(envelope, keys=self._registry.platform_keys)
        if checkpoint.tenant_id != tenant_id:
            raise OrielError("invalid_input", "The checkpoint is of another chain.")
        return AuditHead(tenant_id=tenant_id, sequence=checkpoint.sequence, digest=checkpoint.digest)


class _Counted:
    """A chain that counts its entries as they are read."""

    def __init__(self, chain: Iterator[ChainedEntry]) -> None:
        self._chain, self.count = chain, 0

    def __iter__(self) -> Iterator[ChainedEntry]:
        for link in self._chain:
            self.count += 1
            yield link


def _folder(tenant_id: str | None) -> str:
    """Of a hash, since a tenant's id may be no part of a key. The platform's is that of no name."""
    return f"audit/{hashlib.sha256((tenant_id or '').encode()).hexdigest()}/"


def _key(tenant_id: str | None, sequence: int) -> str:
    return f"{_folder(tenant_id)}{sequence:018d}.dsse.json"
