"""Runs components, each call in a fresh instance, and measures them.

Rules kept here:

- A component is checked when it is loaded; nothing is found out at the time of a call.
- Every run has a deadline from its start, which covers the guest, its host calls and the unpacking of its answer,
  and limits on memory, tables and instances.
- A run ends with an answer or with a `RunFailure`, whatever the guest or a host function does.
- One epoch thread a sandbox, and one sandbox a process. Runs may be made from many threads: each takes a lane
  (`runner.lane`) to itself, and lanes are made when they are first needed. The engine releases the GIL while a guest
  computes.
- Fuel is a setting of the process: it is another configuration of the engine, needs artifacts of its own, and slows
  every guest. A run that asks for fuel where it is off is refused, not run without its limit.
"""

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from oriel.engine.config import fingerprint
from oriel.errors import OrielError
from runner.entry import Standard
from runner.epochs import Ticker
from runner.failures import RunFailure
from runner.lane import Lane, Mapped, RunLimits, RunResult
from runner.linking import HostFunction

__all__ = ["HostFunction", "LoadedComponent", "RunFailure", "RunLimits", "RunResult", "Sandbox"]


class LoadedComponent:
    """An artifact that was checked and is ready to run in the sandbox that loaded it.

    The file stays open, so that a further lane can map it also when it was deleted meanwhile.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, descriptor)
        self.path = Path(f"/proc/self/fd/{descriptor}")
        self.mapped: dict[Lane, Mapped] = {}


class Sandbox:
    """Lanes with the same host functions.

    Args:
        host_functions: what components may import.
        standard: gives what standard components may import beside it; without it, none of them loads.
        fuel: count fuel; see the module's rules.
        resident_bytes: of memory that a lane keeps between runs (`oriel.engine.config.new_engine`).
    """

    def __init__(
        self,
        host_functions: Iterable[HostFunction],
        *,
        standard: Callable[[], Standard] | None = None,
        fuel: bool = False,
        resident_bytes: int = 0,
    ) -> None:
        self.counts_fuel, self._resident_bytes = fuel, resident_bytes
        self._functions = tuple(host_functions)
        self._standard = cache(standard) if standard is not None else None
        self._ticker = Ticker()
        self._loading = threading.Lock()
        self._first = self._new_lane()
        self._free = [self._first]
        self.fingerprint = fingerprint(self._first.engine)

    def load(self, path: Path) -> LoadedComponent:
        """Map an artifact and check what it imports and exports.

        Artifacts are native code: only one whose signature was verified may come here.

        Raises:
            OrielError: `artifact_unavailable`, where it was made for another engine; `invalid_component`, where it
                imports what is not there or has no right way in; `memory_limit`, where it is larger than a lane.
            FileNotFoundError
        """
        component = LoadedComponent(path)
        self._mapped(component, self._first)
        return component

    def run(
        self, component: LoadedComponent, request: dict[str, Any], *, state: object, limits: RunLimits
    ) -> RunResult:
        """Call the handler in a fresh instance.

        Args:
            request: `types.request` of the WIT package, as the codec has it, whichever way in the component has.
            state: handed to every host function that the guest calls.

        Raises:
            RunFailure: `deadline_exceeded`, `memory_limit`, `fuel_exhausted`, `stack_overflow`, `guest_trap`,
                `output_too_large`, what a host function raised, `internal`.
            OrielError: `unavailable`, where a fuel limit is asked for and the process counts none.
            TypeError: the request is not of its type.
        """
        if limits.fuel is not None and not self.counts_fuel:
            raise OrielError("unavailable", "This runner counts no fuel, and a limit of it was asked for.")
        self._ticker.start()
        with self._lane() as lane:
            mapped = component.mapped.get(lane) or self._mapped(component, lane)
            return lane.run(mapped, request, state=state, limits=limits, ticks_until=self._ticker.ticks_until)

    def close(self) -> None:
        """Stop the epoch thread; no run may be in progress."""
        self._ticker.stop()

    @contextmanager
    def _lane(self) -> Iterator[Lane]:
        """A lane for one run: the one that was used last, whose memory is warm."""
        try:
            lane = self._free.pop()
        except IndexError:
            lane = self._new_lane()
        try:
            yield lane
        finally:
            self._free.append(lane)

    def _new_lane(self) -> Lane:
        lane = Lane(self._functions, self._standard, fuel=self.counts_fuel, resident_bytes=self._resident_bytes)
        self._ticker.add(lane.engine)
        return lane

    def _mapped(self, component: LoadedComponent, lane: Lane) -> Mapped:
        with self._loading:
            mapped = component.mapped[lane] = lane.load(component.path)
            return mapped
