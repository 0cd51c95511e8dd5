"""Long strings without copies in between: Python's own UTF-8, read and written where it lies.

A string that goes by way of a bytes object and a block of the arena is copied twice more than it must be. For short
ones that is the fastest way; for long ones it is what they cost. What is called here is CPython's C API, of the stable
ABI since 3.10.
"""

import ctypes

LONG = 4_096  # bytes, or characters

_decode = ctypes.pythonapi["PyUnicode_DecodeUTF8"]  # an object of its own: the module's stays as it is
_decode.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_char_p)
_decode.restype = ctypes.py_object

_utf8_address = ctypes.pythonapi["PyUnicode_AsUTF8AndSize"]
_utf8_address.argtypes = (ctypes.py_object, ctypes.c_void_p)
_utf8_address.restype = ctypes.c_void_p

_bytes_address = ctypes.pythonapi["PyBytes_AsString"]
_bytes_address.argtypes = (ctypes.py_object,)
_bytes_address.restype = ctypes.c_void_p


def text_at(address: int, size: int) -> str:
    """The string whose `size` bytes of UTF-8 stand at `address`."""
    text: str = _decode(address, size, None)
    return text


def utf8_of(text: str) -> tuple[object, int, int]:
    """A string's UTF-8: what holds it, its size in bytes, and its address. ASCII stands in the string itself.

    Raises:
        UnicodeEncodeError: it has a lone surrogate.
    """
    if text.isascii():
        return text, len(text), _utf8_address(text, None)
    data = text.encode()
    return data, len(data), _bytes_address(data)
