"""Components that are refused before they ever run; the process that refused them then serves a good request."""

import os

import pytest
from wasmtime import wat2wasm

from oriel.errors import InvalidInput
from registry.compiling import Compiler
from tests.guests import hostile
from tests.guests.build import guest

OTHER_HANDLER = """(component
  (core module $m (func (export "handler") (param i32) (result i32) local.get 0))
  (core instance $i (instantiate $m))
  (func (export "handler") (param "n" u32) (result u32) (canon lift (core func $i "handler"))))"""

NEVER_RUN = {
    "empty": (b"", "is empty"),
    "garbage": (os.urandom(4_096), "is not WebAssembly"),
    "garbage behind a good header": (hostile.ECHO[:8] + b"\xff" * 200, ""),
    "a script": (b"#!/bin/sh\nexit 0\n", "is not WebAssembly"),
    "native code": (b"\x7fELF" * 99, "is not WebAssembly"),
    "truncated": (hostile.ECHO[: len(hostile.ECHO) // 2], ""),
    "truncated by a byte": (hostile.ECHO[:-1], ""),
    "with a byte too many": (hostile.ECHO + b"x", ""),
    "cut off in the header": (b"\0asm", "cut off"),
    "a core module": (bytes(wat2wasm('(module (func (export "handler")))')), "core WebAssembly module"),
    "without a handler": (bytes(wat2wasm("(component)")), "handler: is missing"),
    "with a handler of another type": (bytes(wat2wasm(OTHER_HANDLER)), "handler: is func"),
}

IMPORTS_A_SHELL = guest("unreachable", beside='(import "evil:host/shell" (instance (export "run" (func))))')

COMPILES_FOR_MINUTES = guest(
    "(call $long (i32.const 0)) unreachable",
    functions=f"""(func $long (param i32) (result i32)
        (local.get 0) {"(local.get 0) (i32.add) (call $long) " * 400_000})""",
)
"""One function of 2 MB takes the compiler seconds, and a bundle has room for many of them."""


@pytest.fixture
def refused(execute):
    """Have a component compiled, which must be refused; `execute` then sees to the good request."""

    def refused(component, **limits):
        compiler = Compiler(**{"memory_mb": 4096, "seconds": 60, **limits})
        with pytest.raises(InvalidInput) as caught:
            compiler.compile(component)
        assert execute(hostile.HELLO).error is None
        return caught.value

    return refused


@pytest.mark.parametrize(("component", "message"), NEVER_RUN.values(), ids=NEVER_RUN.keys())
def test_what_is_no_good_component_is_refused_with_a_reason(refused, component, message):
    error = refused(component)
    assert error.code == "invalid_component"
    assert message in str(error)
    assert "crash" not in str(error)


def test_a_component_that_compiles_for_minutes_is_refused_when_its_time_is_up(refused):
    assert "more than 1 seconds" in str(refused(COMPILES_FOR_MINUTES, seconds=1))


def test_an_import_that_nobody_offers_is_refused_when_the_component_is_loaded(execute):
    answer = execute(IMPORTS_A_SHELL)
    assert answer.error.code == "invalid_component"
    assert "evil:host/shell.run" in answer.error.message
