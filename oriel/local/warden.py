"""Who watches the workers' ends on one machine: writes them down, and puts in quarantine what brings them about.

Rules kept here:

- The pool is never held up: ends are queued, and a thread of its own deals with them in their order.
- A quarantine that the store does not take is tried again until it does, or the platform stops.
"""

import logging
import threading
from queue import SimpleQueue

from oriel.errors import OrielError
from registry.quarantine import Quarantines
from runner.blame import Blame, Verdict
from runner.supervisor import Death, log_death

RETRY_SECONDS = 1.0
STOP_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Warden:
    """Hand `told` to the pool; close it after the pool."""

    def __init__(self, quarantines: Quarantines, blame: Blame | None = None) -> None:
        self._quarantines = quarantines
        self._blame = blame or Blame()
        self._deaths: SimpleQueue[Death | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="warden", daemon=True)
        self._thread.start()

    def told(self, death: Death) -> None:
        """A worker ended. Returns at once."""
        self._deaths.put(death)

    def close(self) -> None:
        self._stopping.set()
        self._deaths.put(None)
        self._thread.join(STOP_SECONDS)

    def _watch(self) -> None:
        while (death := self._deaths.get()) is not None:
            log_death(death)
            for verdict in self._blame.judge(death):
                self._stop(verdict)

    def _stop(self, verdict: Verdict) -> None:
        while True:
            try:
                self._quarantines.add(
                    verdict.content_hash, verdict.extension_id, deaths=verdict.deaths, reason=_reason(verdict)
                )
            except OrielError as error:
                _log.error("a quarantine waits: %s", error.detail, extra={"content_hash": verdict.content_hash})
                if self._stopping.wait(RETRY_SECONDS):
                    return
            else:
                _log.error("a bundle is in quarantine", extra={"content_hash": verdict.content_hash})
                return


def _reason(verdict: Verdict) -> str:
    return f"It was inside {verdict.deaths} workers that ended within ten minutes, alone in {verdict.alone} of them."
