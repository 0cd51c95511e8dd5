"""A component between two codecs: what goes in on one side comes out on the other, converted twice."""

import ctypes
from collections.abc import Callable
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as wc

from oriel.engine.config import new_engine
from oriel.engine.types import Function
from runner import capi
from runner.codec import Budget, FunctionCodec
from runner.codec.arena import Arena
from runner.codec.layout import VALUE_SIZE
from tests.guests.build import passing

ENGINE = new_engine()
PLENTY = 1 << 30


class Passage:
    """The component of `passing(function)` with a host function behind it that answers what `answer` returns.

    Both sides can be Oriel's codec or the stock binding's, so that each is judged by the other.
    """

    def __init__(self, function: Function, *, stock_host: bool = False) -> None:
        self.codec = FunctionCodec(function)
        self.answer: Callable[..., Any] = lambda *_: None
        self.error: BaseException | None = None
        self.seen: list[Any] = []
        self._linker = wc.Linker(ENGINE)
        with self._linker.root() as root, root.add_instance("host") as host:
            host.add_func("call", self._stock) if stock_host else self._add_ours(host)
        self._component = wc.Component(ENGINE, passing(function))
        self.renew()

    def renew(self) -> None:
        """Go on in a new instance; the guest never frees its own memory."""
        self._store = wasmtime.Store(ENGINE)
        self._store.set_epoch_deadline(1_000_000)
        self._function = self._linker.instantiate(self._store, self._component).get_func(self._store, "call")

    def call(self, *values: Any, budget: Budget | None = None) -> Any:
        """Through our codec into the guest and back; raises what the host side raised."""
        arena = Arena()
        arguments = self.codec.lower_params(values, arena)
        result = ctypes.create_string_buffer(VALUE_SIZE)
        count = int(self.codec.has_result)
        context = ctypes.cast(self._store._context(), ctypes.c_void_p)
        error = capi.call_function(
            ctypes.byref(self._function._func), context, arguments, len(values), result if count else None, count
        )
        if error:
            message = capi.take_error(error)[1]
            raise self.error or RuntimeError(message)
        try:
            return self.codec.lift_result(ctypes.addressof(result), budget or Budget(PLENTY))
        finally:
            if count:
                capi.value_delete(result)

    def stock_call(self, *values: Any) -> Any:
        """Through the stock binding into the guest and back."""
        return self._function(self._store, *values)

    def _stock(self, _store: Any, *values: Any) -> Any:
        self.seen = list(values)
        return self.answer(*values)

    def _add_ours(self, host: wc.LinkerInstance) -> None:
        def callback(_env: Any, _context: Any, _type: Any, arguments: int, _n: int, results: int, _m: int) -> int:
            try:
                self.seen = self.codec.lift_params(arguments, Budget(PLENTY))
                self.codec.lower_result(self.answer(*self.seen), results)
            except BaseException as error:
                self.error = error
                return capi.new_error(b"failed")
            return 0

        self._callback = capi.HostCallback(callback)
        ffi.wasmtime_component_linker_instance_add_func(
            host.ptr(),
            ctypes.create_string_buffer(b"call"),
            4,
            ctypes.cast(self._callback, ffi.wasmtime_component_func_callback_t),
            None,
            ctypes.cast(None, ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        )
