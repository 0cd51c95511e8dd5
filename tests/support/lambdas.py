"""Lambda on loopback: functions as `sam build` makes them, under Lambda's own runtime emulator and runtime client.

built()                 what `sam build` made of this checkout, once for these sources
Emulated(...)           one execution environment of one function
Service(...)            the part of Lambda's API that the gateway calls, before such environments
"""

import contextlib
import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from oriel.build.tools import cache_dir, made_once
from oriel.connections import Connections, NoAnswer
from tools.lambda_python import lambda_python

ROOT = Path(__file__).parents[2]
ARCH = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
START_SECONDS = 60
SOURCES = (
    "oriel",
    "functions",
    "layers",
    "wit",
    "requirements",
    "web",
    "tools/imports.py",
    "tools/package.py",
    "tools/package.mk",
    "samconfig.toml",
)
INVOKE = "/2015-03-31/functions/function/invocations"


@cache
def built() -> Path:
    """The folder that `sam build` filled, from the cache where the sources are those of an earlier run."""
    digest = hashlib.sha256((ROOT / "template.yaml").read_bytes())
    for source in SOURCES:
        root = ROOT / source
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".pyc", ".wasm"}:
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    made = made_once(cache_dir() / f"sam-{ARCH}" / digest.hexdigest()[:16], _build_in_place_of_old_ones)
    os.utime(made)
    return made


def _build_in_place_of_old_ones(folder: Path) -> None:
    """`sam build`, in place of those that no run has used for an hour: each has 250 MB."""
    for former in folder.parents[1].iterdir():
        if former != folder.parent and former.stat().st_mtime < time.time() - 3_600:
            shutil.rmtree(former, ignore_errors=True)
    build(folder, ARCH)


def build(folder: Path, arch: str) -> None:
    """`sam build` for an architecture."""
    environment = {**os.environ, "ORIEL_ARCH": arch, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1"}
    command = [ROOT / ".venv/sam/bin/sam", "build", "--build-dir", folder]
    command += ["--parameter-overrides", f"Architecture={arch}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"sam build failed; make .venv/sam.stamp installs it\n{done.stderr[-3000:]}")


def _emulator() -> Path:
    return next((ROOT / ".venv/sam").glob(f"lib/*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCH}"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Emulated:
    """One execution environment: the emulator, the runtime client and the function. It starts with the first call."""

    def __init__(self, folder: Path, layers: list[Path], handler: str, environment: dict[str, str], log: Path) -> None:
        self._port, runtime = free_port(), free_port()
        before = [path for path in [environment.get("PYTHONPATH")] if path]
        paths = [*before, folder, *(layer / "python" for layer in layers), ROOT / ".venv/lambda-runtime"]
        given = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            "LAMBDA_TASK_ROOT": str(folder),
            "AWS_LAMBDA_FUNCTION_HANDLER": handler,
            "AWS_LAMBDA_FUNCTION_NAME": folder.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            **environment,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
        }
        command = [_emulator(), "--log-level", "error"]
        command += ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{runtime}", lambda_python(), "-m", "awslambdaric", handler]
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            command, cwd=folder, env=given, stdout=self._log, stderr=self._log, start_new_session=True
        )
        self._turn = threading.Lock()  # an environment takes one call at a time
        self._connections = Connections(f"http://127.0.0.1:{self._port}", read_seconds=90)

    def invoke(self, payload: bytes) -> bytes:
        """The function's answer, as JSON."""
        with self._turn:
            deadline = time.monotonic() + START_SECONDS
            while True:
                try:
                    with self._connections.request(
                        "POST", INVOKE, {"content-type": "application/json"}, payload
                    ) as got:
                        return got.read()
                except NoAnswer as none:
                    if not isinstance(none.__cause__, ConnectionRefusedError) or time.monotonic() > deadline:
                        raise
                    time.sleep(0.005)

    def call(self, event: Any) -> Any:
        return json.loads(self.invoke(json.dumps(event).encode()))

    def close(self) -> None:
        self._connections.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait()
        self._log.close()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_arguments: object) -> None:
        """A client that goes away in the middle is its own business."""


@contextlib.contextmanager
def listening(handler: type[BaseHTTPRequestHandler]):
    """A server on loopback; gives its URL."""
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
