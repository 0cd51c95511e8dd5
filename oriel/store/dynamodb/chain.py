"""Changes with their audit entries, each in one transaction.

Rules kept here:

- The transaction holds the chain's head to what was read. Another writer may come between: then it is read again, and
  the entry becomes the next one after that.
- An entry is put where there is none and never touched again.
"""

import random
from collections.abc import Iterator

from oriel.store.audit import chained, head_of
from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import key_item, to_item, to_record, to_value
from oriel.store.dynamodb.requests import ABSENT, Answer, Cancelled, Requests, expression, put
from oriel.store.errors import StoreUnavailable
from oriel.store.records import AuditEntry, AuditHead, ChainedEntry

TURNS = 30
PAUSE_SECONDS = 0.02


def read_head(requests: Requests, tenant_id: str | None) -> AuditHead | None:
    item = requests.get(table.audit_head(tenant_id))
    return None if item is None else to_record(AuditHead, item)


def transact(requests: Requests, writes: tuple[Answer, ...], entry: AuditEntry | None) -> ChainedEntry | None:
    """Carry out `writes` and write the entry, or nothing of it; the entry in its place.

    Raises:
        Cancelled: a condition of `writes` does not hold; its places are theirs.
        StoreUnavailable: others wrote to the chain all the time.
    """
    if entry is None:
        requests.transact(*writes)
        return None
    for turn in range(TURNS):
        head = read_head(requests, entry.tenant_id)
        link = chained(entry, head)
        try:
            requests.transact(*writes, *_appended(link, head))
        except Cancelled as cancelled:
            if any(place < len(writes) for place in cancelled.failed):
                raise
            requests.pause(random.uniform(0, PAUSE_SECONDS * min(turn + 1, 10)))  # noqa: S311 - it only spreads writers
            continue
        return link
    raise StoreUnavailable("The audit is written by too many at once.")


def _appended(link: ChainedEntry, head: AuditHead | None) -> Iterator[Answer]:
    new = head_of(link)
    unmoved = ABSENT if head is None else expression("digest = :digest", digest=to_value(head.digest))
    yield put(to_item(table.audit_head(link.tenant_id), new), unmoved)
    yield put(to_item(table.audit_entry(link.tenant_id, link.sequence), link), ABSENT)
    listed = {"sequence": to_value(new.sequence), "digest": to_value(new.digest)}
    yield put(key_item(table.listed_head(link.tenant_id)) | listed)
