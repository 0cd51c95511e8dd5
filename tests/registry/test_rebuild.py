"""After an upgrade of the engine: what was published is compiled again, by the worker and not by a request."""

import pytest

from oriel.bundle import content_hash
from oriel.engine.config import current_fingerprint
from oriel.errors import OrielError
from oriel.provenance import artifact_key, artifact_statement_key, component_key
from registry.compiling import Compiler
from registry.rebuild import Rebuilding
from registry.worker import PublishWorker
from runner.artifacts import Artifacts
from tests.guests import hostile
from tests.registry.stage import project
from tests.registry.test_worker import wait_for

HELLO, TRAP = content_hash(hostile.HELLO), content_hash(hostile.TRAP)

NEXT_COMPILER = """
import sys
from oriel.engine import compile as compiler

sys.exit(compiler.main([*sys.argv[1:], "--fuel"]))
"""


@pytest.fixture
def following():
    """The engine after the upgrade: one that counts fuel has another fingerprint, and other artifacts."""
    return current_fingerprint(fuel=True)


@pytest.fixture
def rebuilding(stage, tmp_path, monkeypatch, following):
    (tmp_path / "next_compiler.py").write_text(NEXT_COMPILER)
    monkeypatch.syspath_prepend(tmp_path)
    return Rebuilding(stage.registry, Compiler(memory_mb=4096, seconds=60, module="next_compiler"), following)


@pytest.fixture
def artifacts(stage, tmp_path, following):
    """The runner's view after the upgrade."""
    keys = stage.registry.platform_keys
    return Artifacts(stage.blobs, keys, tmp_path / "cache", fingerprint=following, max_bytes=10**9)


def test_until_it_is_compiled_again_a_version_is_unavailable_and_then_it_runs(stage, rebuilding, artifacts):
    packed = project()
    stage.publish(packed)
    with pytest.raises(OrielError) as refused:
        artifacts.path_for(packed.content_hash)
    assert (refused.value.code, refused.value.status) == ("artifact_unavailable", 503)
    assert refused.value.retry_after
    assert not rebuilding.step()
    path, _ = artifacts.path_for(packed.content_hash)
    assert path.stat().st_size > 0


def test_each_component_is_compiled_once_whatever_the_versions(stage, rebuilding, monkeypatch):
    compiled = []
    compile_ = Compiler.compile
    monkeypatch.setattr(Compiler, "compile", lambda self, data: compiled.append(data) or compile_(self, data))
    for version, component in (("1.0.0", hostile.HELLO), ("1.0.1", hostile.HELLO), ("1.1.0", hostile.TRAP)):
        stage.publish(project(version, component=component))
    compiled.clear()
    assert rebuilding.step()
    assert not rebuilding.step()
    assert not rebuilding.step()
    assert sorted(compiled) == sorted([hostile.HELLO, hostile.TRAP])


def test_a_yanked_version_is_left_out(stage, rebuilding, following):
    packed = project()
    stage.publish(packed)
    stage.store.set_version_status(packed.manifest.name, "1.0.0", "yanked")
    assert not rebuilding.step()
    assert stage.blobs.info(artifact_statement_key(following, HELLO)) is None


@pytest.mark.parametrize("stored", [b"not what was signed", None], ids=["another", "none"])
def test_a_component_that_is_not_the_one_published_is_never_compiled(stage, rebuilding, following, stored):
    packed, other = project(), project("2.0.0", component=hostile.TRAP)
    stage.publish(packed)
    stage.publish(other)
    key = component_key(packed.content_hash)
    stage.blobs.delete(key)
    if stored is not None:
        stage.blobs.put_new(key, stored)
    while rebuilding.step():
        pass
    assert stage.blobs.info(artifact_key(following, HELLO)) is None
    assert stage.blobs.info(artifact_key(following, TRAP)) is not None


def test_an_outage_of_the_compiler_is_tried_again(stage, rebuilding, following, monkeypatch):
    stage.publish(project())
    with monkeypatch.context() as broken:

        def lost(*_):
            raise OrielError("unavailable")

        broken.setattr(Compiler, "compile", lost)
        with pytest.raises(OrielError):
            rebuilding.step()
    assert not rebuilding.step()
    assert stage.blobs.info(artifact_key(following, HELLO)) is not None


def test_the_worker_compiles_what_has_no_artifact(stage):
    stage.publish(project())
    statement = artifact_statement_key(current_fingerprint(), HELLO)
    stage.blobs.delete(statement)
    worker = PublishWorker(stage.registry)
    worker.start()
    wait_for(lambda: stage.blobs.info(statement) is not None)
    worker.stop()
