import json
from importlib.resources import files

import pytest
from wasmtime import wat2wasm

from oriel.engine.compile import parse
from oriel.engine.config import new_engine
from oriel.engine.inspect import (
    check_header,
    describe,
    handler_findings,
    handler_signature,
    import_findings,
    importable,
    offered,
    offered_types,
)
from oriel.errors import InvalidInput
from tests.guests import hostile
from tests.guests.build import compiled, guest
from tools.signatures import wit_digest

ENGINE = new_engine()


def shape_of(text):
    return describe(parse(bytes(wat2wasm(text)), ENGINE), ENGINE)


def test_the_recorded_signatures_are_those_of_the_wit_package():
    recorded = json.loads(files("oriel.engine").joinpath("signatures.json").read_text())
    assert recorded["wit_sha256"] == wit_digest(), "run: python tools/signatures.py"


def test_a_component_that_imports_everything_is_described_as_offered():
    everything = tuple(
        f"{interface.split('/')[1].split('@')[0]}.{name}"
        for interface, functions in offered().items()
        for name in functions
    )
    shape = compiled(guest("unreachable", imports=everything)).shape
    assert {name: functions for name, functions in shape.imports.items() if functions} == offered()
    assert shape.exports[""]["handler"] == handler_signature()
    assert not list(import_findings(shape.imports, offered()))


def test_an_interface_of_types_alone_has_no_functions():
    assert compiled(hostile.ECHO).shape.imports == {"oriel:extension/types@1.0.0": {}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\0asm\1\0\0\0", "core WebAssembly module"),
        (b"\0asm\x0d\0\2\0", "unknown WebAssembly version"),
        (b"\0asm", "cut off"),
        (b"\x7fELF" + bytes(100), "is not WebAssembly"),
        (b"(component)", "is not WebAssembly"),
    ],
)
def test_what_is_no_component_is_refused_in_plain_words(data, message):
    with pytest.raises(InvalidInput, match=message) as refused:
        check_header(data)
    assert refused.value.code == "invalid_component"


@pytest.mark.parametrize("keep", [9, 100, 0.5, -1])
def test_a_truncated_component_is_refused(keep):
    cut = hostile.ECHO[: int(len(hostile.ECHO) * keep) if isinstance(keep, float) else keep]
    with pytest.raises(InvalidInput, match="The component has"):
        compiled.__wrapped__(cut)


def test_garbage_behind_the_header_is_refused():
    with pytest.raises(InvalidInput) as refused:
        compiled.__wrapped__(hostile.ECHO[:8] + b"\xff" * 200)
    assert refused.value.code == "invalid_component"


def test_a_component_without_a_handler_is_refused():
    with pytest.raises(InvalidInput, match="handler: is missing"):
        compiled.__wrapped__(bytes(wat2wasm("(component)")))


HANDLER_OF_ANOTHER_TYPE = """(component
  (core module $m (func (export "handler") (param i32) (result i32) local.get 0))
  (core instance $i (instantiate $m))
  (func (export "handler") (param "n" u32) (result u32) (canon lift (core func $i "handler"))))"""


def test_a_handler_of_another_type_is_refused_with_both_types():
    (finding,) = handler_findings(shape_of(HANDLER_OF_ANOTHER_TYPE))
    assert finding.at == "exports.handler"
    assert finding.message.startswith("is func(n: u32) -> u32; expected func(request: record{method: string")


def test_a_handler_inside_an_interface_is_no_handler():
    text = HANDLER_OF_ANOTHER_TYPE.replace('(func (export "handler") (param "n"', '(func $f (param "n"')
    shape = shape_of(text[:-1] + '(instance $x (export "handler" (func $f))) (export "a:b/c" (instance $x)))')
    assert shape.exports["a:b/c"] == {"handler": "func(n: u32) -> u32"}
    assert any("is missing" in finding.message for finding in handler_findings(shape))


def test_an_import_that_is_not_offered_is_found():
    shape = shape_of('(component (import "wasi:cli/exit@0.2.0" (instance (export "exit" (func)))))')
    (finding,) = import_findings(shape.imports, offered())
    assert (finding.at, finding.message) == (
        "imports.wasi:cli/exit@0.2.0.exit",
        "is not offered by the platform",
    )


def test_an_import_of_the_world_itself_is_found():
    shape = shape_of('(component (import "run" (func)))')
    (finding,) = import_findings(shape.imports, offered())
    assert finding.at == "imports.world.run"


def test_an_import_with_another_signature_is_found():
    shape = shape_of(
        '(component (import "oriel:extension/context@1.0.0" (instance (export "now-ms" (func (result string))))))'
    )
    (finding,) = import_findings(shape.imports, offered())
    assert finding.message == "is func() -> string; the platform offers func() -> u64"


def test_a_renamed_parameter_is_another_signature():
    name = (
        'oriel:extension/context@1.0.0" (instance (export "config" (func (param "name" string) (result (option string'
    )
    shape = shape_of(f'(component (import "{name})))))))')
    assert len(list(import_findings(shape.imports, offered()))) == 1


def test_a_resource_is_described_by_where_it_is_defined():
    shape = shape_of(
        """(component (import "wasi:io/error@0.2.0" (instance
             (export "error" (type $e (sub resource)))
             (export "text" (func (param "self" (borrow $e)) (result string))))))"""
    )
    assert shape.imports["wasi:io/error@0.2.0"] == {
        "error": "resource wasi:io/error.error",
        "text": "func(self: borrow<wasi:io/error.error>) -> string",
    }
    (finding,) = import_findings(shape.imports, importable())
    assert finding.at == "imports.wasi:io/error@0.2.0.text"


@pytest.mark.parametrize("type_", ["(stream u8)", "(future u8)", "error-context"])
def test_what_would_abort_the_process_is_refused_at_publish(type_):
    text = f'(component (import "a:b/c" (instance (export "f" (func (param "x" {type_}))))))'
    with pytest.raises(InvalidInput) as refused:
        compiled.__wrapped__(bytes(wat2wasm(text)))
    assert refused.value.code == "invalid_component"


def test_an_imported_module_is_refused():
    with pytest.raises(InvalidInput, match="only functions and types"):
        shape_of('(component (import "m" (core module)))')


def test_all_findings_are_reported_at_once():
    with pytest.raises(InvalidInput) as refused:
        shape_of('(component (import "m" (core module)) (import "n" (core module)))')
    assert [finding.at for finding in refused.value.findings] == ["imports.m", "imports.n"]


def test_the_handler_is_not_offered_as_an_import():
    assert "" in offered_types()
    assert "" not in offered()
