"""`oriel preview`: a project's page in the real bridge, with answers from a file."""

import json

import httpx
import pytest

from oriel.local.preview import previewing
from oriel.scaffold import create
from tests.support.axe import violations
from tests.support.browser import keep
from tests.support.examples import EXAMPLES

MANIFEST = {
    "manifest_version": 2,
    "name": "com.acme.notes",
    "publisher": "com.acme",
    "version": "1.0.0",
    "title": "Notes",
    "runtime": "wasm@1",
    "ui": {"entry": "ui/index.html"},
    "api": {"endpoints": [{"method": "GET", "path": "/notes/:id"}, {"method": "POST", "path": "/notes"}]},
    "assets": ["ui/*.html", "ui/*.js"],
}
PAGE = '<!doctype html><title>Notes</title><p id="text"></p><script type="module" src="app.js"></script>'
SCRIPT = """
import { oriel } from '/oriel/guest.js';
window.oriel = oriel;
await oriel.ready();
document.getElementById('text').textContent = (await (await oriel.fetch('/notes/7')).json()).text;
"""
MOCKS = {"GET /notes/:id": {"json": {"text": "Milk"}}, "POST /notes": {"status": 201, "headers": {"etag": '"1"'}}}


class Project:
    def __init__(self, root):
        self.root = root
        self.write("manifest.json", json.dumps(MANIFEST))
        self.write("mock.json", json.dumps(MOCKS))
        self.write("ui/index.html", PAGE)
        self.write("ui/app.js", SCRIPT)
        self.write("ui/notes.txt", "not packed")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def client(project):
    with previewing(project.root, 0, 0) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def state(client):
    return client.get("/preview/state").json()


def test_answers_come_from_the_file_by_the_manifests_endpoints(client):
    answer = client.get("/api/ext/com.acme.notes/notes/7")
    assert (answer.status_code, answer.json()) == (200, {"text": "Milk"})
    made = client.post("/api/ext/com.acme.notes/notes")
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert [(call["method"], call["status"]) for call in state(client)["calls"]] == [("POST", 201), ("GET", 200)]


def test_what_the_gateway_would_refuse_is_refused(client, project):
    assert client.get("/api/ext/com.acme.notes/elsewhere").json()["code"] == "endpoint_not_found"
    assert client.delete("/api/ext/com.acme.notes/notes").json()["code"] == "method_not_allowed"
    project.write("mock.json", "{}")
    answer = client.get("/api/ext/com.acme.notes/notes/7")
    assert 'mock.json has no answer for "GET /notes/:id"' in answer.json()["detail"]
    assert "no answer" in state(client)["calls"][0]["note"]


def test_only_what_would_be_packed_is_served_and_with_the_headers_it_will_have(client):
    now = state(client)
    root = f"{now['ui_origin']}/ext-ui/com.acme.notes/{now['content_hash']}"
    page = httpx.get(f"{root}/index.html", trust_env=False)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert f"frame-ancestors {client.base_url}" in page.headers["content-security-policy"].replace("/;", ";")
    assert httpx.get(f"{root}/notes.txt", trust_env=False).status_code == 404
    assert httpx.get(f"{root}/../manifest.json", trust_env=False).status_code in {400, 404}


def test_a_mistake_in_manifest_or_answers_is_told(client, project):
    project.write("manifest.json", json.dumps(MANIFEST | {"version": "one"}))
    assert "version" in state(client)["problem"]
    project.write("manifest.json", json.dumps(MANIFEST))
    project.write("mock.json", '{"GET /notes/:id": {"status": 99}}')
    assert "GET /notes/:id.status" in state(client)["problem"]


@pytest.mark.browser
def test_a_change_is_shown_and_the_scheme_reaches_the_frame(client, project, page):
    page.goto(str(client.base_url))
    ui = page.frame_locator("oriel-extension iframe")
    ui.get_by_text("Milk").wait_for()
    page.get_by_label("Calls, the last first").get_by_text("GET /notes/7").wait_for()
    page.get_by_label("Scheme").select_option("dark")
    ui.locator("html[data-oriel-scheme=dark]").wait_for()
    project.write("mock.json", json.dumps({"GET /notes/:id": {"json": {"text": "Bread"}}}))
    ui.get_by_text("Bread").wait_for()


@pytest.mark.browser
@pytest.mark.parametrize("name", ["approvals", "beacon", "pulse", "new"])
def test_the_examples_pages_show_their_mocked_answers_and_axe_finds_nothing(page, tmp_path, name):
    if name == "new":
        create(tmp_path / "new", "com.acme.notes", "python")
    with previewing(tmp_path / "new" if name == "new" else EXAMPLES / name, 0, 0) as address:
        page.goto(address)
        for scheme in ("light", "dark"):
            page.get_by_label("Scheme").select_option(scheme)
            ui = page.frame_locator("oriel-extension iframe")
            ui.locator(f"html[data-oriel-scheme={scheme}] main:not([aria-busy])").wait_for()
            keep(page, "preview", name, scheme)
            assert ui.locator("#failure:visible").count() == 0
            assert violations(page.query_selector("oriel-extension iframe").content_frame()) == []
            assert violations(page) == []
