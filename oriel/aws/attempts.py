"""Doing again what failed, where doing it again is right.

A client never does so by itself. Its user does, because only that one knows what a second attempt would do.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.025


class Again(Exception):
    """An attempt failed in a way that another may not.

    Args:
        ambiguous: the service may have carried it out all the same.
    """

    def __init__(self, reason: str, *, ambiguous: bool) -> None:
        self.reason, self.ambiguous = reason, ambiguous
        super().__init__(reason)


def persist(attempt: Callable[[bool], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Call `attempt` until it raises no `Again`, `ATTEMPTS` times, with growing pauses of random length between.

    `attempt` is told whether an earlier one may have been carried out. The last `Again` is passed on.
    """
    ambiguous = False
    for number in range(ATTEMPTS - 1):
        try:
            return attempt(ambiguous)
        except Again as again:
            ambiguous = ambiguous or again.ambiguous
        sleep(random.uniform(0.5, 1.0) * FIRST_PAUSE_SECONDS * 2**number)  # noqa: S311 - spreads callers, hides nothing
    return attempt(ambiguous)
