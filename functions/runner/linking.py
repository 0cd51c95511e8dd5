"""Host functions as the engine calls them.

Rules kept here:

- A call finds the state of its run by the store's context, so that runs in many threads share one linker.
- No exception leaves a callback: the engine's frames lie between it and `Sandbox.run`. It is kept with the run,
  the guest is ended with an error, and the run raises what was kept.
- Arguments are bounded like answers: what a guest hands over in one call is charged before it is copied.
- A resource that a guest drops leaves its run's table at once.
"""

import ctypes
from collections.abc import Callable, Iterable
from typing import Any

import wasmtime
from msgspec import Struct
from wasmtime import _ffi as ffi
from wasmtime.component import Linker, LinkerInstance, ResourceType

from oriel.engine.inspect import item_type, signature
from oriel.engine.standard import track
from oriel.engine.types import Function, Resource
from oriel.errors import OrielError
from runner import capi
from runner.codec import Budget, FunctionCodec, Handles, TooLarge, TooLate, TooManyHandles
from runner.codec.handles import MAX_HANDLES, resource_id

MAX_ARGUMENT_BYTES = 16 * 1024 * 1024
_FAILED = b"a host function ended the execution"
_NO_FINALIZER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)()


class HostFunction(Struct, frozen=True):
    """A function that guests may import.

    Attributes:
        interface, name: as the component imports it: `oriel:extension/storage@1.0.0`, `get-many`.
        call: called as `call(state, *arguments)` with the codec's values, in the thread of the run; returns the
            codec's value. What it raises ends the run: an `OrielError` as it is, anything else as `internal`.
    """

    interface: str
    name: str
    call: Callable[..., Any]


class HostResource(Struct, frozen=True):
    """A resource that guests may import, by the interface it is in and the name it has there."""

    interface: str
    name: str


class Run(Struct):
    """What a callback knows of the run it belongs to; `failure` is what a host function raised."""

    state: object
    deadline: float
    handles: Handles
    failure: BaseException | None = None


class HostLinker:
    """A linker with host functions, for the components of one engine that import nothing else.

    Args:
        runs: the runs in progress by the address of their store's context.

    Raises:
        ValueError: a host function or resource is not one that the platform knows, or is there twice.
    """

    def __init__(
        self,
        engine: wasmtime.Engine,
        functions: Iterable[HostFunction],
        runs: dict[int, Run],
        resources: Iterable[HostResource] = (),
    ) -> None:
        self._runs = runs
        self._callbacks: list[object] = []  # the engine calls these as long as the linker lives
        self.available: dict[str, dict[str, str]] = {}
        self.linker = Linker(engine)
        self._destructor = capi.Destructor(self._drop)
        items: list[HostFunction | HostResource] = [*resources, *functions]
        by_interface: dict[str, dict[str, HostFunction | HostResource]] = {}
        for item in items:
            if by_interface.setdefault(item.interface, {}).setdefault(item.name, item) is not item:
                raise ValueError(f"{item.interface}.{item.name} is there twice")
        with self.linker.root() as root:
            for interface, members in by_interface.items():
                with root.add_instance(interface) as instance:
                    for item in members.values():
                        self._add(instance, item)

    def _add(self, instance: LinkerInstance, item: HostFunction | HostResource) -> None:
        type_ = item_type(item.interface, item.name)
        if isinstance(item, HostFunction) and isinstance(type_, Function):
            error = self._add_function(instance, item, type_)
        elif isinstance(item, HostResource) and isinstance(type_, Resource):
            error = self._add_resource(instance, item, type_)
        else:
            raise ValueError(f"{item.interface}.{item.name} is not in the WIT package")
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)  # noqa: SLF001 - the binding's only way
        self.available.setdefault(track(item.interface), {})[item.name] = signature(item.interface, type_)

    def _add_function(self, instance: LinkerInstance, function: HostFunction, type_: Function) -> Any:
        callback = capi.HostCallback(self._callback(function, type_))
        self._callbacks.append(callback)
        return ffi.wasmtime_component_linker_instance_add_func(
            instance.ptr(),
            *_text(function.name),
            ctypes.cast(callback, ffi.wasmtime_component_func_callback_t),
            None,
            _NO_FINALIZER,
        )

    def _add_resource(self, instance: LinkerInstance, resource: HostResource, type_: Resource) -> Any:
        kind = ResourceType.host(resource_id(type_.name))
        return ffi.wasmtime_component_linker_instance_add_resource(
            instance.ptr(),
            *_text(resource.name),
            kind.ptr(),
            ctypes.cast(self._destructor, ffi.wasmtime_component_resource_destructor_t),
            None,
            _NO_FINALIZER,
        )

    def _drop(self, _env: Any, context: int, number: int) -> int:
        self._runs[context].handles.drop(number)
        return 0

    def _callback(self, function: HostFunction, type_: Function) -> Callable[..., int]:
        runs, call, place = self._runs, function.call, f"{function.interface}.{function.name}"
        codec: FunctionCodec | None = None

        def callback(_env: Any, context: int, _type: Any, arguments: int, _n: int, results: int, _m: int) -> int:
            nonlocal codec
            run = runs[context]
            try:
                if codec is None:  # a process rarely calls them all, and starts sooner without
                    codec = FunctionCodec(type_)
                values = codec.lift_params(arguments, Budget(MAX_ARGUMENT_BYTES, run.deadline, run.handles))
                codec.lower_result(call(run.state, *values), results, run.handles)
            except TooLarge:
                detail = f"One call of {place} may hand over {MAX_ARGUMENT_BYTES:,} bytes, and had more."
                run.failure = OrielError("host_budget_exceeded", detail)
            except TooManyHandles:
                detail = f"An execution may hold {MAX_HANDLES:,} resources at once, and wanted more."
                run.failure = OrielError("host_budget_exceeded", detail)
            except TooLate:
                run.failure = OrielError("deadline_exceeded", f"The time was up in a call of {place}.")
            except BaseException as error:
                run.failure = error
            else:
                return 0
            return capi.new_error(_FAILED)

        return callback


def _text(name: str) -> tuple[Any, int]:
    """A name as the C API takes it: a pointer and a length."""
    data = name.encode()
    return ctypes.create_string_buffer(data, len(data)), len(data)
