"""A component made into native code, in a process of its own.

Compiling is fed by strangers, and parsing hostile WebAssembly is part of it. Rules kept here:

- The process has limits on memory, CPU time, real time and file size, inherits no descriptor and no variable of the
  environment, sees a folder of its own, and has a lower priority than requests.
- Its whole group is killed when its time is up, when it is cancelled, and when the registry dies.
- What it says is read as data: bounded, and checked against the bytes it wrote.
- Too slow, too large and crashed are the component's faults and say so. Too slow is judged by CPU time: real time tells
  how busy the machine is. A process that was killed from outside, or got no time, is worth another attempt.
"""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from pydantic import BaseModel, ValidationError

from oriel.engine.inspect import Kind, Shape, handler_kind
from oriel.errors import Finding, InvalidInput, OrielError

MAX_REPORT_BYTES = 1_000_000
MAX_ARTIFACT_MB = 512
COMPILER = "oriel.engine.compile"
PATIENCE = 5  # real seconds for each second of CPU time that a component may take


class CompilerLost(OrielError):
    """The process ended, or was ended, for a reason of the machine's; nothing is known about the component."""

    def __init__(self, detail: str = "The compiler was killed.") -> None:
        super().__init__("unavailable", detail, retry_after=5)


class CompilerSlow(CompilerLost):
    """It used little CPU time in a long real time. Whose fault that is shows when it happens again."""

    def __init__(self) -> None:
        super().__init__("The machine is too busy to compile.")


class Compiled(Struct, frozen=True):
    """Native code, the engine it is for, what the component imports, by interface, and the way into it."""

    cwasm: bytes
    fingerprint: str
    imports: Mapping[str, Mapping[str, str]]
    handler: Kind


class _Done(BaseModel):
    fingerprint: str
    sha256: str
    imports: dict[str, dict[str, str]]
    exports: dict[str, dict[str, str]]


class _Finding(BaseModel):
    at: str
    message: str


class _Refused(BaseModel):
    findings: list[_Finding]


class Compiler:
    """Compiles one component at a time.

    Args:
        memory_mb: address space of the process.
        seconds: of CPU time; of real time `PATIENCE` times as many.
        fuel: for an engine that counts fuel.
    """

    def __init__(self, *, memory_mb: int, seconds: int, fuel: bool = False, module: str = COMPILER) -> None:
        self._memory_mb, self._seconds, self._module = memory_mb, seconds, module
        self.fuel = fuel
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def compile(self, component: bytes) -> Compiled:
        """Compile; a second caller waits.

        Raises:
            InvalidInput: `invalid_component`, with the reasons.
            CompilerLost: try again. CompilerSlow: a few times.
        """
        with self._lock, tempfile.TemporaryDirectory(prefix="oriel-compile-") as name:
            folder = Path(name)
            (folder / "in.wasm").write_bytes(component)
            code = self._run(folder)
            report = _read(folder / "report")
            if code == 0:
                return _compiled(folder, report)
            if code == -signal.SIGKILL:
                raise CompilerLost
            raise _refused(report) or self._unfinished(code)

    def cancel(self) -> None:
        """Kill what runs; its caller gets `CompilerLost`."""
        if (process := self._process) is not None:
            _kill_group(process)

    def _run(self, folder: Path) -> int:
        limits = (self._memory_mb, self._seconds, MAX_ARTIFACT_MB)
        compiler = (sys.executable, "-m", self._module, "in.wasm", "out.cwasm", *(["--fuel"] if self.fuel else []))
        with (folder / "report").open("wb") as report:
            process = self._process = subprocess.Popen(  # noqa: S603 - every argument is ours
                [sys.executable, "-m", "registry.limited", *map(str, limits), *compiler],
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=report,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            return process.wait(PATIENCE * self._seconds)
        except subprocess.TimeoutExpired:
            raise CompilerSlow from None
        finally:
            self._process = None
            _kill_group(process)
            process.wait()

    def _unfinished(self, code: int) -> InvalidInput:
        if code == -signal.SIGXCPU:
            return _invalid(f"takes more than {self._seconds} seconds of CPU time to compile")
        if code < 0:
            return _invalid(f"crashes the compiler ({signal.Signals(-code).name}), or needs over {self._memory_mb} MB")
        return _invalid(f"ends the compiler early (exit code {code}), or needs over {self._memory_mb} MB")


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours but where the code is."""
    paths = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    return {"PYTHONPATH": paths, "PYTHONSAFEPATH": "1", "HOME": str(folder), "LANG": "C.UTF-8"}


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_REPORT_BYTES)


def _compiled(folder: Path, report: bytes) -> Compiled:
    try:
        done = _Done.model_validate_json(report)
        cwasm = (folder / "out.cwasm").read_bytes()
    except (ValidationError, OSError):
        raise _invalid("makes the compiler end without a result") from None
    if hashlib.sha256(cwasm).hexdigest() != done.sha256:
        raise _invalid("makes the compiler write other bytes than it reports")
    kind = handler_kind(Shape(done.imports, done.exports))
    if kind is None:
        raise _invalid("makes the compiler report no handler, and accept it")
    return Compiled(cwasm, done.fingerprint, done.imports, kind)


def _refused(report: bytes) -> InvalidInput | None:
    with suppress(ValidationError):
        refused = _Refused.model_validate_json(report)
        findings = [Finding(entry.at, entry.message) for entry in refused.findings]
        return InvalidInput("invalid_component", findings, subject="The component")
    return None


def _invalid(message: str) -> InvalidInput:
    return InvalidInput("invalid_component", [Finding("component", message)], subject="The component")
