"""What the functions' packages hold, read off the folders that `sam build` filled: no less, no more, the same twice."""

import hashlib
import re
import subprocess
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.support.lambdas import ARCH, built
from tests.support.stack import ROOT, chosen
from tools.imports import BY_NAME, ENTRIES, NEVER, OWN, reachable, source_of
from tools.lambda_python import lambda_python
from tools.package import PARTS, package

FOLDERS = {
    "gateway": "GatewayFunction",
    "events": "EventsFunction",
    "runner": "RunnerFunction",
    "registry": "RegistryFunction",
    "publisher": "PublisherFunction",
    "library": "LibraryFunction",
    "migration": "MigrationFunction",
    "wasmtime": "WasmtimeLayer",
    "postgresql": "PostgresqlLayer",
}
FUNCTIONS = tuple(ENTRIES)
OTHER_ARCH = {"x86_64": "arm64", "arm64": "x86_64"}[ARCH]
MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "arm64"}  # e_machine of an ELF header, little endian
MEGABYTE = 1_000_000
DISTRIBUTIONS = {"uuid_utils": "uuid-utils", "pydantic_core": "pydantic-core"}
# Libraries of code that only another function comes to.
IN_POSTGRESQL = {"alembic", "sqlalchemy"}  # which a layer brings, where the store is PostgreSQL
ELSEWHERE_USED = {
    "gateway": {"botocore", "httpx"},  # of keys, and of one machine's transport
    "events": {"botocore", "httpx"},
    "runner": {"botocore", "wasmtime"},  # and wasmtime is in the layer
    "registry": set(),
    "publisher": {"wasmtime"},
    "library": {"botocore"},
    "migration": {"botocore"},
}
NO_CODE = {"tzdata"}  # time zones, which the standard library reads


def folder_of(part):
    return built() / FOLDERS[part]


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def size_of(*parts):
    return sum(path.stat().st_size for part in parts for path in files_of(folder_of(part)).values())


def digests(folder):
    """Everything that an archive of the folder would hold: bytes, times and modes."""
    return {
        name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime, path.stat().st_mode)
        for name, path in files_of(folder).items()
    }


def locked(part):
    text = (ROOT / "requirements" / f"{PARTS[part].lock}.txt").read_text()
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def machines(folder):
    """The architectures of the folder's native code, by its files."""
    found = {}
    for name, path in files_of(folder).items():
        with path.open("rb") as file:
            head = file.read(20)
        if head[:4] == b"\x7fELF":
            found[name] = MACHINES.get(head[18:20], head[18:20].hex())
        else:
            assert not re.search(r"\.(so|dylib|pyd|dll)\b", name), f"{name} is native code of no Linux"
    return found


def test_the_runner_with_its_layer_and_the_gateway_are_small():
    assert size_of("runner", "wasmtime") < 120 * MEGABYTE
    assert size_of("gateway") < 60 * MEGABYTE
    assert size_of("runner", "wasmtime", "postgresql") < 120 * MEGABYTE


@pytest.mark.parametrize("part", FUNCTIONS)
def test_a_package_holds_the_modules_that_its_function_comes_to_and_no_other(part):
    held = {name for name in files_of(folder_of(part)) if name.endswith(".py") and name.split("/")[0] in OWN}
    sources = {module: source_of(module) for module in reachable(ENTRIES[part]).own}
    ends = {module: "/__init__.py" if path.name == "__init__.py" else ".py" for module, path in sources.items()}
    wanted = {module.replace(".", "/") + end for module, end in ends.items()}
    assert held == wanted


def test_what_is_named_by_a_string_or_never_imported_is_there():
    named = {*NEVER, *BY_NAME, *(module for modules in BY_NAME.values() for module in modules)}
    assert {module for module in named if source_of(module) is None} == set()


@pytest.mark.parametrize("part", FUNCTIONS)
def test_every_library_that_a_function_imports_is_in_its_lock(part):
    wanted = {DISTRIBUTIONS.get(name, name) for name in reachable(ENTRIES[part]).libraries}
    assert wanted - locked(part) - IN_POSTGRESQL == ELSEWHERE_USED[part]
    assert locked("postgresql") >= IN_POSTGRESQL


@pytest.mark.parametrize("part", FUNCTIONS)
def test_a_lock_has_no_library_that_neither_its_function_nor_another_of_its_libraries_imports(part):
    waiting = {DISTRIBUTIONS.get(name, name) for name in reachable(ENTRIES[part]).libraries}
    waiting -= ELSEWHERE_USED[part] | IN_POSTGRESQL
    wanted = set()
    while waiting:
        wanted |= waiting
        waiting = {needed for name in waiting for needed in requirements_of(name, folder_of(part))} & locked(
            part
        ) - wanted
    assert locked(part) - wanted == NO_CODE & locked(part)


def requirements_of(distribution, folder):
    """What it needs, by its own word, without extras; other versions of Python than Lambda's may be meant."""
    described = next(folder.glob(f"{distribution.replace('-', '_')}-*.dist-info/METADATA"))
    lines = HeaderParser().parsestr(described.read_text()).get_all("Requires-Dist", [])
    names = (re.match(r"[A-Za-z0-9._-]+", line)[0] for line in lines if "extra ==" not in line)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


BYTECODE = """
import importlib.util, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.py")):
    code = pathlib.Path(importlib.util.cache_from_source(path))
    unchecked = importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little")
    if not code.is_file() or code.read_bytes()[:16] != unchecked + importlib.util.source_hash(path.read_bytes()):
        print(path)
"""


@pytest.mark.parametrize("part", FOLDERS)
def test_every_module_has_bytecode_of_its_source_for_lambdas_python_that_nobody_checks_again(part):
    command = [lambda_python(), "-c", BYTECODE, folder_of(part)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""
    names = list(files_of(folder_of(part)))
    assert sum(name.endswith(".pyc") for name in names) == sum(name.endswith(".py") for name in names)


@pytest.mark.parametrize("part", FOLDERS)
def test_native_code_is_of_the_architecture_that_was_asked_for(part):
    found = machines(folder_of(part))
    assert found
    assert set(found.values()) == {ARCH}


def test_a_function_and_the_layer_are_built_for_the_other_architecture_too(tmp_path):
    """And all but native code and its wheels' own words is the same on both."""
    for part in ("gateway", "wasmtime"):
        package(PARTS[part], OTHER_ARCH, tmp_path / part)
        there, here = machines(tmp_path / part), machines(folder_of(part))
        assert there
        assert set(there.values()) == {OTHER_ARCH}
        assert len(there) == len(here)
    mine, other = digests(folder_of("gateway")), digests(tmp_path / "gateway")
    different = {name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name)}
    assert {name for name in different if not re.search(r"\.so$|\.dist-info/(WHEEL|sboms/.*)$", name)} == set()


def test_the_same_sources_give_the_same_bytes_in_another_folder_at_another_time(tmp_path):
    package(PARTS["gateway"], ARCH, tmp_path / "again")
    assert digests(tmp_path / "again") == digests(folder_of("gateway"))


@pytest.mark.parametrize("part", FOLDERS)
def test_nothing_in_a_package_knows_where_or_when_it_was_built(part):
    files = files_of(folder_of(part))
    droppings = r"(^|/)(RECORD|INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json|\.lock|\.gitignore)$"
    assert [name for name in files if re.search(droppings, name)] == []
    places = [str(path).encode() for path in (ROOT, built(), Path.home() / ".cache")]
    assert [name for name, path in files.items() if any(place in path.read_bytes() for place in places)] == []
    assert {path.stat().st_mtime for path in folder_of(part).rglob("*")} == {315_532_800}  # 1980, where zip begins


def layers(store):
    functions = {
        name: r for name, r in chosen(Store=store)["Resources"].items() if r["Type"] == "AWS::Lambda::Function"
    }
    return {name: str(function["Properties"].get("Layers", [])) for name, function in functions.items()}


def test_functions_with_the_engine_have_its_layer():
    with_layer = {name for name, named in layers("dynamodb").items() if "WasmtimeLayer" in named}
    assert with_layer == {"RunnerFunction", "PublisherFunction", "RebuildFunction"}


def test_functions_with_a_store_have_the_layer_of_postgresql_where_that_is_the_store_and_nowhere_else():
    assert not [name for name, named in layers("dynamodb").items() if "PostgresqlLayer" in named]
    without = {name for name, named in layers("postgresql").items() if "PostgresqlLayer" not in named}
    assert without == {"LibraryFunction"}
