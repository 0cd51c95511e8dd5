"""The recorded interface of `alga:extension`, and which components pass for it."""

import json
from importlib.resources import files

from wasmtime import wat2wasm

from oriel.engine import types
from oriel.engine.alga import PREFIX, alga, alga_types
from oriel.engine.compile import parse
from oriel.engine.config import new_engine
from oriel.engine.inspect import describe, handler_findings, handler_kind, import_findings, importable, item_type
from tests.guests.alga import small
from tests.guests.build import compiled
from tools.signatures import ENGINE as FOLDER
from tools.signatures import wit_digest

INTERFACES = "context secrets http storage logging ui-proxy user user-v2 scheduler invoicing clients services"


def shape_of(wasm):
    engine = new_engine()
    return describe(parse(wasm, engine), engine)


def test_the_recorded_signatures_are_those_of_the_wit_package():
    recorded = json.loads(files("oriel.engine").joinpath("alga.json").read_text())
    assert recorded["wit_sha256"] == wit_digest([FOLDER / "alga.wit"]), "run: python tools/signatures.py"


def test_every_interface_of_the_package_is_offered():
    assert {name.removeprefix(PREFIX) for name in alga()} == set(INTERFACES.split())
    assert sum(map(len, alga().values())) == 25


def test_a_component_of_few_interfaces_passes():
    shape = compiled(small("storage.get", "secrets.list-keys")).shape
    assert handler_kind(shape) == "alga"
    assert [*handler_findings(shape), *import_findings(shape.imports, importable())] == []


def test_parameters_may_have_other_names():
    shape = shape_of(small("clients.get-client", rename=(("id", "client-id"),)))
    assert list(import_findings(shape.imports, importable())) == []


def test_another_type_is_refused_with_both():
    text = '(component (import "alga:extension/secrets" (instance (export "get" (func (param "key" u32))))))'
    (finding,) = import_findings(shape_of(bytes(wat2wasm(text))).imports, importable())
    assert finding.at == "imports.alga:extension/secrets.get"
    assert "the platform offers func(0: string)" in finding.message


def test_a_function_or_an_interface_that_there_is_not_is_refused():
    for interface, name in (("secrets", "put"), ("files", "read")):
        text = f'(component (import "alga:extension/{interface}" (instance (export "{name}" (func)))))'
        (finding,) = import_findings(shape_of(bytes(wat2wasm(text))).imports, importable())
        assert "not offered" in finding.message


def test_oriels_own_handler_with_these_imports_is_told_what_is_expected():
    text = """(component (import "alga:extension/logging" (instance (export "log-info" (func (param "m" string)))))
      (core module $m (func (export "f"))) (core instance $i (instantiate $m))
      (func (export "handler") (canon lift (core func $i "f"))))"""
    (finding,) = handler_findings(shape_of(bytes(wat2wasm(text))))
    assert finding.at == "exports.handler"
    assert "tenant-id" in finding.message


def test_an_item_is_known_by_its_interface():
    assert isinstance(item_type("alga:extension/storage", "get"), types.Function)
    assert item_type("alga:extension/storage", "none") is None
    assert alga_types()[""]["handler"] != item_type("alga:extension/storage", "get")
