"""The compile process: what it answers, and how it is held."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from oriel.engine.config import current_fingerprint
from oriel.errors import InvalidInput
from registry.compiling import Compiler, CompilerLost
from tests.guests import hostile
from tests.guests.build import compiled
from tests.support.processes import is_alive
from tests.support.waiting import eventually


def compiler(module="oriel.engine.compile", *, memory_mb=4096, seconds=60):
    return Compiler(memory_mb=memory_mb, seconds=seconds, module=module)


def hostile_compiler(tmp_path, monkeypatch, code, **limits):
    """A compiler whose process runs `code`, as one does that a component has taken over."""
    (tmp_path / "taken_over.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    return compiler("taken_over", **limits)


def test_a_component_becomes_native_code_with_its_imports():
    done = compiler().compile(hostile.LOG_ONCE)
    assert done.cwasm == compiled(hostile.LOG_ONCE).cwasm
    assert done.fingerprint == current_fingerprint()
    assert list(done.imports["oriel:extension/log@1.0.0"]) == ["emit"]


def test_it_compiles_for_an_engine_that_counts_fuel_where_that_is_asked():
    counting = Compiler(memory_mb=4096, seconds=60, fuel=True)
    assert counting.compile(hostile.HELLO).fingerprint == current_fingerprint(fuel=True)


def test_a_component_that_takes_too_much_cpu_time_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InvalidInput, match="more than 1 seconds of CPU time"):
        hostile_compiler(tmp_path, monkeypatch, "while True: pass", seconds=1).compile(b"")


def test_a_compiler_that_gets_no_time_ends_and_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr("registry.compiling.PATIENCE", 2)
    code = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    with pytest.raises(CompilerLost, match="too busy"):
        hostile_compiler(tmp_path, monkeypatch, code, seconds=1).compile(b"")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_children_of_the_compiler_end_with_it(tmp_path, monkeypatch):
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
    )
    with pytest.raises(InvalidInput):
        hostile_compiler(tmp_path, monkeypatch, code).compile(b"")
    eventually(lambda: not is_alive(int((tmp_path / "pid").read_text())))


def test_a_component_that_needs_too_much_memory_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InvalidInput, match="512 MB"):
        hostile_compiler(tmp_path, monkeypatch, "bytes(1 << 30)", memory_mb=512).compile(b"")


def test_a_component_that_crashes_the_compiler_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InvalidInput, match="SIGSEGV"):
        hostile_compiler(tmp_path, monkeypatch, "import os; os.kill(os.getpid(), 11)").compile(b"")


def test_the_process_inherits_no_secret_and_no_descriptor(tmp_path, monkeypatch):
    monkeypatch.setenv("ORIEL_CANARY", "canary")
    code = (
        "import json, os\n"
        "seen = {'environ': sorted(os.environ), 'files': len(os.listdir('/proc/self/fd')), 'cwd': os.getcwd(),\n"
        "        'nice': os.nice(0)}\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(repr(seen))\n"
    )
    before = os.nice(0)
    with ExitStack() as held:
        for _ in range(20):
            held.enter_context(Path(__file__).open())
        with pytest.raises(InvalidInput):
            hostile_compiler(tmp_path, monkeypatch, code).compile(b"")
    seen = eval((tmp_path / "seen").read_text())
    assert set(seen["environ"]) <= {"HOME", "LANG", "LC_CTYPE", "PYTHONPATH", "PYTHONSAFEPATH"}
    assert seen["files"] <= 5
    assert "oriel-compile-" in seen["cwd"]
    assert seen["nice"] == min(19, before + 10)


@pytest.mark.parametrize(
    "code",
    [
        "print('no json')",
        'print(\'{"fingerprint": "x", "sha256": "00", "imports": {}}\')',
        'open(\'out.cwasm\', \'wb\').write(b\'x\'); print(\'{"fingerprint": "x", "sha256": "00", "imports": {}}\')',
        "print('{' * 5_000_000)",
    ],
)
def test_a_report_that_is_not_to_be_believed_is_refused(tmp_path, monkeypatch, code):
    with pytest.raises(InvalidInput) as refused:
        hostile_compiler(tmp_path, monkeypatch, code).compile(b"")
    assert refused.value.code == "invalid_component"


def test_a_compiler_that_was_killed_or_cancelled_says_nothing_about_the_component(tmp_path, monkeypatch):
    held = hostile_compiler(tmp_path, monkeypatch, "import time; time.sleep(600)")
    outcome = []

    def work():
        try:
            held.compile(b"")
        except CompilerLost as error:
            outcome.append(error.status)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        held.cancel()
        thread.join(0.05)
    assert outcome == [503]


def test_the_compiler_ends_with_a_registry_that_is_killed(tmp_path):
    (tmp_path / "taken_over.py").write_text(
        f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from registry.compiling import Compiler\n"
        "Compiler(memory_mb=4096, seconds=60, module='taken_over').compile(b'')\n"
    )
    registry = subprocess.Popen([sys.executable, "-c", code])
    child = eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    registry.send_signal(signal.SIGKILL)
    registry.wait()
    eventually(lambda: not is_alive(int(child)))
