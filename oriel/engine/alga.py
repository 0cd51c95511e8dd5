"""The interfaces of `alga:extension`, as `tools/signatures.py` recorded them from `alga.wit`.

Rules kept here:

- The package has no version, and its interfaces are known by what they are. Components name the same parameters
  differently, which changes nothing at the boundary: here parameters are known by their place alone. The names of
  fields and cases count as ever.
- Toolchains keep every import of the world, used or not: that an interface is imported asks for nothing.
"""

from collections.abc import Mapping
from functools import lru_cache

from oriel.engine import types

PACKAGE = "alga:extension"
PREFIX = f"{PACKAGE}/"


@lru_cache(maxsize=1)
def alga_types() -> Mapping[str, Mapping[str, types.Function]]:
    """The functions of each interface; '' has the export."""
    return types.recorded("alga.json", types.function_from_json)


@lru_cache(maxsize=1)
def alga() -> Mapping[str, Mapping[str, str]]:
    """The signatures of what a component may import."""
    return {
        interface: {name: signature(function) for name, function in functions.items()}
        for interface, functions in alga_types().items()
        if interface
    }


def signature(function: types.Function) -> str:
    """The canonical text with parameters by their place."""
    named = ((str(at), type_) for at, (_, type_) in enumerate(function.params))
    return str(types.Function(tuple(named), function.result))
