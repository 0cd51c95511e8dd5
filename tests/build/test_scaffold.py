"""`oriel new`: what it writes builds, is tested, and answers."""

import json
import subprocess
import sys

import pytest

from oriel.build.toolchain import find_node
from oriel.bundle import pack
from oriel.errors import InvalidInput, OrielError
from oriel.scaffold import create

LANGUAGES = ("python", "javascript")


@pytest.fixture(scope="module", params=LANGUAGES)
def project(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("new") / f"new-{request.param}"
    create(folder, "com.acme.team-notes", request.param)
    return folder


def test_it_answers_as_its_page_expects(project, host):
    app = host.publish(project)()
    assert app.json("GET", "/notes") == {"notes": []}
    older, newer = (app.json("POST", "/notes", {"text": text}) for text in (" Buy milk ", "Call Ada"))
    assert [note["text"] for note in app.json("GET", "/notes")["notes"]] == ["Call Ada", "Buy milk"]
    assert app.call("DELETE", f"/notes/{newer['id']}").status == 204
    assert app.json("GET", "/notes")["notes"] == [older]
    assert app.call("DELETE", f"/notes/{newer['id']}").status == 404
    refused = app.call("POST", "/notes", {"text": ""})
    assert (refused.status, json.loads(refused.body())["field"]) == (422, "text")
    assert app.call("POST", "/notes", b"{").status == 400


def test_its_own_tests_pass(project):
    node = [find_node().node, "--test"]
    command = node if (project / "package.json").exists() else [sys.executable, "tests/test_notes.py"]
    tested = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "3" in tested.stdout + tested.stderr  # three tests, and not none


def test_it_is_packed_as_it_is(project):
    (project / "dist").mkdir(exist_ok=True)
    (project / "dist" / "main.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    manifest = pack(project).manifest
    assert (manifest.name, manifest.publisher, manifest.title) == ("com.acme.team-notes", "com.acme", "Team notes")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_title_is_text_wherever_it_stands(tmp_path, language):
    title = '<b>Ada\'s "notes" \\ & more</b>'
    created = create(tmp_path / "x", "com.acme.x", language, title=title)
    assert created.manifest.title == title
    page = (tmp_path / "x" / "ui" / "index.html").read_text()
    assert "<b>" not in page
    assert "&lt;b&gt;Ada" in page


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(OrielError, match="already") as refused:
        create(tmp_path, "com.acme.notes", "python")
    assert refused.value.code == "conflict"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["notes", "com.acme.Notes", "com..notes", ""])
def test_a_name_that_will_not_do_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(InvalidInput) as refused:
        create(tmp_path / "new", name, "python")
    assert refused.value.findings[0].at == "name"
    assert not (tmp_path / "new").exists()
