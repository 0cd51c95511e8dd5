"""A lane: an engine with room for one instance, and one run at a time in it.

A process has as many lanes as it runs guests at once. What a run leaves, the next one in its lane takes over, written
over: memory, tables and their pages in the kernel. And since the instance's memory lies where it always lies, its
size can be read exactly (`runner.memory`), whatever the other lanes do.

Rules kept here:

- A component loads only if every function that it imports is there with the same signature, and the way into it
  (`runner.entry`) is of the right type. Nothing is found out at the time of a call.
- What standard components import is linked for those that import it, when the first of them is loaded.
- A run leaves nothing behind: its store is freed before `run` returns.
"""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wasmtime
from wasmtime.component import Component, ExportIndex

from oriel.engine import config, inspect
from oriel.errors import OrielError
from runner import capi
from runner.codec import Budget, Handles, TooLarge, TooLate
from runner.codec.arena import Arena
from runner.codec.layout import VALUE_SIZE
from runner.entry import Call, Entry, Standard, entry_of
from runner.failures import RunFailure, from_engine, from_host
from runner.linking import HostFunction, HostLinker, Run
from runner.memory import GuestMemory

_DEFAULT_RESULT_BYTES = 16 * 1024 * 1024
_ENDLESS_FUEL = 1 << 62
_ROOM = "limit"  # in the engine's message where a component is larger than what it keeps room for


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The bounds of one run.

    Attributes:
        timeout_s: seconds from the start of the run.
        memory_bytes: of the guest's linear memory.
        fuel: in the engine's units, about one an instruction; None for no limit.
        max_result_bytes: of the answer, counted as `runner.codec.lift` does: text and bytes by their length, 48 for
            a field of a record, 32 for an element of a list.
    """

    timeout_s: float
    memory_bytes: int
    fuel: int | None = None
    max_result_bytes: int = _DEFAULT_RESULT_BYTES


@dataclass(frozen=True, slots=True)
class RunResult:
    """The handler's answer and what it took.

    Attributes:
        value: the response as a dict.
        cpu_ms: of the run's thread.
        peak_memory_bytes: of linear memory, exact; it never shrinks, so its end is its peak.
        fuel: used; None where it is not counted.
    """

    value: dict[str, Any]
    cpu_ms: float
    duration_ms: float
    peak_memory_bytes: int
    fuel: int | None


@dataclass(frozen=True, slots=True)
class Mapped:
    """A component that is mapped and checked for one lane."""

    component: Component
    handler: ExportIndex
    entry: Entry
    host: HostLinker


class Lane:
    """One engine with its host functions. Runs are made one at a time; loading may go on beside one."""

    def __init__(
        self, functions: tuple[HostFunction, ...], standard: Callable[[], Standard] | None, *, fuel: bool
    ) -> None:
        self.engine = config.new_engine(fuel=fuel, pooled=True)
        self._memory = GuestMemory(self.engine)
        self._counts_fuel = fuel
        self._runs: dict[int, Run] = {}
        self._functions = functions
        self._host = HostLinker(self.engine, functions, self._runs)
        self._make_standard = standard
        self._standard: tuple[Standard, HostLinker] | None = None

    def load(self, path: Path) -> Mapped:
        """Map an artifact and check what it imports and exports. Not from two threads at once.

        Raises:
            OrielError: as `Sandbox.load`.
        """
        try:
            component = Component.deserialize_file(self.engine, str(path))
        except wasmtime.WasmtimeError as error:
            if _ROOM in str(error):
                detail = f"The extension is larger than the runner has room for: {error}."
                raise OrielError("memory_limit", detail) from error
            raise OrielError("artifact_unavailable", "The artifact was compiled for another engine.") from error
        shape = inspect.describe(component, self.engine)
        standard, host = self._hosts_for(shape)
        findings = [*inspect.import_findings(shape.imports, host.available), *inspect.handler_findings(shape)]
        if findings:
            raise inspect.invalid(findings)
        entry, handler = entry_of(component, shape, standard)
        return Mapped(component, handler, entry, host)

    def run(
        self,
        mapped: Mapped,
        request: dict[str, Any],
        *,
        state: object,
        limits: RunLimits,
        ticks_until: Callable[[float], int],
    ) -> RunResult:
        """Call the handler in a fresh instance.

        Args:
            ticks_until: the epochs until a deadline.

        Raises:
            RunFailure, TypeError: as `Sandbox.run`.
        """
        started, cpu = time.monotonic(), time.thread_time()
        call = mapped.entry.begin(request, state)
        store = capi.store_new(self.engine.ptr(), None, None)
        context = capi.store_context(store)
        run = self._runs[context] = Run(state, started + limits.timeout_s, Handles(context))
        attempt = _Attempt(mapped, context, run, limits)
        value, failure = None, None
        try:
            self._confine(store, context, limits, ticks_until(run.deadline))
            value = attempt.answer(call)
        except RunFailure as error:
            failure = error
        finally:
            peak = self._memory.size(limits.memory_bytes) if attempt.instantiated else 0
            fuel = _fuel_allowed(limits) - capi.fuel_left(context) if self._counts_fuel else None
            del self._runs[context]
            capi.store_delete(store)
        ...
