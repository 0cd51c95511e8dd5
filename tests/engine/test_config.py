import subprocess
import sys

import pytest
import wasmtime
from wasmtime.component import Component

from oriel.engine.config import current_fingerprint, fingerprint, new_engine, target_triple


def test_the_fingerprint_is_the_same_in_every_process():
    code = "from oriel.engine.config import current_fingerprint as f; print(f())"
    other = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert other == current_fingerprint() == fingerprint(new_engine())
    assert len(other) == 64


def test_fuel_is_another_fingerprint():
    assert current_fingerprint(fuel=True) != current_fingerprint()


def test_the_configuration_is_in_the_fingerprint():
    config = wasmtime.Config()
    config.target = target_triple()
    assert fingerprint(wasmtime.Engine(config)) != current_fingerprint()


def test_an_artifact_of_another_configuration_is_refused_with_an_error():
    artifact = bytes(Component(new_engine(fuel=True), "(component)").serialize())
    with pytest.raises(wasmtime.WasmtimeError, match="fuel"):
        Component.deserialize(new_engine(), artifact)


def test_an_endless_guest_can_be_interrupted():
    engine = new_engine()
    store = wasmtime.Store(engine)
    store.set_epoch_deadline(1)
    module = wasmtime.Module(engine, '(module (func (export "run") (loop br 0)))')
    run = wasmtime.Instance(store, module, []).exports(store)["run"]
    engine.increment_epoch()
    with pytest.raises(wasmtime.Trap, match="interrupt"):
        run(store)
