"""The WIT world of one extension, generated from the capabilities of its manifest."""

import shutil
from collections.abc import Collection
from pathlib import Path

from oriel.capabilities import CAPABILITIES, WIT_PACKAGE, WIT_VERSION

WORLD = "component"
_ROOT = Path(__file__).resolve().parents[2]
_PACKAGED = Path(__file__).resolve().parents[1] / "_data" / "wit"


def wit_dir() -> Path:
    """The folder of the WIT package `oriel:extension`: in a wheel the packaged copy, in a checkout `wit/`."""
    return _PACKAGED if _PACKAGED.is_dir() else _ROOT / "wit"


def interfaces_for(capabilities: Collection[str]) -> list[str]:
    """The interfaces, beyond those that are always there, that these capabilities open; ordered."""
    asked = (CAPABILITIES[name] for name in capabilities)
    return sorted({item.interface for item in asked if item.interface is not None and not item.always})


def world_text(capabilities: Collection[str]) -> str:
    """The world as WIT text."""
    imports = "".join(
        f"  import {WIT_PACKAGE}/{interface}@{WIT_VERSION};\n" for interface in interfaces_for(capabilities)
    )
    return (
        "package oriel:built@1.0.0;\n\n"
        f"world {WORLD} {{\n"
        f"  include {WIT_PACKAGE}/extension@{WIT_VERSION};\n"
        f"{imports}"
        "}\n"
    )


def write_world(folder: Path, capabilities: Collection[str]) -> Path:
    """The world with the package it refers to, as componentize tools read it; returns the new folder."""
    wit = folder / "wit"
    shutil.copytree(wit_dir(), wit / "deps" / "oriel-extension")
    (wit / "world.wit").write_text(world_text(capabilities), encoding="utf-8")
    return wit
