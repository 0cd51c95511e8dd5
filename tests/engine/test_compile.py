import hashlib
import json
import subprocess
import sys

import pytest
from wasmtime import wat2wasm

from oriel.engine.compile import compile_component, main
from oriel.engine.config import current_fingerprint
from oriel.engine.inspect import handler_signature
from oriel.errors import InvalidInput
from tests.guests import hostile


def test_the_child_process_writes_the_artifact_and_one_line(tmp_path):
    source, target = tmp_path / "in.wasm", tmp_path / "out.cwasm"
    source.write_bytes(hostile.LOG_ONCE)
    command = [sys.executable, "-m", "oriel.engine.compile", source, target]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    line = json.loads(done.stdout)
    assert line["fingerprint"] == current_fingerprint()
    assert line["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert line["exports"][""]["handler"] == handler_signature()
    assert set(line["imports"]["oriel:extension/log@1.0.0"]) == {"emit"}


def test_the_child_process_tells_every_finding(tmp_path, capsys):
    source, target = tmp_path / "in.wasm", tmp_path / "out.cwasm"
    source.write_bytes(bytes(wat2wasm("(component)")))
    assert main([str(source), str(target)]) == 1
    line = json.loads(capsys.readouterr().out)
    assert line["error"] == "invalid_component"
    assert line["findings"][0]["at"] == "exports.handler"
    assert not target.exists()


def test_compiling_twice_gives_the_same_artifact():
    assert compile_component(hostile.ECHO).cwasm == compile_component(hostile.ECHO).cwasm


@pytest.mark.parametrize("feature", ["(core module (memory 1 1 shared))", "(core module (memory i64 1))"])
def test_what_the_engine_has_switched_off_is_refused(feature):
    wasm = bytes(wat2wasm(f"(component {feature})"))
    with pytest.raises(InvalidInput) as refused:
        compile_component(wasm)
    assert refused.value.code == "invalid_component"


def test_a_core_module_is_refused_by_name():
    with pytest.raises(InvalidInput, match="core WebAssembly module"):
        compile_component(bytes(wat2wasm("(module)")))
