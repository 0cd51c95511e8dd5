"""The real worker process under the real supervisor, killed while it works."""

import os
import queue
import signal
import socket
import sys
import threading

import httpx
import pytest

from oriel.blobs.files import FileBlobs
from oriel.contract import ExecuteResponse
from oriel.identity import ServiceTokenSigner
from oriel.ids import new_id
from oriel.keyring import Keyring
from oriel.settings import Settings
from oriel.signing import SigningKey
from runner.supervisor import WorkerPool
from tests.guests import hostile
from tests.support.waiting import SECONDS

SLOTS = 2


@pytest.fixture
def installation(platform, tmp_path, monkeypatch):
    """The settings of a data directory whose keyring signed what the platform publishes."""
    for name in [name for name in os.environ if name.startswith("ORIEL_")]:
        monkeypatch.delenv(name)
    settings = Settings.load(data_dir=tmp_path / "data", runner_threads=SLOTS)
    keyring = Keyring.open(settings.keyring_path, create=True)
    platform.key = SigningKey(keyring.platform_key)
    platform.blobs = FileBlobs(tmp_path / "data" / "blobs")
    return settings, keyring


@pytest.fixture
def deaths():
    return queue.Queue()


@pytest.fixture
def workers(installation, deaths):
    settings, _ = installation
    environment = {**os.environ, **settings.environment()}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "runner"]
        with WorkerPool(1, command, listener, slots=SLOTS, env=environment, on_death=deaths.put) as pool:
            pool.wait_ready()
            pool.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/execute"
            yield pool


@pytest.fixture
def call(workers, installation, make_request):
    signer = ServiceTokenSigner(installation[1].service_key)

    def send(content_hash, **changes):
        asked = make_request(context={"content_hash": content_hash, "execution_id": new_id("exe")}, **changes)
        body = asked.to_json()
        headers = {"authorization": f"Bearer {signer.mint(body, asked.context)}"}
        answer = httpx.post(workers.url, content=body, headers=headers, timeout=30, trust_env=False)
        answer.raise_for_status()
        return ExecuteResponse.from_json(answer.content)

    return send


def test_a_worker_serves_and_after_it_was_killed_at_work_another_one_does(workers, call, deaths, platform):
    good, looping = platform.publish(hostile.HELLO), platform.publish(hostile.LOOP)
    assert call(good).body() == b"hello"
    (first,) = workers.pids()

    def kill_when_busy():
        worker = workers._workers[0]
        while not worker.board.entries():
            pass
        os.kill(worker.process.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_when_busy)
    killer.start()
    with pytest.raises(httpx.TransportError):
        call(looping, limits={"timeout_ms": 20_000})
    killer.join()
    death = deaths.get(timeout=SECONDS)
    assert (death.pid, death.returncode) == (first, -signal.SIGKILL)
    assert [inside.content_hash for inside in death.inside] == [looping]
    assert call(good).body() == b"hello"
    assert workers.pids() != (first,)
