"""The environment of processes that are measured: deployed code has its bytecode, so they have it too.

Each run of a process writes what is missing of it, so the first one, which is not counted, is the slow one.
"""

import os

from oriel.build.tools import cache_dir

CACHE = "ORIEL_CACHE_DIR"


def environment(**more: str) -> dict[str, str]:
    """This process's environment without its own settings of a platform, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORIEL_") or name == CACHE}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPYCACHEPREFIX": str(cache_dir() / "benchmarks" / "bytecode"), **more}
