"""The audit's chain: entries of which none can be removed, altered or moved without it showing.

Rules kept here:

- The entries of one tenant are a chain, and those of no tenant are one. The first has the number 1; each carries its
  number, the digest of the one before (of the first: `GENESIS`), and its own digest, which covers all of it.
- A digest is SHA-256 over canonical JSON. Whoever has the entries can compute it: nothing here is secret.
- A chain alone cannot tell that its end was cut off together with the head. A checkpoint can: it says what the head
  was, is signed by the platform, and is kept elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from oriel.store.records import AuditEntry, AuditHead, ChainedEntry
from oriel.values import to_plain

GENESIS = ""


class Fault(Struct, frozen=True):
    """What is wrong with a chain, and from which entry on (its number)."""

    sequence: int
    problem: str


def chained(entry: AuditEntry, head: AuditHead | None) -> ChainedEntry:
    """The entry as the next one after `head`."""
    sequence, previous = (head.sequence, head.digest) if head else (0, GENESIS)
    unsealed = ChainedEntry(**to_plain(entry), sequence=sequence + 1, previous=previous, digest="")
    return replace(unsealed, digest=digest(unsealed))


def head_of(entry: ChainedEntry) -> AuditHead:
    return AuditHead(tenant_id=entry.tenant_id, sequence=entry.sequence, digest=entry.digest)


def digest(entry: ChainedEntry) -> str:
    """`sha256:` of everything in the entry but its digest."""
    covered = to_plain(entry)
    del covered["digest"]
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def faults(
    entries: Iterable[ChainedEntry], head: AuditHead | None, checkpoints: Iterable[AuditHead] = ()
) -> Iterator[Fault]:
    """Everything that is wrong with a chain; nothing where it is whole.

    Args:
        entries: the whole chain, oldest first.
        head: what the store says is its end.
        checkpoints: what its end was at earlier moments.
    """
    promised = {checkpoint.sequence: checkpoint.digest for checkpoint in checkpoints}
    last = AuditHead(tenant_id=head.tenant_id if head else None, sequence=0, digest=GENESIS)
    for entry in entries:
        yield from _links(entry, last, promised.pop(entry.sequence, None))
        last = head_of(entry)
    ended = f"the chain ends with entry {last.sequence}"
    if head is not None and (head.sequence, head.digest) != (last.sequence, last.digest):
        yield Fault(last.sequence + 1, f"{ended}, and its head says {head.sequence}")
    for sequence in sorted(number for number in promised if number > last.sequence):
        yield Fault(last.sequence + 1, f"{ended}, and a checkpoint says that it had {sequence}")


def _links(entry: ChainedEntry, last: AuditHead, promised: str | None) -> Iterator[Fault]:
    if entry.sequence != last.sequence + 1:
        yield Fault(entry.sequence, f"entry {entry.sequence} comes after {last.sequence}: one is missing or moved")
    elif entry.previous != last.digest:
        yield Fault(entry.sequence, f"entry {entry.sequence} does not follow from the one before it")
    if digest(entry) != entry.digest:
        yield Fault(entry.sequence, f"entry {entry.sequence} was altered")
    if promised is not None and promised != entry.digest:
        yield Fault(entry.sequence, f"entry {entry.sequence} is not the one that a checkpoint has")
