"""The clock that ends guests: one thread that moves an engine's epoch on.

Rules kept here:

- The epoch follows the wall clock. A thread that was kept waiting for the GIL catches up, or every deadline in the
  process would stretch with its load.
- After a long stop (a frozen Lambda, a debugger) it does not catch up: no deadline was running then.
"""

import threading
import time
from math import ceil

import wasmtime

from runner import capi

TICK_SECONDS = 0.01
_MOST_MISSED_TICKS = 500


class Ticker:
    """Moves one engine's epoch by one every `TICK_SECONDS`, from the first `start` to `stop`."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread where it does not run: at the first call, and in a forked child."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._stopping.clear()
                self._thread = threading.Thread(target=self._run, name="epoch-ticker", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread. Guests that still run are no longer interrupted."""
        with self._lock:
            if self._thread is not None:
                self._stopping.set()
                self._thread.join()
                self._thread = None

    def _run(self) -> None:
        epoch = self._engine.ptr()
        done_until = time.monotonic()
        while not self._stopping.wait(TICK_SECONDS):
            missed = int((time.monotonic() - done_until) / TICK_SECONDS)
            for _ in range(min(missed, _MOST_MISSED_TICKS)):
                capi.increment_epoch(epoch)
            done_until += missed * TICK_SECONDS


def ticks_for(seconds: float) -> int:
    """The ticks after which `seconds` have passed for certain, and at most two ticks more."""
    return max(1, ceil(seconds / TICK_SECONDS)) + 1
