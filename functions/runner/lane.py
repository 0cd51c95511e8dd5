"""A lane: an engine with room for one instance, and one run at a time in it.

A process has as many lanes as it runs guests at once. What a run leaves, the next one in its lane takes over, written
over: memory, tables and their pages in the kernel. And since the instance's memory lies where it always lies, its
size can be read exactly (`runner.memory`), whatever the other lanes do.

Rules kept here:

- A component loads only if every function that it imports is there with the same signature, and the way into it
  (`runner.entry`) is of the right type. Nothing is found out at the time of a call.
- What standard components import, and those of `alga:extension`, is linked for those that import it, when the first
  of them is loaded.
- A run leaves nothing behind: its store is freed before `run` returns.
"""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wasmtime
from msgspec import Struct
from wasmtime.component import Component, ExportIndex

from oriel.engine import alga, config, inspect
from oriel.errors import OrielError
from runner import capi
from runner.codec import Budget, FunctionCodec, Handles, TooLarge, TooLate
from runner.codec.arena import Arena
from runner.codec.layout import VALUE_SIZE
from runner.entry import Call, Entry, Standard, entry_of
from runner.failures import RunFailure, from_engine, from_host
from runner.linking import HostFunction, HostLinker, Run
from runner.memory import GuestMemory
from runner.working_set import WorkingSet

_DEFAULT_RESULT_BYTES = 16 * 1024 * 1024
_ENDLESS_FUEL = 1 << 62
_NO_ROOM = "pooling allocator"  # in the engine's message where a component is larger than what it keeps room for


class RunLimits(Struct, frozen=True):
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


class RunResult(Struct, frozen=True):
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


class Mapped(Struct, frozen=True):
    """A component that is mapped and checked for one lane."""

    component: Component
    handler: ExportIndex
    entry: Entry
    host: HostLinker
    working_set: WorkingSet


class Lane:
    """One engine with its host functions. Runs are made one at a time; loading may go on beside one."""

    def __init__(
        self,
        functions: tuple[HostFunction, ...],
        standard: Callable[[], Standard] | None,
        *,
        fuel: bool,
        resident_bytes: int,
    ) -> None:
        self.engine = config.new_engine(fuel=fuel, pooled=True, resident_bytes=resident_bytes)
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
            if _NO_ROOM in str(error):
                reason = str(error).strip().splitlines()[-1].strip()
                detail = f"The extension is larger than the runner has room for: {reason}."
                raise OrielError("memory_limit", detail) from error
            raise OrielError("artifact_unavailable", "The artifact was compiled for another engine.") from error
        shape = inspect.describe(component, self.engine)
        standard, host = self._hosts_for(shape)
        findings = [*inspect.import_findings(shape.imports, host.available), *inspect.handler_findings(shape)]
        if findings:
            raise inspect.invalid(findings)
        entry, handler = entry_of(component, shape, standard)
        return Mapped(component, handler, entry, host, WorkingSet())

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
        meter = _Meter(limits)
        call = mapped.entry.begin(request, state)
        store = capi.store_new(self.engine.ptr(), None, None)
        context = capi.store_context(store)
        run = self._runs[context] = Run(state, meter.started + limits.timeout_s, Handles(context))
        try:
            self._confine(store, context, limits, ticks_until(run.deadline))
            value = self._call(mapped, context, call, run, meter)
            cpu_ms, duration_ms, peak = meter.read()
            return RunResult(value, cpu_ms, duration_ms, peak, self._fuel_used(context, limits))
        except RunFailure as failure:
            failure.cpu_ms, failure.duration_ms, failure.peak_memory_bytes = meter.read()
            failure.fuel = self._fuel_used(context, limits)
            raise
        finally:
            del self._runs[context]
            capi.store_delete(store)

    def _hosts_for(self, shape: inspect.Shape) -> tuple[Standard | None, HostLinker]:
        """What a component is linked with, and the standard part of it where it has any."""
        standard_is_used = any(name.startswith(("wasi:", alga.PREFIX)) for name in shape.imports)
        if self._make_standard is None or not standard_is_used:
            return None, self._host
        if self._standard is None:
            made = self._make_standard()
            functions = (*self._functions, *made.functions)
            self._standard = made, HostLinker(self.engine, functions, self._runs, made.resources)
        return self._standard

    def _confine(self, store: int, context: int, limits: RunLimits, ticks: int) -> None:
        capi.store_limiter(
            store,
            limits.memory_bytes,
            config.MAX_TABLE_ELEMENTS,
            config.MAX_INSTANCES,
            config.MAX_TABLES,
            config.MAX_MEMORIES,
        )
        capi.set_epoch_deadline(context, ticks)
        if self._counts_fuel:
            capi.set_fuel(context, _fuel_allowed(limits))

    def _fuel_used(self, context: int, limits: RunLimits) -> int | None:
        return _fuel_allowed(limits) - capi.fuel_left(context) if self._counts_fuel else None

    def _call(self, mapped: Mapped, context: int, call: Call, run: Run, meter: "_Meter") -> Any:
        codec = mapped.entry.codec
        result = ctypes.create_string_buffer(VALUE_SIZE)
        arena = Arena(run.handles)
        try:
            arguments = codec.lower_params(call.arguments, arena)
            error = self._enter(mapped, context, arguments, result, meter)
        finally:
            arena.release()
        if error:
            raise self._failure(error, run, meter)
        try:
            return _lifted(codec, call, ctypes.addressof(result), run, meter.limits.max_result_bytes)
        finally:
            if codec.has_result:
                capi.value_delete(result)

    def _enter(self, mapped: Mapped, context: int, arguments: int, result: Any, meter: "_Meter") -> int | None:
        """Make the instance and call its function; the engine's error, where there is one."""
        instance, handler = capi.Instance(), capi.Function()
        linker = mapped.host.linker.ptr()
        error: int | None = capi.instantiate(linker, context, mapped.component.ptr(), ctypes.byref(instance))
        if not error:
            meter.memory = self._memory
            mapped.working_set.copy()
            codec = mapped.entry.codec
            capi.get_function(ctypes.byref(instance), context, mapped.handler.ptr(), ctypes.byref(handler))
            place = result if codec.has_result else None
            function = ctypes.byref(handler)
            error = capi.call_function(function, context, arguments, codec.arity, place, int(codec.has_result))
        if not error:
            mapped.working_set.learn(self._memory, meter.limits.memory_bytes)
        return error

    def _failure(self, error: int, run: Run, meter: "_Meter") -> RunFailure:
        """The failure for an error of the engine, which is freed."""
        code, message = capi.take_error(error)
        if code is not None:  # a trap: an instance was there, if only to start
            meter.memory = self._memory
        if run.failure is not None:
            return from_host(run.failure)
        return from_engine(code, message, memory_bytes=meter.memory_bytes(), memory_limit=meter.limits.memory_bytes)


class _Meter:
    """Time since it was made, on one thread, and the memory of an instance from when there is one."""

    def __init__(self, limits: RunLimits) -> None:
        self.limits = limits
        self.memory: GuestMemory | None = None
        self.started = time.monotonic()
        self._cpu = time.thread_time()

    def read(self) -> tuple[float, float, int]:
        """CPU and elapsed milliseconds, and bytes of memory."""
        cpu_ms = (time.thread_time() - self._cpu) * 1000
        duration_ms = (time.monotonic() - self.started) * 1000
        return cpu_ms, duration_ms, self.memory_bytes()

    def memory_bytes(self) -> int:
        return self.memory.size(self.limits.memory_bytes) if self.memory is not None else 0


def _lifted(codec: FunctionCodec, call: Call, address: int, run: Run, max_bytes: int) -> Any:
    """The answer, from what the function returned, if it is there in time and within its bounds."""
    try:
        value = call.answer(codec.lift_result(address, Budget(max_bytes, run.deadline, run.handles)))
    except TooLarge:
        raise RunFailure("output_too_large", f"The answer has more than {max_bytes:,} bytes.") from None
    except TooLate:
        raise _too_late() from None
    except OrielError as error:
        raise from_host(error) from None
    if time.monotonic() >= run.deadline:
        raise _too_late()
    return value


def _fuel_allowed(limits: RunLimits) -> int:
    return _ENDLESS_FUEL if limits.fuel is None else limits.fuel


def _too_late() -> RunFailure:
    return RunFailure("deadline_exceeded", "The time was up when the extension's answer was unpacked.")
