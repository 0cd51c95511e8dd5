"""Building: what goes wrong is said in the author's words, and the last component stays."""

import json
import os
import subprocess
import sys
from functools import partial

import pytest

from oriel.build import COMPONENT, build
from oriel.build.python import GUEST
from oriel.build.toolchain import find_node, toolchain
from oriel.build.tools import cache_dir
from oriel.errors import InvalidInput, OrielError

MANIFEST = {
    "manifest_version": 2,
    "name": "com.acme.broken",
    "publisher": "com.acme",
    "version": "1.0.0",
    "title": "Broken",
}


def written(folder, runtime, main=None, **manifest):
    """A project of a runtime and its main module, with an older component in place."""
    suffix = "py" if "py" in runtime else "js"
    (folder / "src").mkdir()
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, "runtime": runtime, **manifest}))
    if main is not None:
        (folder / "src" / f"main.{suffix}").write_text(main)
    (folder / COMPONENT).parent.mkdir()
    (folder / COMPONENT).write_bytes(b"the last one")
    return folder


@pytest.fixture
def project(tmp_path):
    return partial(written, tmp_path)


def refused(folder):
    with pytest.raises(OrielError) as caught:
        build(folder, progress=lambda _: None)
    assert (folder / COMPONENT).read_bytes() == b"the last one"
    assert [path.name for path in (folder / "dist").iterdir()] == ["main.wasm"]
    assert not list(folder.rglob("__pycache__"))
    return caught.value


# Python: one build that fails, since each takes twenty seconds of a processor.

FAILING = """from oriel_guest import App
app = App()
said = []
for line in ("from oriel_guest import storage", "import httpx"):
    try:
        exec(line)
    except ImportError as error:
        said.append(str(error))
raise ZeroDivisionError("; ".join(said))
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """What was said of a program that fails at its last line."""
    return refused(written(tmp_path_factory.mktemp("failing"), "wasm-py@1", FAILING))


def test_an_error_in_python_comes_with_its_traceback_and_nothing_of_the_tools(failed):
    assert failed.code == "build_failed"
    heading, *traceback = failed.detail.splitlines()
    assert heading == "src/main.py does not build:"
    assert traceback[0] == "Traceback (most recent call last):"
    assert [line for line in traceback if line.startswith('  File "src/')] == [
        '  File "src/main.py", line 9, in <module>'
    ]
    assert traceback[-1].startswith("ZeroDivisionError: ")
    assert "Caused by" not in failed.detail


def test_python_without_the_capability_names_it(failed):
    assert "oriel_guest.storage needs the capability 'storage.kv'" in failed.detail


def test_nothing_of_the_platforms_own_packages_slips_in(failed):
    assert "No module named 'httpx'" in failed.detail


def test_python_without_an_app_says_what_to_write(tmp_path):
    """In plain Python: the entry is what the built component begins with."""
    (tmp_path / "main.py").write_text("def handler(request): pass\n")
    program = "from oriel_guest._entry import world\nworld('main')"
    paths = {**os.environ, "PYTHONPATH": f"{GUEST}{os.pathsep}{tmp_path}"}
    ended = subprocess.run([sys.executable, "-c", program], env=paths, capture_output=True, text=True, check=False)
    assert ended.stderr.endswith(
        "ImportError: src/main.py has no 'app': write 'app = App()' and declare the endpoints on it\n"
    )


# JavaScript


def test_javascript_without_the_capability_names_it_and_the_place(project):
    error = refused(
        project("wasm-js@1", "import { App, storage } from 'oriel';\nstorage.get('a');\nexport default new App();\n")
    )
    assert error.code == "build_failed"
    assert "src/main.js:1:" in error.detail
    assert "'storage.kv' is not among the capabilities in manifest.json" in error.detail


def test_a_syntax_error_in_javascript_comes_with_its_place(project):
    assert "src/main.js:2:" in refused(project("wasm-js@1", "const a = 1;\nconst = 2;\n")).detail


def test_a_module_that_cannot_be_found_is_named(project):
    assert (
        'Could not resolve "left-pad"' in refused(project("wasm-js@1", "import pad from 'left-pad';\npad();\n")).detail
    )


# both


def test_a_standard_program_that_is_not_there_is_told_how_to_begin(project):
    assert "addEventListener('fetch'" in refused(project("wasi-js@1")).hint


@pytest.mark.parametrize("runtime", ["wasm-py@1", "wasm-js@1"])
def test_a_missing_source_is_named_with_an_example(project, runtime):
    error = refused(project(runtime))
    assert "src/main." in error.detail
    assert "App" in error.hint


def test_a_folder_without_a_manifest_is_told_so(tmp_path):
    with pytest.raises(OrielError, match=r"There is no .*manifest\.json"):
        build(tmp_path, progress=lambda _: None)


def test_an_invalid_manifest_is_refused_before_anything_is_built(project):
    error = refused(project("wasm-py@1", "", capabilities=["disk.write"], nmae="x"))
    assert isinstance(error, InvalidInput)
    assert len(error.findings) >= 2


def test_an_own_component_is_checked_and_left(project):
    folder = project("wasm@1")
    error = refused(folder)
    assert (error.code, "is not WebAssembly" in error.detail) == ("invalid_component", True)
    own = b"\x00asm\x0d\x00\x01\x00"
    (folder / COMPONENT).write_bytes(own)
    assert build(folder, progress=lambda _: None).size == len(own)
    assert (folder / COMPONENT).read_bytes() == own


def test_without_nodejs_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(OrielError) as caught:
        find_node()
    assert caught.value.code == "toolchain_missing"
    assert "pip install 'oriel[build]'" in caught.value.hint


def test_a_nodejs_that_is_too_old_is_passed_over(monkeypatch, tmp_path):
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v18.20.0\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "elsewhere" / "python"))
    with pytest.raises(OrielError, match=r"18\.20\.0"):
        find_node()


def test_a_failing_npm_leaves_no_toolchain_and_is_quoted(monkeypatch, tmp_path):
    scripts = {"node": "echo v24.0.0", "npm": "echo the registry is away >&2; exit 1"}
    for name, script in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("ORIEL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(OrielError, match="the registry is away"):
        toolchain(lambda _: None)
    assert list((tmp_path / "cache" / "toolchain").iterdir()) == []


def test_the_toolchain_is_installed_once(monkeypatch):
    toolchain(lambda _: None)
    monkeypatch.setattr("oriel.build.toolchain.run", lambda *_, **__: pytest.fail("npm ran again"))
    assert toolchain(pytest.fail).script.is_file()


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("ORIEL_CACHE_DIR", raising=False)
    assert cache_dir() == tmp_path / "oriel"
    monkeypatch.setenv("ORIEL_CACHE_DIR", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own"
