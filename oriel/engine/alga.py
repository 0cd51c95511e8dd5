"""The interfaces of `alga:extension`, as `tools/signatures.py` recorded them from `alga.wit`.

Rules kept here:

- The package has no version, and its interfaces are known by what they are. Components name the same parameters
  differently, which changes nothing at the boundary: here parameters are known by their place alone. The names of
  fields and cases count as ever.
- Toolchains keep every import of the world, used or not: that an interface is imported asks for nothing.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from oriel.engine import types

PACKAGE = "alga:extension"
PREFIX = f"{PACKAGE}/"


@lru_cache(maxsize=1)
def alga_types() -> Mapping[str, Mapping[str, types.Function]]:
    """The functions of each interface; '' has the export."""
    recorded = json.loads(files("oriel.engine").joinpath("alga.json").read_text())
    return {
        interface: {name: types.function_from_json(function) for name, function in functions.items()}
        for interface, functions in recorded["interfaces"].items()
    }


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
