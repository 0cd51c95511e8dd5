"""Runs components, each call in a fresh instance, and measures them.

Rules kept here:

- A component loads only if every function that it imports is there with the same signature, and the way into it
  (`runner.entry`) is of the right type. Nothing is found out at the time of a call.
- What standard components import is linked for those that import it, and made when the first of them is loaded.
- Every run has a deadline from its start, which covers the guest, its host calls and the unpacking of its answer,
  and limits on memory, tables and instances.
- A run ends with an answer or with a `RunFailure`, whatever the guest or a host function does, and leaves nothing
  behind: its store is freed before `run` returns.
- One engine and one epoch thread a sandbox, and one sandbox a process. Runs may be made from many threads; the
  engine releases the GIL while a guest computes.
- Fuel is a setting of the process: it is another configuration of the engine, needs artifacts of its own, and slows
  every guest. A run that asks for fuel where it is off is refused, not run without its limit.
"""

import ctypes
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wasmtime
from wasmtime.component import Component, ExportIndex

from oriel.engine import inspect
from oriel.engine.config import fingerprint, new_engine
from oriel.errors import OrielError
from runner import capi, memory
from runner.codec import Budget, Handles, TooLarge, TooLate
from runner.codec.arena import Arena
from runner.codec.layout import VALUE_SIZE
from runner.entry import Call, Entry, Standard, entry_of
from runner.epochs import Ticker
from runner.failures import RunFailure, from_engine, from_host
from runner.linking import HostFunction, HostLinker, Run

__all__ = ["HostFunction", "LoadedComponent", "RunFailure", "RunLimits", "RunResult", "Sandbox"]

# The limiter's memory limit is per memory: one memory makes it the limit of the run. What the usual toolchains build
# has one. The others bound what a component can allocate beside it; a Python guest needs about 40 instances.
MAX_MEMORIES = 1
MAX_INSTANCES = 200
MAX_TABLES = 20
MAX_TABLE_ELEMENTS = 200_000

_DEFAULT_RESULT_BYTES = 16 * 1024 * 1024
_ENDLESS_FUEL = 1 << 62


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
        peak_memory_bytes: by `runner.memory.private_bytes`; guest memories never shrink, so their end is their peak.
        fuel: used; None where it is not counted.
    """

    value: dict[str, Any]
    cpu_ms: float
    duration_ms: float
    peak_memory_bytes: int
    fuel: int | None


@dataclass(frozen=True, slots=True)
class LoadedComponent:
    """A component that is mapped, checked and ready to run in the sandbox that loaded it."""

    component: Component
    handler: ExportIndex
    entry: Entry
    host: HostLinker


class Sandbox:
    """One engine with its host functions.

    Args:
        host_functions: what components may import.
        standard: gives what standard components may import beside it; without it, none of them loads.
        fuel: count fuel; see the module's rules.
    """

    def __init__(
        self,
        host_functions: Iterable[HostFunction],
        *,
        standard: Callable[[], Standard] | None = None,
        fuel: bool = False,
    ) -> None:
        self.counts_fuel = fuel
        self._functions = tuple(host_functions)
        self._engine = new_engine(fuel=fuel)
        self.fingerprint = fingerprint(self._engine)
        self._runs: dict[int, Run] = {}
        self._host = HostLinker(self._engine, self._functions, self._runs)
        self._make_standard = standard
        self._standard: tuple[Standard, HostLinker] | None = None
        self._making_standard = threading.Lock()
        self._ticker = Ticker(self._engine)

    def load(self, path: Path) -> LoadedComponent:
        """Map an artifact and check what it imports and exports.

        Artifacts are native code: only one whose signature was verified may come here.

        Raises:
            OrielError: `artifact_unavailable`, where it was made for another engine; `invalid_component`, where it
                imports what is not there or has no right way in.
            FileNotFoundError
        """
        path.stat()
        try:
            component = Component.deserialize_file(self._engine, str(path))
        except wasmtime.WasmtimeError as error:
            raise OrielError("artifact_unavailable", "The artifact was compiled for another engine.") from error
        shape = inspect.describe(component, self._engine)
        standard, host = self._hosts_for(shape)
        findings = [*inspect.import_findings(shape.imports, host.available), *inspect.handler_findings(shape)]
        if findings:
            raise inspect.invalid(findings)
        entry, handler = entry_of(component, shape, standard)
        return LoadedComponent(component, handler, entry, host)

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
        meter = _Meter()
        call = component.entry.begin(request, state)
        store = capi.store_new(self._engine.ptr(), None, None)
        context = capi.store_context(store)
        run = self._runs[context] = Run(state, meter.started + limits.timeout_s, Handles(context))
        try:
            self._confine(store, context, run, limits)
            value = self._call(component, context, call, run, limits)
            cpu_ms, duration_ms, peak = meter.read(limits)
            return RunResult(value, cpu_ms, duration_ms, peak, self._fuel_used(context, limits))
        except RunFailure as failure:
            failure.cpu_ms, failure.duration_ms, failure.peak_memory_bytes = meter.read(limits)
            failure.fuel = self._fuel_used(context, limits)
            raise
        finally:
            del self._runs[context]
            capi.store_delete(store)

    def close(self) -> None:
        """Stop the epoch thread; no run may be in progress."""
        self._ticker.stop()

    def _confine(self, store: int, context: int, run: Run, limits: RunLimits) -> None:
        capi.store_limiter(store, limits.memory_bytes, MAX_TABLE_ELEMENTS, MAX_INSTANCES, MAX_TABLES, MAX_MEMORIES)
        capi.set_epoch_deadline(context, self._ticker.ticks_until(run.deadline))
        if self.counts_fuel:
            capi.set_fuel(context, _fuel_allowed(limits))

    def _fuel_used(self, context: int, limits: RunLimits) -> int | None:
        return _fuel_allowed(limits) - capi.fuel_left(context) if self.counts_fuel else None

    def _hosts_for(self, shape: inspect.Shape) -> tuple[Standard | None, HostLinker]:
        """What a component is linked with, and the standard part of it where it has any."""
        standard_is_used = any(name.startswith("wasi:") for name in shape.imports)
        if self._make_standard is None or not standard_is_used:
            return None, self._host
        with self._making_standard:
            if self._standard is None:
                made = self._make_standard()
                functions = (*self._functions, *made.functions)
                self._standard = made, HostLinker(self._engine, functions, self._runs, made.resources)
            return self._standard

    def _call(self, component: LoadedComponent, context: int, call: Call, run: Run, limits: RunLimits) -> Any:
        codec, results = component.entry.codec, int(component.entry.codec.has_result)
        instance, handler = capi.Instance(), capi.Function()
        result = ctypes.create_string_buffer(VALUE_SIZE)
        arena = Arena(run.handles)
        try:
            arguments = codec.lower_params(call.arguments, arena)
            linker = component.host.linker.ptr()
            error = capi.instantiate(linker, context, component.component.ptr(), ctypes.byref(instance))
            if not error:
                capi.get_function(ctypes.byref(instance), context, component.handler.ptr(), ctypes.byref(handler))
                place = result if results else None
                error = capi.call_function(ctypes.byref(handler), context, arguments, codec.arity, place, results)
        finally:
            arena.release()
        if error:
            raise _failure(error, run, limits)
        try:
            budget = Budget(limits.max_result_bytes, run.deadline, run.handles)
            value = call.answer(codec.lift_result(ctypes.addressof(result), budget))
        except TooLarge:
            detail = f"The answer has more than {limits.max_result_bytes:,} bytes."
            raise RunFailure("output_too_large", detail) from None
        except TooLate:
            raise _too_late() from None
        except OrielError as error:
            raise from_host(error) from None
        finally:
            if results:
                capi.value_delete(result)
        if time.monotonic() >= run.deadline:
            raise _too_late()
        return value


class _Meter:
    """Time and memory since it was made, on one thread."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._cpu = time.thread_time()
        self._memory = memory.private_bytes()

    def read(self, limits: RunLimits) -> tuple[float, float, int]:
        """CPU and elapsed milliseconds, and the bytes of memory that were added, as far as a guest can have them."""
        cpu_ms = (time.thread_time() - self._cpu) * 1000
        duration_ms = (time.monotonic() - self.started) * 1000
        added = memory.private_bytes() - self._memory
        return cpu_ms, duration_ms, min(max(0, added), limits.memory_bytes)


def _fuel_allowed(limits: RunLimits) -> int:
    return _ENDLESS_FUEL if limits.fuel is None else limits.fuel


def _too_late() -> RunFailure:
    return RunFailure("deadline_exceeded", "The time was up when the extension's answer was unpacked.")


def _failure(error: int, run: Run, limits: RunLimits) -> RunFailure:
    """The failure for an error of the engine, which is freed."""
    code, message = capi.take_error(error)
    if run.failure is not None:
        return from_host(run.failure)
    return from_engine(code, message, memory_bytes=memory.largest_linear_memory(), memory_limit=limits.memory_bytes)
