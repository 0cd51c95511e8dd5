import json

import pytest

from oriel.cli import run
from oriel.cli.output import out
from tests.guests import hostile
from tests.support.bundles import make_bundle_tree
from tests.support.platform import ACME, running


class Outcome:
    def __init__(self, code, captured):
        self.code, self.out, self.err = code, captured.out, captured.err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def oriel(capsys, monkeypatch, tmp_path):
    """The command line, as a function of its words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def call(*words):
        out.as_json = False
        capsys.readouterr()
        return Outcome(run([str(word) for word in words]), capsys.readouterr())

    return call


@pytest.fixture(scope="package")
def platform(tmp_path_factory):
    with running(tmp_path_factory.mktemp("cli")) as up:
        yield up


@pytest.fixture
def local(platform, monkeypatch):
    """The environment of a person at the platform's machine."""
    monkeypatch.setenv("ORIEL_URL", platform.base_url)
    monkeypatch.setenv("ORIEL_DATA_DIR", str(platform.settings.data_dir))
    return platform


@pytest.fixture
def project(tmp_path):
    def make(name="com.acme.cli", **manifest):
        endpoints = {"endpoints": [{"method": "GET", "path": "/"}, {"method": "POST", "path": "/"}]}
        fields = {"runtime": "wasm@1", "capabilities": [], "api": endpoints} | manifest
        return make_bundle_tree(tmp_path / "project", component=hostile.ECHO, name=name, **fields)

    return make


@pytest.fixture
def published(oriel, local, project, tmp_path, request):
    """The id of an extension that was published by the command line."""

    def publish(**manifest):
        name = f"com.acme.cli-{abs(hash(request.node.name)) % 10**8}"
        root, key = project(name=name, **manifest), tmp_path / "acme.pem"
        key.write_text(ACME.to_pem())
        for words in (("pack", root), ("sign", root, "--key", key), ("publish", root)):
            done = oriel(*words)
            assert done.code == 0, done.err
        return name

    return publish
