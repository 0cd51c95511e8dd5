"""Workers kept alive. They are small processes here; `test_worker_process` has the real one."""

import os
import queue
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from oriel.errors import OrielError
from runner import supervisor
from runner.supervisor import WorkerPool
from tests.support.processes import is_alive
from tests.support.waiting import SECONDS, eventually

WORKER = [sys.executable, str(Path(__file__).with_name("small_worker.py"))]


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@pytest.fixture
def deaths():
    return queue.Queue()


def ask(listener, what=b"pid"):
    """The connection and the pid that answered. A connection that a dying worker had accepted is made again."""
    for _ in range(20):
        connection = socket.create_connection(listener.getsockname(), timeout=10)
        connection.sendall(what)
        try:
            if answer := connection.recv(16):
                return connection, int(answer)
        except ConnectionResetError:
            pass
        connection.close()
    raise AssertionError("nobody answers")


def test_a_killed_worker_is_replaced_and_its_end_told_once(listener, deaths):
    with WorkerPool(1, WORKER, listener, slots=2, on_death=deaths.put) as workers:
        workers.wait_ready()
        connection, first = ask(listener)
        connection.close()
        os.kill(first, signal.SIGKILL)
        connection, second = ask(listener)
        connection.close()
        assert second != first
        death = deaths.get(timeout=SECONDS)
        assert (death.pid, death.returncode, death.ready, death.inside) == (first, -signal.SIGKILL, True, ())
    assert deaths.empty()


def test_the_end_of_a_worker_tells_the_executions_inside(listener, deaths):
    with WorkerPool(1, WORKER, listener, slots=2, on_death=deaths.put) as workers:
        workers.wait_ready()
        connection, pid = ask(listener, b"hold")
        os.kill(pid, signal.SIGKILL)
        (inside,) = deaths.get(timeout=SECONDS).inside
        connection.close()
    assert (inside.execution_id, inside.tenant_id, inside.install_id) == ("exe_held", "acme", "ins_1")
    assert inside.content_hash == "sha256:" + "c" * 64


def test_the_end_of_one_worker_leaves_the_requests_of_another_alone(listener, deaths):
    with WorkerPool(2, WORKER, listener, slots=2, on_death=deaths.put) as workers:
        workers.wait_ready()
        held, holder = ask(listener, b"hold")
        (other,) = (pid for pid in workers.pids() if pid != holder)
        os.kill(other, signal.SIGKILL)
        assert deaths.get(timeout=SECONDS).pid == other
        assert is_alive(holder)
        held.close()


def test_closing_stops_every_worker(listener):
    with WorkerPool(2, WORKER, listener, slots=2) as workers:
        workers.wait_ready()
        pids = workers.pids()
        assert len(pids) == 2
    assert not any(is_alive(pid) for pid in pids)
    assert workers.pids() == ()


def test_a_worker_that_does_not_stop_is_killed(listener, monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.2)
    workers = WorkerPool(1, [*WORKER, "--deaf", "1"], listener, slots=1)
    workers.start()
    workers.wait_ready()
    (pid,) = workers.pids()
    workers.close()
    assert not is_alive(pid)


def test_a_worker_that_cannot_start_is_tried_again_with_growing_pauses(listener, deaths):
    workers = WorkerPool(1, [sys.executable, "-c", "raise SystemExit(3)"], listener, slots=1, on_death=deaths.put)
    with workers:
        ends = [deaths.get(timeout=SECONDS) for _ in range(3)]
        with pytest.raises(OrielError, match="not ready"):
            workers.wait_ready(timeout=0.01)
    assert {(end.returncode, end.ready) for end in ends} == {(3, False)}
    pauses = [supervisor._pause(ends[0], failures) for failures in range(1, 9)]
    assert pauses[:3] == [0.1, 0.2, 0.4]
    assert pauses[-1] == supervisor.LONGEST_PAUSE


def test_a_failure_in_telling_an_end_does_not_leave_the_place_empty(listener):
    def fails(_death):
        raise RuntimeError("nobody listens")

    with WorkerPool(1, WORKER, listener, slots=1, on_death=fails) as workers:
        workers.wait_ready()
        connection, first = ask(listener)
        connection.close()
        os.kill(first, signal.SIGKILL)
        connection, second = ask(listener)
        connection.close()
        assert second != first


SUPERVISOR = f"""
import socket, sys
from runner.supervisor import WorkerPool
listener = socket.create_server(("127.0.0.1", 0))
workers = WorkerPool(2, {WORKER!r}, listener, slots=1)
workers.start()
workers.wait_ready()
print(*workers.pids(), flush=True)
sys.stdin.read(1)
"""


@pytest.mark.parametrize("end", [subprocess.Popen.kill, lambda parent: parent.stdin.close()], ids=["killed", "forgot"])
def test_no_worker_outlives_a_supervisor_that_is_killed_or_ends_without_closing(end):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", SUPERVISOR], **pipes) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        end(parent)
        parent.wait(10)
    eventually(lambda: not any(is_alive(pid) for pid in pids))


def test_no_descriptor_is_left_after_deaths_and_closing(listener, deaths):
    before = len(list(Path("/proc/self/fd").iterdir()))
    with WorkerPool(1, WORKER, listener, slots=1, on_death=deaths.put):
        for _ in range(2):
            connection, pid = ask(listener)
            connection.close()
            os.kill(pid, signal.SIGKILL)
            deaths.get(timeout=SECONDS)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
