"""What was written since one last asked: a cursor that is good for polling, and loses nothing.

Rules kept here:

- Executions are written when they end, and ids are given when they begin: what is new may have an id that is old. So
  the cursor holds a time of writing, and what was written from then on is looked for among all that may have begun
  `BEGAN_MS` before.
- A write takes a moment to be seen, and clocks differ: the time before the last one is always read again, by
  `AGAIN_MS`. An execution may therefore come twice, and is known by its id; none is left out that was written within
  `AGAIN_MS` and had not run longer than `BEGAN_MS` by then.
- The cursor is the whole state: any server can go on.
"""

from msgspec import Struct
from msgspec.structs import replace

from oriel.store import Store
from oriel.store.cursors import decode_json_cursor, encode_json_cursor
from oriel.store.records import Execution, ExecutionFilter

AGAIN_MS = 15_000
BEGAN_MS = 1_200_000  # the longest that an execution may take, and five minutes for the store to come back


class Tail(Struct, frozen=True):
    """What was found, where to go on, and whether there is more already."""

    items: tuple[Execution, ...]
    cursor: str
    more: bool


def follow(store: Store, tenant_id: str, where: ExecutionFilter, *, cursor: str | None, limit: int, now: int) -> Tail:
    """The next executions, oldest first. Without a cursor: those of the last seconds.

    Args:
        now: Unix milliseconds.

    Raises:
        OrielError: `malformed_request`, for a cursor that was not handed out.
    """
    written, begun, after = (now, now, "") if cursor is None else decode_json_cursor(cursor, int, int, str)
    begun = begun if after else now
    since = written - AGAIN_MS
    new = replace(where, recorded_since=since, since=max(since - BEGAN_MS, where.since or 0))
    page = store.list_executions(tenant_id, new, after or None, limit, oldest_first=True)
    state: list[str | int] = [begun, 0, ""] if page.cursor is None else [written, begun, page.cursor]
    return Tail(page.items, encode_json_cursor(state), page.cursor is not None)
