"""The platform stopped and started: nothing is lost, nothing half-made shows."""

import os
import signal
import subprocess
import sys

import httpx
import pytest

from oriel.client import PlatformClient
from oriel.keyring import Keyring
from oriel.local.tokens import mint_token
from tests.guests import hostile
from tests.support.platform import ACME, EVERYBODY, client, envelope, packed, publish_and_install, running
from tests.support.processes import is_alive
from tests.support.waiting import eventually


def test_after_a_restart_everything_is_still_there(tmp_path):
    with running(tmp_path) as platform:
        extension = publish_and_install(platform, hostile.HELLO)
    with running(tmp_path) as platform, client(platform) as caller:
        assert caller.call(extension, "/").text == "hello"


class Server:
    """`oriel serve` in a process of its own, to be killed."""

    def __init__(self, folder):
        self.folder = folder
        self.port, self.ui_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [sys.executable, "-m", "oriel", "serve", "--data-dir", str(self.folder / ".oriel")]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--ui-port", str(self.ui_port)],
            env={**os.environ, "ORIEL_RUNNER_WORKERS": "1", "ORIEL_LOG_LEVEL": "error"},
            stderr=subprocess.DEVNULL,
        )
        eventually(self.answers)

    def answers(self):
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self):
        key = Keyring.open(self.folder / ".oriel" / "keyring.json").issuer_key
        return PlatformClient(self.url, mint_token(key, subject="ada", tenant="northwind", roles=EVERYBODY))


def free_ports(count):
    import socket

    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


def test_publishing_goes_on_after_kill_9_with_the_same_command(server):
    bundle = packed(hostile.HELLO, name="com.acme.killed")
    with server.client() as operator:
        operator.api("POST", "/publishers", json={"publisher": "com.acme", "prefixes": ["com.acme"]})
        operator.api("POST", "/publishers/com.acme/keys", json={"public_key_pem": ACME.public.to_pem()})
        session = operator.api("POST", "/uploads", json={"content_hash": bundle.content_hash, "size": len(bundle.data)})
        operator.send("PUT", session["upload_url"], content=bundle.data)
        operator.api("POST", f"/uploads/{session['upload_id']}/finalize", json={"signature": envelope(bundle)})
    server.kill()
    server.start()
    with server.client() as operator:
        assert operator.publish(bundle.data, envelope(bundle))["state"] == "ready"
        operator.install("com.acme.killed", grants=[])
        assert operator.call("com.acme.killed", "/").text == "hello"


def test_kill_9_leaves_no_worker_behind(server):
    children = subprocess.run(
        ["ps", "--ppid", str(server.process.pid), "-o", "pid="], check=True, capture_output=True, text=True
    ).stdout.split()
    assert children
    server.kill()
    eventually(lambda: not any(is_alive(int(pid)) for pid in children))
