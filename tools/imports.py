"""What a function comes to: every module of ours that its handler imports, at once or later, read off the sources.

Packages hold these modules (`tools/package.py`), roles are held against them (tests/deployment/test_permissions.py).

Rules kept here:

- An import counts wherever it stands, but for what only types need. Of a package that exports lazily (`oriel.lazy`)
  the modules count whose names are imported; all of them, where the package is bound by its own name.
- What is named by a string is written down here, beside who names it; so is what a function's code could import and
  never does.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
OWN = {"oriel", "gateway", "runner", "registry"}
ENTRIES = {
    "gateway": "gateway.on_lambda",
    "events": "gateway.on_events",
    "runner": "runner.on_lambda",
    "registry": "registry.on_lambda",
    "publisher": "registry.on_queue",
    "library": "registry.on_deploy",
    "migration": "registry.on_migration",
}
# Named by a string, in the module that stands first.
BY_NAME = {
    "runner.host.table": ("runner.host.events", "runner.host.schedule"),
    "oriel.store.migrating": (
        "oriel.store.sql.migrations.env",
        "oriel.store.sql.migrations.tenancy",
        "oriel.store.sql.migrations.versions.v0001_baseline",
    ),
    "registry.compiling": ("registry.limited", "oriel.engine.compile"),
}
# Imported by a function's code, and never by the function: what each is for, and why it does not come to that in AWS.
NEVER = {
    "oriel.keyring": "keys are in KMS and Secrets Manager",
    "runner.app": "the runner is called by name",
}


class Reached(NamedTuple):
    """Modules of ours, and the top-level names of the libraries that they import."""

    own: frozenset[str]
    libraries: frozenset[str]


@cache
def reachable(entry: str, *, later: bool = True) -> Reached:
    """Everything that the module `entry` can come to.

    Args:
        later: what functions import when they are called, too; otherwise what is imported with `entry`.
    """
    own: set[str] = set()
    libraries: set[str] = set()
    seen: set[Import] = set()
    waiting = [Import(entry)]
    while waiting:
        asked = waiting.pop()
        if asked in seen or _is_never(asked.module):
            continue
        seen.add(asked)
        if asked.module.partition(".")[0] not in OWN:
            libraries.add(asked.module.partition(".")[0])
            continue
        path = source_of(asked.module)
        if path is None:  # a name in a module
            package, _, name = asked.module.rpartition(".")
            waiting.append(Import(exported(package).get(name, package), whole=False))
            continue
        parents = asked.module.split(".")
        waiting += [Import(".".join(parents[:depth]), whole=False) for depth in range(1, len(parents))]
        if later and asked.whole:
            waiting += [Import(home) for home in exported(asked.module).values()]
        if asked.module not in own:
            own.add(asked.module)
            waiting += _imported(path, later=later)
            waiting += [Import(name) for name in BY_NAME.get(asked.module, ()) if later]
    return Reached(frozenset(own), frozenset(libraries - sys.stdlib_module_names))


def source_of(module: str) -> Path | None:
    """The file of a module of ours; None where there is no such module."""
    root = ROOT if module.partition(".")[0] == "oriel" else ROOT / "functions"
    path = root.joinpath(*module.split("."))
    return next((at for at in (path.with_suffix(".py"), path / "__init__.py") if at.is_file()), None)


class Import(NamedTuple):
    """A module or a name in it; `whole` where a package is bound by its own name, so that any export may be meant."""

    module: str
    whole: bool = True


def _is_never(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in NEVER)


@cache
def exported(package: str) -> dict[str, str]:
    """The names that a package exports lazily (`oriel.lazy`), by the module that each comes from."""
    path = source_of(package)
    if path is None or path.name != "__init__.py":
        return {}
    for node in _tree(path).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func) == "exports"
        ):
            homes: dict[str, str] = ast.literal_eval(node.value.args[1])
            return {name: f"{package}.{module}" for module, names in homes.items() for name in names.split()}
    return {}


@cache
def _imported(path: Path, *, later: bool) -> tuple[Import, ...]:
    found: list[Import] = []
    for node in _run_nodes(_tree(path), later=later):
        if isinstance(node, ast.Import):
            found += [Import(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [Import(f"{node.module}.{alias.name}") for alias in node.names]
    return tuple(found)


def _run_nodes(tree: ast.AST, *, later: bool) -> Iterator[ast.stmt]:
    """Every statement but those that only types need, and those in functions where `later` is false."""
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not later:
            continue
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):  # no expression holds a statement
            waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.stmt):
            yield node


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
