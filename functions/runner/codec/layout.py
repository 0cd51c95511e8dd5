"""How wasmtime's C API lays values out in memory.

The stock binding asks the C API for every type again on every call and converts `list<u8>` byte by byte. The codec
knows its types beforehand, so it can read and write whole blocks; for that it must know these layouts. They are
checked when this module is imported: another version of the engine is refused, never misread.

    value (32 bytes)     kind at 0 (u8), payload at 8
      scalars            at 8
      string, enum       length at 8, pointer at 16
      list, record, tuple, flags                    count at 8, pointer at 16
      variant            case's name: length at 8, pointer at 16; pointer to value at 24, null without payload
      option             pointer to value at 8, null for none
      resource           pointer to the engine's form of a handle at 8
      result             ok flag (u8) at 8; pointer to value at 16, null without payload
    record field (48)    name: length at 0, pointer at 8; value at 16
    name in flags (16)   length at 0, pointer at 8
"""

import ctypes
import struct
import sys
from typing import Any

from wasmtime import _ffi as ffi

VALUE_SIZE = 32
FIELD_SIZE = 48
FIELD_VALUE = 16
NAME_SIZE = 16
PAYLOAD = 8

STRING, LIST, RECORD, TUPLE, VARIANT, ENUM, OPTION, RESULT, FLAGS, RESOURCE = 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
U8 = 2
CHAR = 11
_KINDS = ("CHAR", "STRING", "LIST", "RECORD", "TUPLE", "VARIANT", "ENUM", "OPTION", "RESULT", "FLAGS", "RESOURCE")

SCALAR_KINDS = {
    "bool": (0, "?"),
    "s8": (1, "b"),
    "u8": (U8, "B"),
    "s16": (3, "h"),
    "u16": (4, "H"),
    "s32": (5, "i"),
    "u32": (6, "I"),
    "s64": (7, "q"),
    "u64": (8, "Q"),
    "f32": (9, "f"),
    "f64": (10, "d"),
}
"""Each scalar's kind, and its payload's letter for `struct`."""

PAIR = struct.Struct("<QQ")
"""Length and pointer, as they stand at 8 of most values and at 0 of a name."""

WORD = struct.Struct("<Q")


def _check() -> None:
    value: Any = ffi.wasmtime_component_val_t
    entry: Any = ffi.wasmtime_component_valrecord_entry_t
    variant: Any = ffi.wasmtime_component_valvariant_t
    result: Any = ffi.wasmtime_component_valresult_t
    expected_kinds = {
        **{f"WASMTIME_COMPONENT_{name.upper()}": kind for name, (kind, _) in SCALAR_KINDS.items()},
        **{f"WASMTIME_COMPONENT_{name}": globals()[name] for name in _KINDS},
    }
    same = (
        sys.byteorder == "little"
        and ctypes.sizeof(ctypes.c_void_p) == 8
        and ctypes.sizeof(value) == VALUE_SIZE
        and value.of.offset == PAYLOAD
        and ctypes.sizeof(entry) == FIELD_SIZE
        and entry.val.offset == FIELD_VALUE
        and ctypes.sizeof(ffi.wasm_name_t) == NAME_SIZE
        and (variant.discriminant.offset, variant.val.offset) == (0, 16)
        and (result.is_ok.offset, result.val.offset) == (0, 8)
        and all(getattr(ffi, name).value == kind for name, kind in expected_kinds.items())
    )
    if not same:
        raise ImportError("this version of wasmtime lays component values out in another way than the codec knows")


_check()
