"""The ways into a component, and what becomes of a request and of an answer on each.

| the component exports | it is called with | its answer |
|---|---|---|
| `handler` of `oriel:extension` | the request itself | what it returns |
| `handler` of `alga:extension` | the request in its form | what it returns, in ours |
| `handle` of `wasi:http/incoming-handler` | two resources of the host's | what it has put into the second one |

The request goes in as `types.request`, and the answer comes out as `types.response`, whichever way is taken: nobody
behind the sandbox knows the difference.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct
from wasmtime.component import Component, ExportIndex

from oriel.engine import inspect
from oriel.engine.standard import INCOMING_HANDLER, standard_types
from oriel.engine.types import Function
from runner.alga.handler import AlgaCall
from runner.codec import FunctionCodec, function_codec
from runner.linking import HostFunction, HostResource


class Call(Protocol):
    """One call of a component."""

    @property
    def arguments(self) -> Sequence[Any]:
        """What the function is called with."""
        ...

    def answer(self, returned: Any) -> dict[str, Any]:
        """`types.response`, from what the function returned; `OrielError` where there is none."""
        ...


class Standard(Struct, frozen=True):
    """What standard components are linked with, and how a standard HTTP component is called.

    Attributes:
        incoming: begins a call for a request (`types.request`) and the state of the run.
    """

    functions: tuple[HostFunction, ...]
    resources: tuple[HostResource, ...]
    incoming: Callable[[dict[str, Any], Any], Call]


class Entry(Struct, frozen=True):
    """A way in: how its function is called, and how a call of it begins."""

    codec: FunctionCodec
    begin: Callable[[dict[str, Any], Any], Call]


class _Direct:
    """A call of `handler`."""

    __slots__ = ("arguments",)

    def __init__(self, request: dict[str, Any], _state: Any) -> None:
        self.arguments = (request,)

    def answer(self, returned: Any) -> dict[str, Any]:
        response: dict[str, Any] = returned
        return response


def entry_of(component: Component, shape: inspect.Shape, standard: Standard | None) -> tuple[Entry, ExportIndex]:
    """The way into a component, and the function to call.

    Raises:
        InvalidInput: `invalid_component`, where it has none that can be taken.
    """
    interface, kind = inspect.incoming_interface(shape), inspect.handler_kind(shape)
    if kind == "wasi-http" and interface is not None and standard is not None:
        entry = Entry(_codec(standard_types()[INCOMING_HANDLER][inspect.INCOMING]), standard.incoming)
        index = component.get_export_index(inspect.INCOMING, component.get_export_index(interface))
    else:
        is_alga = kind == "alga"
        codec = _codec(inspect.handler_type("alga" if is_alga else "oriel"))
        entry = Entry(codec, AlgaCall if is_alga else _Direct)
        index = component.get_export_index(inspect.HANDLER)
    if index is None:
        raise inspect.invalid(list(inspect.handler_findings(shape)))
    return entry, index


def _codec(type_: object) -> FunctionCodec:
    if not isinstance(type_, Function):
        raise TypeError(f"{type_} is no function")
    return function_codec(type_)
