"""Components that were built before come from the cache; everything they are made from is in their name."""

import os

import pytest

from oriel.build import cache
from oriel.build.cache import cached_component, made_from
from oriel.manifest import Manifest
from tests.support.bundles import manifest_document


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("ORIEL_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.py").write_text("app = 1")
    return folder


def manifest(**members):
    return Manifest.parse(manifest_document(**members))


def built(project, made, **members):
    def make(output):
        made.append(output)
        output.write_bytes(b"component %d" % len(made))

    return cached_component(project, manifest(**members), make).read_bytes()


def test_the_same_sources_are_built_once(project):
    made = []
    assert built(project, made) == built(project, made) == b"component 1"
    os.utime(project / "src" / "main.py", (0, 0))
    assert built(project, made, title="Another", version="9.9.9") == b"component 1"


@pytest.mark.parametrize(
    "place", ["src/main.py", "src/more.py", "vendor/a/b.py", "node_modules/c/d.js", "package.json"]
)
def test_a_change_of_any_source_builds_again(project, place):
    made = []
    built(project, made)
    path = project / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed")
    assert built(project, made) == b"component 2"


def test_so_does_another_runtime_capability_version_of_the_tools_or_interface(project, monkeypatch, tmp_path):
    names = {made_from(project, manifest()), made_from(project, manifest(runtime="wasm-js@1"))}
    names.add(made_from(project, manifest(capabilities=["storage.kv", "user.read"])))
    with monkeypatch.context() as patched:
        patched.setattr(cache, "version", lambda _: "0")
        names.add(made_from(project, manifest()))
    monkeypatch.setattr(cache, "wit_dir", lambda: tmp_path / "wit")
    names.add(made_from(project, manifest()))
    assert len(names) == 5


def test_what_could_not_be_built_leaves_nothing(project, tmp_path):
    def fail(_):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cached_component(project, manifest(), fail)
    assert list((tmp_path / "cache" / "components").iterdir()) == []


def test_the_newest_are_kept_by_use(project, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "KEPT", 2)
    made = []
    for text in ("a", "b", "a", "c"):
        (project / "src" / "main.py").write_text(text)
        built(project, made)
        for at, folder in enumerate((tmp_path / "cache" / "components").iterdir()):
            os.utime(folder, (folder.stat().st_mtime - 10 + at / 100,) * 2)
    assert len(list((tmp_path / "cache" / "components").iterdir())) == 2
    (project / "src" / "main.py").write_text("a")
    assert built(project, made) == b"component 1"
