"""Run one benchmark and print its results."""

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path

from benchmarks.measure import Result


def names() -> list[str]:
    """Every module of this package that has a `run`."""
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return [name for name in found if hasattr(importlib.import_module(f"benchmarks.{name}"), "run")]


def show(result: Result) -> str:
    return f"{result.name:<44} {result.value:>12,.3f} {result.unit}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=sys.modules["benchmarks"].__doc__)
    parser.add_argument("name", nargs="?", help="which one; without it, list them")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    if options.name is None:
        print(*names(), sep="\n")
        return 0
    if options.name not in names():
        print(f"There is no benchmark '{options.name}'. There are: {', '.join(names())}", file=sys.stderr)
        return 2
    for result in importlib.import_module(f"benchmarks.{options.name}").run():
        print(json.dumps(result._asdict()) if options.json else show(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
