"""The standard interfaces: which releases are the same, and that names say what resources are."""

import pytest
from wasmtime import wat2wasm

from oriel.engine.compile import parse
from oriel.engine.config import new_engine
from oriel.engine.inspect import describe, handler_findings, handler_kind, import_findings, importable, item_type
from oriel.engine.standard import INCOMING_HANDLER, standard, standard_types, track
from oriel.engine.types import Function, item_from_json, item_to_json
from oriel.errors import InvalidInput
from tests.guests import hostile
from tests.guests.build import compiled
from tests.guests.standard import answering

ENGINE = new_engine()


def shape_of(text):
    return describe(parse(bytes(wat2wasm(text)), ENGINE), ENGINE)


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        ("wasi:io/poll@0.2.0", "wasi:io/poll@0.2"),
        ("wasi:io/poll@0.2.12", "wasi:io/poll@0.2"),
        ("wasi:io/poll@0.2.0-rc-2023-11-10", "wasi:io/poll@0.2.0-rc-2023-11-10"),
        ("wasi:io/poll@0.3.0", "wasi:io/poll@0.3.0"),
        ("wasi:io/poll@0.20.1", "wasi:io/poll@0.20.1"),
        ("wasi:io/poll", "wasi:io/poll"),
        ("oriel:extension/log@1.0.0", "oriel:extension/log@1.0.0"),
        ("notwasi:io/poll@0.2.1", "notwasi:io/poll@0.2.1"),
    ],
)
def test_releases_of_wasi_0_2_are_one_interface_and_nothing_else_is(interface, expected):
    assert track(interface) == expected


def test_the_incoming_handler_is_a_way_in_and_not_to_be_imported():
    assert INCOMING_HANDLER in standard_types()
    assert INCOMING_HANDLER not in standard()
    assert isinstance(item_type("wasi:http/incoming-handler@0.2.5", "handle"), Function)


def test_items_survive_json():
    for items in standard_types().values():
        for item in items.values():
            assert item_from_json(item_to_json(item)) == item


def test_what_is_offered_is_never_of_another_type_than_a_resource_or_a_function():
    assert {text.split("(")[0].split(" ")[0] for items in standard().values() for text in items.values()} == {
        "func",
        "resource",
    }


def test_a_component_has_one_of_two_ways_in():
    assert handler_kind(compiled(hostile.HELLO).shape) == "oriel"
    assert handler_kind(compiled(answering()).shape) == "wasi-http"


def test_a_component_without_a_way_in_is_told_both():
    (finding,) = handler_findings(shape_of("(component)"))
    assert "must export handler: func(request: record{" in finding.message
    assert finding.message.endswith("or the interface wasi:http/incoming-handler@0.2.x")


def test_an_incoming_handler_of_another_type_is_refused():
    text = """(component
      (core module $m (func (export "handle")))
      (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "handle")))
      (instance $x (export "handle" (func $f)))
      (export "wasi:http/incoming-handler@0.2.3" (instance $x)))"""
    (finding,) = handler_findings(shape_of(text))
    assert finding.at == "exports.wasi:http/incoming-handler@0.2.3.handle"
    assert finding.message.startswith("is func(); expected func(request: own<wasi:http/types.incoming-request>")


def test_a_resource_under_the_name_of_another_is_found():
    text = """(component
      (import "wasi:http/types@0.2.3" (instance $types (export "fields" (type (sub resource)))))
      (alias export $types "fields" (type $fields))
      (import "wasi:io/poll@0.2.3" (instance
        (alias outer 1 $fields (type $f))
        (export "pollable" (type $p (eq $f)))
        (export "[method]pollable.block" (func (param "self" (borrow $p)))))))"""
    found = {finding.at: finding.message for finding in import_findings(shape_of(text).imports, importable())}
    assert found == {
        "imports.wasi:io/poll@0.2.3.pollable": "is resource wasi:http/types.fields; "
        "the platform offers resource wasi:io/poll.pollable",
        "imports.wasi:io/poll@0.2.3.[method]pollable.block": "is func(self: borrow<wasi:http/types.fields>); "
        "the platform offers func(self: borrow<wasi:io/poll.pollable>)",
    }


def test_a_resource_of_the_world_itself_is_found():
    (finding,) = import_findings(shape_of('(component (import "file" (type (sub resource))))').imports, importable())
    assert (finding.at, finding.message) == ("imports.world.file", "is not offered by the platform")


def test_resources_without_end_are_refused():
    exports = " ".join(f'(export "r{number}" (type (sub resource)))' for number in range(300))
    with pytest.raises(InvalidInput, match="one resource more than the 200"):
        shape_of(f'(component (import "a:b/c" (instance {exports})))')
