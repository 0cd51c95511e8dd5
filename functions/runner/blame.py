"""Which bundle ended the workers: what is known after each death, and when it is enough to stop one.

A worker that ends tells what was inside, and mostly that is more than one execution. Rules kept here:

- A death is one strike, shared in equal parts by the bundles inside, whatever number of executions each had there. A
  bundle that was alone carries it whole: that is certain, the rest is suspicion.
- `STRIKES` within `WINDOW_SECONDS` are enough. The deaths of the one that is stopped are explained by it and forgotten,
  so that those who shared a worker with it are clear again.
- Two with the same record cannot be told apart. Nobody is stopped for a tie, until it stands at twice the strikes: a
  platform that goes on losing workers is worse than an operator who has to lift one quarantine too many.
- A worker that was told to stop, and one that had nothing inside, is nobody's strike.

So a bundle that ends its worker each time it runs is stopped at its third death where it runs alone, and by its sixth
beside one other; one that others happen to run beside is not, unless it was there at nearly every death. The
record is in memory: a supervisor that starts again starts counting again.
"""

import signal
import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from msgspec import Struct

from runner.supervisor import Death

STRIKES = 3
WINDOW_SECONDS = 600.0
MAX_DEATHS = 1_000  # remembered; more than that many in a window is no bundle's doing
TOLD_TO_STOP = frozenset({0, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP})


class Verdict(Struct, frozen=True):
    """A bundle to stop. `deaths` counts those it was inside, `alone` those at which nothing else was."""

    content_hash: str
    extension_id: str
    deaths: int
    alone: int


class _Entry(Struct, frozen=True):
    at: float
    inside: frozenset[tuple[str, str]]  # content hash and extension


class Blame:
    """The deaths of the last ten minutes. One thread uses it.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deaths: deque[_Entry] = deque(maxlen=MAX_DEATHS)

    def judge(self, death: Death) -> tuple[Verdict, ...]:
        """Take a death down; the bundles that are to be stopped for it."""
        now = self._clock()
        while self._deaths and self._deaths[0].at <= now - WINDOW_SECONDS:
            self._deaths.popleft()
        inside = frozenset((entry.content_hash, entry.extension_id) for entry in death.inside)
        if not inside or death.returncode in TOLD_TO_STOP:
            return ()
        self._deaths.append(_Entry(now, inside))
        verdicts = tuple(self._verdict(*suspect) for suspect in self._proven())
        stopped = {(verdict.content_hash, verdict.extension_id) for verdict in verdicts}
        self._deaths = deque((entry for entry in self._deaths if not entry.inside & stopped), maxlen=MAX_DEATHS)
        return verdicts

    def _proven(self) -> list[tuple[str, str]]:
        """Those with the most strikes, where these are enough."""
        strikes: dict[tuple[str, str], Fraction] = {}
        for entry in self._deaths:
            for suspect in entry.inside:
                strikes[suspect] = strikes.get(suspect, Fraction()) + Fraction(1, len(entry.inside))
        most = max(strikes.values())
        first = sorted(suspect for suspect, strike in strikes.items() if strike == most)
        return first if most >= (STRIKES if len(first) == 1 else 2 * STRIKES) else []

    def _verdict(self, content_hash: str, extension_id: str) -> Verdict:
        where = [entry for entry in self._deaths if (content_hash, extension_id) in entry.inside]
        return Verdict(content_hash, extension_id, len(where), sum(len(entry.inside) == 1 for entry in where))
