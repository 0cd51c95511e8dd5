"""What every part of the DynamoDB store is made of."""

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from oriel.errors import OrielError
from oriel.store.cursors import decode_text_cursor, encode_cursor
from oriel.store.dynamodb import chain
from oriel.store.dynamodb.items import Item, to_record
from oriel.store.dynamodb.table import MAX_SORT_BYTES, Key, key_of_nothing
from oriel.store.records import AuditEntry, ChainedEntry, Page

if TYPE_CHECKING:
    from oriel.store.dynamodb.requests import Answer, Expression, Requests

R = TypeVar("R")


class Part:
    """The requests and the clock, and records from them.

    Args:
        clock: the time in Unix milliseconds; decides what has expired.
    """

    def __init__(self, requests: "Requests", clock: Callable[[], int]) -> None:
        self._requests = requests
        self._clock = clock

    def ping(self) -> None:
        self._requests.get(key_of_nothing())

    def close(self) -> None:
        self._requests.close()

    def _transact(self, *writes: "Answer", entry: AuditEntry | None = None) -> ChainedEntry | None:
        """Raises `Cancelled`, where a condition of `writes` does not hold."""
        return chain.transact(self._requests, writes, entry)

    def _one(self, kind: type[R], key: Key) -> R | None:
        item = self._requests.get(key)
        return None if item is None else to_record(kind, item)

    def _all(self, kind: type[R], partition: str, begins: str = "") -> tuple[R, ...]:
        return tuple(to_record(kind, item) for item in self._requests.query(partition, begins=begins))

    def _page(
        self,
        kind: type[R],
        partition: str,
        cursor: str | None,
        limit: int,
        *,
        descending: bool = False,
        begins: str = "",
        only: "Expression | None" = None,
    ) -> Page[R]:
        """One page of a partition that holds records and nothing else."""
        items, following = self._items(partition, cursor, limit, descending=descending, begins=begins, only=only)
        return Page(items=tuple(to_record(kind, item) for item in items), cursor=following)

    def _items(
        self,
        partition: str,
        cursor: str | None,
        limit: int,
        *,
        descending: bool,
        begins: str = "",
        only: "Expression | None" = None,
    ) -> tuple[list[Item], str | None]:
        """The page's items, those whose sort keys begin with `begins`, and the cursor after them."""
        after = None if cursor is None else position(cursor)
        if after is not None and not after.startswith(begins):
            if (after > begins) != descending:
                return [], None
            after = None
        found = self._requests.query(
            partition, begins=begins, after=after, descending=descending, page=limit + 1, only=only
        )
        items = list(islice(found, limit + 1))
        if len(items) <= limit:
            return items, None
        return items[:limit], encode_cursor(items[limit - 1]["sk"]["S"].encode())


def position(cursor: str, room: int = MAX_SORT_BYTES) -> str:
    """The sort key in a cursor. The partition is never in it: a cursor leads nowhere but on in the caller's own.

    Raises:
        OrielError: `malformed_request`, also where no sort key is as long.
    """
    after = decode_text_cursor(cursor)
    if len(after.encode()) > room:
        raise OrielError("malformed_request", "The cursor is not one that was handed out.")
    return after
