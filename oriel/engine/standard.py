"""The standard interfaces: WASI 0.2 as `tools/wasi.py` recorded it, for components that were not made for Oriel.

Rules kept here:

- A release of WASI 0.2 takes nothing away and changes no type, so an interface is known by its track: a component that
  names `wasi:io/poll@0.2.0` and one that names `@0.2.12` mean `wasi:io/poll@0.2`. The engine's linker does the same.
- Only releases are on a track: `0.2.0-rc-2023-11-10` is another interface, and is not offered.
- That an interface is offered says that components link, not that they are given anything: see `runner.wasi`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from oriel.engine import types

INCOMING_HANDLER = "wasi:http/incoming-handler@0.2"
"""The interface that a standard HTTP component exports, with the function `handle`."""

OUTGOING_HANDLER = "wasi:http/outgoing-handler@0.2"

_RELEASE = re.compile(r"(wasi:[a-z0-9/-]+@0\.2)\.[0-9]+")
_VERSION = re.compile(r"@[^@]*$")


def track(interface: str) -> str:
    """The track of a WASI interface; any other name as it is."""
    match = _RELEASE.fullmatch(interface)
    return match[1] if match else interface


def unversioned(interface: str) -> str:
    """`wasi:io/poll` for `wasi:io/poll@0.2.3`."""
    return _VERSION.sub("", interface)


@lru_cache(maxsize=1)
def standard_types() -> Mapping[str, Mapping[str, types.Item]]:
    """Functions and resources of each interface, by track; the incoming handler among them."""
    return types.recorded("wasi.json", types.item_from_json)


@lru_cache(maxsize=1)
def standard() -> Mapping[str, Mapping[str, str]]:
    """The signatures of what a component may import."""
    return {
        interface: {name: str(item) for name, item in items.items()}
        for interface, items in standard_types().items()
        if interface != INCOMING_HANDLER
    }
