"""What the functions' packages hold, from the sources: each module that a function can come to is in its package."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.stack import ROOT, plain
from tools.package import ELSEWHERE, PARTS

OWN = {"oriel", "gateway", "runner", "registry"}
DISTRIBUTION = {"jwt": "pyjwt", "uuid_utils": "uuid-utils", "pydantic_core": "pydantic-core"}
ENTRIES = {
    "gateway": "gateway.on_lambda",
    "events": "gateway.on_events",
    "runner": "runner.on_lambda",
    "registry": "registry.on_lambda",
    "publisher": "registry.on_queue",
}
# Imported by a function's code, and never by the function: what each is for, and why it does not come to that here.
NEVER = {
    "oriel.keyring": "keys are in KMS and Secrets Manager",
    "oriel.store.sql": "the store is DynamoDB",
    "oriel.blobs.files": "blobs are in S3",
    "starlette": "the runner's HTTP app",
    "runner.app": "the runner is called by name",
}
# Libraries of code that only another function comes to.
ELSEWHERE_USED = {
    "events": {"botocore", "httpx", "jsonschema"},
    "gateway": {"botocore", "httpx", "jsonschema"},  # of keys, of one machine's transport, of setting configuration
    "runner": {"botocore", "jsonschema", "wasmtime"},  # and wasmtime is in the layer
    "registry": set(),
    "publisher": {"wasmtime"},
}


def source_of(module):
    root = ROOT if module.startswith("oriel") else ROOT / "functions"
    path = root.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def imported(path):
    """The modules that a file imports anywhere but for its types, its lazy exports among them."""
    tree = ast.parse(path.read_text())
    found = set()
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and "exports(" not in path.read_text()
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def is_never(module):
    return any(module == name or module.startswith(f"{name}.") for name in NEVER)


@cache
def reachable(entry):
    """Every module of our own that a function can come to, and every other name that it may import."""
    own, others, waiting = set(), set(), [entry, "oriel"]
    while waiting:
        module = waiting.pop()
        if module in own or is_never(module):
            continue
        if module.partition(".")[0] not in OWN:
            others.add(module.partition(".")[0])
            continue
        path = source_of(module)
        if path is None:
            continue  # a name in a module
        own.add(module)
        parents = module.split(".")
        waiting += [".".join(parents[:depth]) for depth in range(1, len(parents))]
        waiting += imported(path)
    return own, others - set(sys.stdlib_module_names) - {"runner", "botocore_session"}


PACKAGE_OF = {"events": "gateway"}


def locked(part):
    lock = PARTS[PACKAGE_OF.get(part, part)].lock
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


@pytest.mark.parametrize(("part", "entry"), ENTRIES.items())
def test_every_module_that_a_function_comes_to_is_in_its_package(part, entry):
    own, _ = reachable(entry)
    packed = PARTS[PACKAGE_OF.get(part, part)]
    left_out = tuple(Path(path) for path in (*ELSEWHERE, *packed.without))
    paths = {module: Path(*module.split(".")) for module in own}
    missing = {m for m, path in paths.items() if any(out.with_suffix("") in (path, *path.parents) for out in left_out)}
    assert missing == set()
    assert {module.partition(".")[0] for module in own} <= {"oriel", *packed.rooms}


@pytest.mark.parametrize(("part", "entry"), ENTRIES.items())
def test_every_library_that_a_function_imports_is_in_its_lock(part, entry):
    _, others = reachable(entry)
    wanted = {DISTRIBUTION.get(name, name) for name in others}
    assert wanted - locked(part) == ELSEWHERE_USED[part]


def test_functions_with_the_engine_have_its_layer():
    resources = plain()["Resources"]
    with_layer = {name for name, resource in resources.items() if resource.get("Properties", {}).get("Layers")}
    assert with_layer == {"RunnerFunction", "PublisherFunction", "RebuildFunction"}
