"""`make sam-local` without what it needs, and what it would run: the rest of it is `make sam-local-check`."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.support.lambdas import listening
from tests.support.stack import ROOT
from tools.sam_local import IMAGE
from tools.sam_template import ISSUER, local_template, template_resources


def run(engine):
    """How it ended with this engine, and what it said."""
    command = [sys.executable, "-m", "tools.sam_local", "--check"]
    environment = os.environ | {"DOCKER_HOST": engine}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_without_a_container_engine_it_says_what_to_install_and_fails():
    status, said, wrong = run("unix:///nowhere/docker.sock")
    assert (status, said) == (1, "")
    assert "no container engine answers at unix:///nowhere/docker.sock" in wrong
    assert "apt-get install docker.io" in wrong


class Engine(BaseHTTPRequestHandler):
    """A container engine that has a network and no image, and reaches no registry."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        network = {"Id": "n1", "Name": "bridge", "IPAM": {"Config": [{"Gateway": "172.17.0.1"}]}}
        known = {"/version": {"ApiVersion": "1.44"}, "/networks": [network], "/networks/n1": network}
        found = next((answer for end, answer in known.items() if path.endswith(end)), None)
        self.answer(200 if found else 404, found or {"message": f"No such image: {IMAGE}"})

    def do_POST(self):
        self.answer(500, {"message": "dial tcp: lookup public.ecr.aws: no such host"})

    def answer(self, status, body):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_arguments):
        pass


def test_without_the_base_image_it_names_it_and_why_it_cannot_be_pulled():
    with listening(Engine) as url:
        status, said, wrong = run(url.replace("http", "tcp"))
    assert (status, said) == (1, "")
    assert f"the engine has no base image {IMAGE}" in wrong
    assert "no such host" in wrong
    assert f"docker pull {IMAGE}" in wrong


def test_what_it_runs_is_every_function_of_the_deployment_with_its_routes_on_moto(platform, tmp_path):
    stack = platform.stack
    made = local_template(stack, tmp_path, "http://moto:1", "http://lambda:2")["Resources"]
    assert made.keys() - {"WasmtimeLayer", "Keys"} == stack.functions.keys()
    for name, function in stack.functions.items():
        here, there = made[name]["Properties"], function["Properties"]
        assert (here["Handler"], here["Timeout"]) == (there["Handler"], there["Timeout"])
        assert (Path(here["CodeUri"]) / here["Handler"].replace(".", "/")).parent.with_suffix(".py").is_file()
        given = here["Environment"]["Variables"]
        assert (given["AWS_ENDPOINT_URL"], given.get("ORIEL_OIDC_ISSUER", ISSUER)) == ("http://moto:1", ISSUER)
        assert {key: given[key] for key in stack.environment[name] if key.startswith("ORIEL_STORE")} == {
            key: value for key, value in stack.environment[name].items() if key.startswith("ORIEL_STORE")
        }
    written = template_resources()
    for name in made.keys() & written.keys() - {"WasmtimeLayer", "Keys"}:
        events = written[name]["Properties"].get("Events", {}).values()
        wanted = {(e["Properties"]["Path"], e["Properties"]["Method"]) for e in events if e["Type"] == "HttpApi"}
        here = {
            (e["Properties"]["Path"], e["Properties"]["Method"]) for e in made[name]["Properties"]["Events"].values()
        }
        assert here == wanted
