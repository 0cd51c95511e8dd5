"""What the first call will need, asked for while it is still being judged.

A function holds no key and no connection when it starts (it may be a snapshot). So its first call pays for each of
them; what does not depend on one another is asked for at once instead of in turn.

Rules kept here: nothing waits for it, and it decides nothing. Whoever needs what failed here asks again, and says why.
"""

import logging
import threading
from collections.abc import Callable

from oriel.connections import NoAnswer
from oriel.errors import OrielError

_log = logging.getLogger(__name__)


class Ahead:
    """Does each of `fetches` in a thread of its own, once, when it is told that a call is here."""

    def __init__(self, *fetches: Callable[[], object]) -> None:
        self._fetches = fetches

    def begin(self) -> None:
        """A call is here. It returns at once; the second time it does nothing."""
        fetches, self._fetches = self._fetches, ()
        for fetch in fetches:
            threading.Thread(target=_tried, args=(fetch,), name="ahead", daemon=True).start()


def _tried(fetch: Callable[[], object]) -> None:
    try:
        fetch()
    except (OrielError, NoAnswer) as error:
        _log.info("not ready ahead of its use: %s", error)
