"""Waiting for what comes about beside the test, without sleeping for luck."""

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 90.0  # far more than any of it takes: machines that test are busy
T = TypeVar("T")


def eventually(look: Callable[[], T], until: Callable[[T], object] = bool, pause: float = 0.02) -> T:
    """What `look` gives, as soon as it is what is waited for: `until` it holds, something where that is not said."""
    limit = time.monotonic() + SECONDS
    while not until(found := look()):
        assert time.monotonic() < limit, f"it did not come about: the last look gave {found!r}"
        time.sleep(pause)
    return found
