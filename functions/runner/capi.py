"""The functions of wasmtime's C API that every run calls, with plain addresses where the binding has pointer objects.

The stock binding is used for all that happens once: engines, components, linkers. What happens on each request is
called from here, because making ctypes pointers costs more than the calls themselves.

What may take long releases the GIL. What takes less than a microsecond keeps it (`_brief`): giving it away there could
mean waiting for it for milliseconds.
"""

import ctypes
from ctypes import c_bool, c_char_p, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

from wasmtime import _ffi as ffi

_keeping_gil = ctypes.PyDLL(ffi.dll._name, handle=ffi.dll._handle)  # noqa: SLF001 - the library that is loaded


def _function(name: str, result: Any, *arguments: Any, library: ctypes.CDLL = ffi.dll) -> Any:
    function = library[name]  # an object of its own: the binding's types stay as they are
    function.restype = result
    function.argtypes = arguments
    return function


def _brief(name: str, result: Any, *arguments: Any) -> Any:
    return _function(name, result, *arguments, library=_keeping_gil)


value_clone = _function("wasmtime_component_val_clone", None, c_void_p, c_void_p)
value_delete = _function("wasmtime_component_val_delete", None, c_void_p)

store_new = _brief("wasmtime_store_new", c_void_p, c_void_p, c_void_p, c_void_p)
store_context = _brief("wasmtime_store_context", c_void_p, c_void_p)
store_limiter = _brief(
    "wasmtime_store_limiter", None, c_void_p, c_int64, c_int64, c_int64, c_int64, c_int64
)  # store, memory bytes, table elements, instances, tables, memories
store_delete = _function("wasmtime_store_delete", None, c_void_p)
set_epoch_deadline = _brief("wasmtime_context_set_epoch_deadline", None, c_void_p, c_uint64)
increment_epoch = _brief("wasmtime_engine_increment_epoch", None, c_void_p)

instantiate = _function("wasmtime_component_linker_instantiate", c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)
get_function = _brief("wasmtime_component_instance_get_func", c_bool, c_void_p, c_void_p, c_void_p, c_void_p)
call_function = _function(
    "wasmtime_component_func_call", c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t
)

resource_new = _brief(
    "wasmtime_component_resource_host_new", c_void_p, c_bool, c_uint32, c_uint32
)  # owned, number, type
resource_number = _brief("wasmtime_component_resource_host_rep", c_uint32, c_void_p)
resource_delete = _brief("wasmtime_component_resource_host_delete", None, c_void_p)
resource_to_any = _brief("wasmtime_component_resource_host_to_any", c_void_p, c_void_p, c_void_p, c_void_p)
any_to_resource = _brief("wasmtime_component_resource_any_to_host", c_void_p, c_void_p, c_void_p, c_void_p)
any_delete = _brief("wasmtime_component_resource_any_delete", None, c_void_p)

_set_fuel = _brief("wasmtime_context_set_fuel", c_void_p, c_void_p, c_uint64)
_get_fuel = _brief("wasmtime_context_get_fuel", c_void_p, c_void_p, c_void_p)
_error_new = _brief("wasmtime_error_new", c_void_p, c_char_p)
_error_delete = _brief("wasmtime_error_delete", None, c_void_p)
_error_message = _function("wasmtime_error_message", None, c_void_p, c_void_p)
_trap_code = _brief("wasmtime_trap_code", c_bool, c_void_p, c_void_p)

HostCallback = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)
"""(environment, context, type, arguments, their count, results, their count) to an error's address, or 0."""

Destructor = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_void_p, c_uint32)
"""(environment, context, the resource's number) to an error's address, or 0."""


class Instance(ctypes.Structure):
    """Room for a `wasmtime_component_instance_t`."""

    _fields_ = ffi.wasmtime_component_instance_t._fields_


class Function(ctypes.Structure):
    """Room for a `wasmtime_component_func_t`."""

    _fields_ = ffi.wasmtime_component_func_t._fields_


def set_fuel(context: int, fuel: int) -> None:
    """Raises `RuntimeError` where the engine counts no fuel."""
    if error := _set_fuel(context, fuel):
        raise RuntimeError(take_error(error)[1])


def fuel_left(context: int) -> int:
    """Raises `RuntimeError` where the engine counts no fuel."""
    left = c_uint64()
    if error := _get_fuel(context, ctypes.byref(left)):
        raise RuntimeError(take_error(error)[1])
    return left.value


def new_error(message: bytes) -> int:
    """The address of an error that the engine takes over when a host function returns it."""
    address: int = _error_new(message)
    return address


def take_error(error: int) -> tuple[int | None, str]:
    """The trap code, where it is a trap, and the message of an error, which is freed.

    An error that carries a trap has the trap's layout; `wasmtime_trap_code` reads it as one, and answers False for
    the others.
    """
    code = c_uint8()
    is_trap = _trap_code(error, ctypes.byref(code))
    message = ffi.wasm_byte_vec_t()
    _error_message(error, ctypes.byref(message))
    text = ctypes.string_at(message.data, message.size).decode(errors="replace")
    ffi.wasm_byte_vec_delete(ctypes.byref(message))
    _error_delete(error)
    return (code.value if is_trap else None), text
