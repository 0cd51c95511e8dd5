"""Host functions as the engine calls them.

Rules kept here:

- A call finds the state of its run by the store's context, so that runs in many threads share one linker.
- No exception leaves a callback: the engine's frames lie between it and `Sandbox.run`. It is kept with the run,
  the guest is ended with an error, and the run raises what was kept.
- Arguments are bounded like answers: what a guest hands over in one call is charged before it is copied.
"""

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime.component import Linker, LinkerInstance

from oriel.engine.inspect import offered_types
from oriel.engine.types import Function
from oriel.errors import OrielError
from runner import capi
from runner.codec import Budget, FunctionCodec, TooLarge, TooLate

MAX_ARGUMENT_BYTES = 16 * 1024 * 1024
_FAILED = b"a host function ended the execution"


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A function that guests may import.

    Attributes:
        interface, name: as the component imports it: `oriel:extension/storage@1.0.0`, `get-many`.
        call: called as `call(state, *arguments)` with the codec's values, in the thread of the run; returns the
            codec's value. What it raises ends the run: an `OrielError` as it is, anything else as `internal`.
    """

    interface: str
    name: str
    call: Callable[..., Any]


@dataclass(slots=True)
class Run:
    """What a callback knows of the run it belongs to; `failure` is what a host function raised."""

    state: object
    deadline: float
    failure: BaseException | None = None


class HostLinker:
    """A linker with all host functions, for every component of one engine.

    Args:
        runs: the runs in progress by the address of their store's context.

    Raises:
        ValueError: a host function is not one of the WIT package, or is there twice.
    """

    def __init__(self, engine: wasmtime.Engine, functions: Iterable[HostFunction], runs: dict[int, Run]) -> None:
        self._runs = runs
        self._callbacks: list[object] = []  # the engine calls these as long as the linker lives
        self.available: dict[str, dict[str, str]] = {}
        self.linker = Linker(engine)
        by_interface: dict[str, dict[str, HostFunction]] = {}
        for function in functions:
            if by_interface.setdefault(function.interface, {}).setdefault(function.name, function) is not function:
                raise ValueError(f"{function.interface}.{function.name} is there twice")
        with self.linker.root() as root:
            for interface, members in by_interface.items():
                with root.add_instance(interface) as instance:
                    for function in members.values():
                        self._add(instance, function)

    def _add(self, instance: LinkerInstance, function: HostFunction) -> None:
        type_ = offered_types().get(function.interface, {}).get(function.name)
        if type_ is None:
            raise ValueError(f"{function.interface}.{function.name} is not in the WIT package")
        self.available.setdefault(function.interface, {})[function.name] = str(type_)
        callback = capi.HostCallback(self._callback(function, type_))
        self._callbacks.append(callback)
        name = function.name.encode()
        error = ffi.wasmtime_component_linker_instance_add_func(
            instance.ptr(),
            ctypes.create_string_buffer(name),
            len(name),
            ctypes.cast(callback, ffi.wasmtime_component_func_callback_t),
            None,
            ctypes.cast(None, ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        )
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)  # noqa: SLF001 - the binding's only way

    def _callback(self, function: HostFunction, type_: Function) -> Callable[..., int]:
        runs, call, place = self._runs, function.call, f"{function.interface}.{function.name}"
        codec: FunctionCodec | None = None

        def callback(_env: Any, context: int, _type: Any, arguments: int, _n: int, results: int, _m: int) -> int:
            nonlocal codec
            run = runs[context]
            try:
                if codec is None:  # a process rarely calls them all, and starts sooner without
                    codec = FunctionCodec(type_)
                values = codec.lift_params(arguments, Budget(MAX_ARGUMENT_BYTES, run.deadline))
                codec.lower_result(call(run.state, *values), results)
            except TooLarge:
                detail = f"One call of {place} may hand over {MAX_ARGUMENT_BYTES:,} bytes, and had more."
                run.failure = OrielError("host_budget_exceeded", detail)
            except TooLate:
                run.failure = OrielError("deadline_exceeded", f"The time was up in a call of {place}.")
            except BaseException as error:
                run.failure = error
            else:
                return 0
            return capi.new_error(_FAILED)

        return callback
