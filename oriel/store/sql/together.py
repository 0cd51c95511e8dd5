"""Writes of one process that wait for their turn at a SQLite file, carried out in one transaction.

SQLite lets one writer in at a time, and each transaction ends with a synchronised write to the disk. So whoever gets
the turn carries out all that wait, and ends them with one.

Rules kept here:

- A write is done when the transaction that it is in is committed, and no sooner: nothing is answered as written before.
- Each is in a savepoint of its own: one that fails undoes itself alone, and its error is its writer's.
- Where the transaction itself fails, none of them was done, and each of the writers is told so.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection, exc

from oriel.store.errors import StoreUnavailable

R = TypeVar("R")
AT_ONCE = 64
_NOT_WRITTEN = "A transaction of several writes failed, and none of them was written."


class _Write(Generic[R]):
    """A write and what became of it."""

    def __init__(self, work: Callable[[Connection], R]) -> None:
        self.work = work
        self.done = False
        self.result: R | None = None
        self.error: BaseException | None = None

    def carry_out(self, connection: Connection) -> None:
        """In a savepoint. Raises what may have undone the whole transaction: SQLite does that at some errors."""
        try:
            with connection.begin_nested():
                self.result = self.work(connection)
        except Exception as error:
            self.error = error
            if isinstance(error, exc.DBAPIError) and not isinstance(error, exc.IntegrityError):
                raise

    def answer(self) -> R:
        if self.error is not None:
            raise self.error
        return cast("R", self.result)


class Together:
    """Carries out writes to one file. Safe to share between threads.

    Args:
        turn: held while a transaction goes on; the other writers to this file in this process wait for it.
        transaction: begins one, and commits it where it ends well.
    """

    def __init__(
        self,
        turn: AbstractContextManager[object],
        transaction: Callable[[], AbstractContextManager[Connection]],
    ) -> None:
        self._turn, self._transaction = turn, transaction
        self._lock = threading.Lock()
        self._waiting: list[_Write[Any]] = []

    def write(self, work: Callable[[Connection], R]) -> R:
        """Run `work` in a transaction that is committed before this returns.

        Raises:
            StoreUnavailable: nothing was written.
        """
        (result,) = self.write_all([work])
        return result

    def write_all(self, works: Sequence[Callable[[Connection], R]]) -> list[R]:
        """The same for several, each done or not by itself; of those that were not, the first one's error is raised."""
        own = [_Write(work) for work in works]
        with self._lock:
            self._waiting += own
        with self._turn:
            while not all(write.done for write in own):
                self._carry_out(self._next())
        return [write.answer() for write in own]

    def _next(self) -> list[_Write[Any]]:
        """Those that have waited longest."""
        with self._lock:
            some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        return some

    def _carry_out(self, writes: list[_Write[Any]]) -> None:
        try:
            with self._transaction() as connection:
                if len(writes) == 1:
                    writes[0].result = writes[0].work(connection)
                else:
                    for write in writes:
                        write.carry_out(connection)
        except BaseException as error:
            for write in writes:
                write.error = write.error or (error if len(writes) == 1 else StoreUnavailable(_NOT_WRITTEN))
            if not isinstance(error, Exception):
                raise
        finally:
            for write in writes:
                write.done = True
