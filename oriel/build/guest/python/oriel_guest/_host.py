"""The way to the host: interfaces that may be missing, calls that may be refused, bodies in the fastest form.

`wit_world` is what componentize-py generates from the extension's own world. It has the interfaces that
manifest.json asks for and no others, so it is imported by name, and what is missing is said in the author's words.
"""

import importlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Any

from oriel_guest.errors import host_error


def interface(name: str, capability: str) -> Any:
    """The generated module of an interface. `ImportError`, naming the capability, where it is not in the world."""
    try:
        return importlib.import_module(f"wit_world.imports.{name}")
    except ModuleNotFoundError:
        raise ImportError(
            f"oriel_guest.{name} needs the capability '{capability}': add it to 'capabilities' in manifest.json, "
            "with a purpose, and build again."
        ) from None


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a host function; its `err` raised as a `HostError`."""
    try:
        return function(*arguments)
    except Exception as error:
        # `componentize_py_types.Err` is the only exception that carries a generated `Error_…` value.
        variant: Any = getattr(error, "value", None)
        name = type(variant).__name__
        if not name.startswith("Error_"):
            raise
        raise host_error(_kebab(name.removeprefix("Error_")), variant.value) from None


def to_body(content: str | bytes | None) -> Any:
    """The variant `body` for content: text where it is text, also for bytes that are UTF-8; else base64.

    A string crosses at memory speed. A `list<u8>` costs the host 32 bytes a byte, so it is not used.
    """
    types = interface("types", "context.read")
    if not content:
        return types.Body_Empty()
    if isinstance(content, str):
        return types.Body_Text(content)
    try:
        return types.Body_Text(content.decode())
    except UnicodeDecodeError:
        return types.Body_Base64(b2a_base64(content, newline=False).decode())


def from_body(body: Any) -> bytes:
    """The bytes of a variant `body`, whichever form it came in."""
    form = type(body).__name__
    if form == "Body_Empty":
        return b""
    if form == "Body_Bytes":
        return bytes(body.value)
    text: str = body.value
    return text.encode() if form == "Body_Text" else a2b_base64(text)


def to_headers(headers: Any) -> list[Any]:
    types = interface("types", "context.read")
    return [types.Header(name, value) for name, value in headers]


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("-")
