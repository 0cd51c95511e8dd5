"""The WIT world of one extension, generated from the capabilities of its manifest.

There are two kinds: that of `oriel:extension`, and that of a standard HTTP component, which has another way in and may
import the same interfaces beside WASI.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

from oriel.capabilities import CAPABILITIES, WIT_PACKAGE, WIT_VERSION

WORLD = "component"
WASI_HTTP = "0.2.10"  # the release that componentize-js 0.23 is made for; it links with no other at build time
_ROOT = Path(__file__).resolve().parents[2]
_PACKAGED = Path(__file__).resolve().parents[1] / "_data" / "wit"


def wit_dir() -> Path:
    """The folder of the WIT package `oriel:extension`: in a wheel the packaged copy, in a checkout `wit/`."""
    return _PACKAGED if _PACKAGED.is_dir() else _ROOT / "wit"


def interfaces_for(capabilities: Collection[str]) -> list[str]:
    """The interfaces, beyond those that are always there, that these capabilities open; ordered."""
    asked = (CAPABILITIES[name] for name in capabilities)
    return sorted({item.interface for item in asked if item.interface is not None and not item.always})


# As much of `wasi:http` as a world needs to name its export; the toolchain has the rest.
_WASI_HTTP = f"""package wasi:http@{WASI_HTTP};

interface types {{
  resource incoming-request;
  resource response-outparam;
}}

interface incoming-handler {{
  use types.{{incoming-request, response-outparam}};
  handle: func(request: incoming-request, response-out: response-outparam);
}}
"""
_STANDARD = f"""  import {WIT_PACKAGE}/context@{WIT_VERSION};
  import {WIT_PACKAGE}/log@{WIT_VERSION};
  export wasi:http/incoming-handler@{WASI_HTTP};
"""
_OWN = f"  include {WIT_PACKAGE}/extension@{WIT_VERSION};\n"


def world_text(capabilities: Collection[str], *, standard: bool = False) -> str:
    """The world as WIT text; `standard` makes it that of a standard HTTP component."""
    imports = "".join(
        f"  import {WIT_PACKAGE}/{interface}@{WIT_VERSION};\n" for interface in interfaces_for(capabilities)
    )
    return f"package oriel:built@1.0.0;\n\nworld {WORLD} {{\n{_STANDARD if standard else _OWN}{imports}}}\n"


def write_world(folder: Path, capabilities: Collection[str], *, standard: bool = False) -> Path:
    """The world with the package it refers to, as componentize tools read it; returns the new folder."""
    wit = folder / "wit"
    shutil.copytree(wit_dir(), wit / "deps" / "oriel-extension")
    if standard:
        (wit / "deps" / "wasi-http.wit").write_text(_WASI_HTTP, encoding="utf-8")
    (wit / "world.wit").write_text(world_text(capabilities, standard=standard), encoding="utf-8")
    return wit
