"""The clock that ends guests: one thread that moves the epoch of every engine on.

Rules kept here:

- The epoch follows the clock. A thread that was kept waiting, for the GIL or by a frozen Lambda, catches up, or
  every deadline in the process would stretch with its load.
- A deadline is counted from the time that the epoch stands for, so that no guest ends early, and none later than the
  thread wakes up.
"""

import threading
import time
from math import ceil

import wasmtime

from runner import capi

TICK_SECONDS = 0.01


class Ticker:
    """Moves the epochs of its engines by one every `TICK_SECONDS`, from the first `start` to `stop`."""

    def __init__(self) -> None:
        self._engines: tuple[wasmtime.Engine, ...] = ()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._reached = 0.0

    def add(self, engine: wasmtime.Engine) -> None:
        """One more engine; it may be added while the thread runs."""
        with self._lock:
            self._engines = (*self._engines, engine)

    def start(self) -> None:
        """Start the thread where it does not run: at the first call, and in a forked child."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._stopping.clear()
                self._reached = time.monotonic()
                self._thread = threading.Thread(target=self._run, name="epoch-ticker", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread. Guests that still run are no longer interrupted."""
        with self._lock:
            if self._thread is not None:
                self._stopping.set()
                self._thread.join()
                self._thread = None

    def ticks_until(self, deadline: float) -> int:
        """The ticks after which `deadline`, by `time.monotonic`, has passed for certain; never 0, which is no deadline
        but a trap at once."""
        return max(1, ceil((deadline - self._reached) / TICK_SECONDS))

    def _run(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            due = int((time.monotonic() - self._reached) / TICK_SECONDS)
            for engine in self._engines:
                for _ in range(due):
                    capi.increment_epoch(engine.ptr())
            self._reached += due * TICK_SECONDS  # last, so that a run that starts meanwhile ends late rather than early
