"""The world that a component is built for."""

import pytest

from oriel.build.world import interfaces_for, wit_dir, world_text, write_world
from oriel.capabilities import CAPABILITIES


def test_the_world_imports_what_is_asked_for_and_nothing_else():
    assert world_text(["storage.kv", "http.fetch"]) == (
        "package oriel:built@1.0.0;\n\n"
        "world component {\n"
        "  include oriel:extension/extension@1.0.0;\n"
        "  import oriel:extension/http@1.0.0;\n"
        "  import oriel:extension/storage@1.0.0;\n"
        "}\n"
    )


def test_what_is_always_there_is_not_imported_twice():
    assert interfaces_for(["context.read", "log.emit"]) == []


def test_an_unknown_capability_is_a_programming_error():
    with pytest.raises(KeyError):
        world_text(["disk.write"])


def test_every_capability_opens_an_interface_of_the_package():
    files = {path.stem for path in wit_dir().glob("*.wit")}
    assert {item.interface for item in CAPABILITIES.values() if item.interface} <= files


def test_the_world_is_written_beside_the_package_it_refers_to(tmp_path):
    wit = write_world(tmp_path, ["user.read"])
    assert "import oriel:extension/user@1.0.0;" in (wit / "world.wit").read_text()
    assert (wit / "deps" / "oriel-extension" / "world.wit").is_file()
