"""`make sam-local`: the deployment under `sam local`, in containers as Lambda has them, against moto.

python -m tools.sam_local [--port 3000] [--check]

    sam local start-api        the HTTP API: the template's own functions, routes and layers, as `sam build` made them
    sam local start-lambda     the gateway's way to the runner, and what queues and the bus call
    moto                       tables, buckets, queues, keys, secrets, schedules: what the template declares of them
    the UI origin              extensions' pages from the UI bucket, as CloudFront would send them

It needs a container engine and the base image of Lambda's Python, says exactly what of it is missing, and then ends
with 1. It stays up until Ctrl-C, and stops all that it has started. `--check` publishes an extension, installs and
calls it, and ends with 0 or 1 in place of staying. Nothing is kept.
"""

import argparse
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oriel.aws import Target
from oriel.blobs.s3 import S3Blobs
from oriel.local.tokens import jwks
from oriel.local.ui_origin import create_ui_app
from tests.support import aws, platform
from tests.support.event_sources import EventSources
from tests.support.lambdas import ARCH, free_port
from tests.support.stack import Stack
from tools.lambda_python import VERSION
from tools.sam_template import ISSUER, local_template

ROOT = Path(__file__).parents[1]
IMAGE = f"public.ecr.aws/lambda/python:{VERSION}-{ARCH}"
LOOPBACK = "127.0.0.1"
START_SECONDS, CALL_SECONDS = 120, 330
# Run with SAM's own Python: the same library, and so the same settings, as `sam local` itself.
LOOK = """
import json, sys, docker
try:
    engine = docker.from_env(timeout=20)
    network = engine.networks.list(names=["bridge"])[0]
    network.reload()
except Exception as error:
    sys.exit(print(json.dumps({"engine": str(error)})))
found = {"host": network.attrs["IPAM"]["Config"][0].get("Gateway"), "image": ""}
try:
    engine.images.get(sys.argv[1])
except docker.errors.ImageNotFound:
    try:
        engine.images.pull(sys.argv[1])
    except Exception as error:
        found["image"] = str(error)
print(json.dumps(found))
"""


class Missing(Exception):
    """Something that has to be installed first."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.sam_local", description="The deployment under sam local.")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--check", action="store_true", help="publish, install and call an extension, then stop")
    options = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):  # also where a shell in the background has it ignored
        signal.signal(ending, signal.default_int_handler)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # moto says every request
    try:
        with up(container_host(), 0 if options.check else options.port) as running:
            show(running)
            if options.check:
                return check(running)
            signal.pause()
    except Missing as missing:
        print(f"sam-local: {missing}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


def container_host() -> str:
    """The address of this machine as containers see it.

    Raises:
        Missing: there is no engine, or no base image.
    """
    python = ROOT / ".venv/sam/bin/python"
    done = subprocess.run([python, "-c", LOOK, IMAGE], capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        raise Missing(f"SAM's own Python does not run; 'make .venv/sam.stamp' installs it\n{done.stderr[-500:]}")
    found = json.loads(done.stdout)
    if "engine" in found:
        named = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock, and DOCKER_HOST is not set")
        raise Missing(
            f"no container engine answers at {named} ({found['engine']}).\n"
            "Install one and start it: on Debian 'apt-get install docker.io', elsewhere Docker Engine, Docker\n"
            "Desktop, Podman or Finch; where its socket is another one, name it in DOCKER_HOST."
        )
    if found["image"]:
        raise Missing(
            f"the engine has no base image {IMAGE}, and cannot pull it ({found['image']}).\n"
            f"Bring it where the registry can be reached: 'docker pull {IMAGE}'; or load it: 'docker load'."
        )
    return LOOPBACK if sys.platform == "darwin" else str(found["host"] or LOOPBACK)


@contextlib.contextmanager
def up(host: str, port: int) -> Iterator[SimpleNamespace]:
    """Everything, until the end of the `with`. Has what `tests.support.platform` needs of a platform."""
    aws.HOST = host
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="oriel-sam-")))
        key = Ed25519PrivateKey.generate()
        (folder / "keys").mkdir()
        (folder / "keys/jwks.json").write_text(json.dumps(jwks(key)))
        stack = Stack("oriel-sam-local", OidcIssuer=f"http://{ISSUER}", Architecture=ARCH)
        lambda_port, api_port, ui_port = free_port(), port or free_port(), free_port()
        lambda_url = f"http://{host}:{lambda_port}"
        template = folder / "template.json"
        template.write_text(json.dumps(local_template(stack, folder / "keys", aws.moto_endpoint(), lambda_url)))
        logs = folder / "sam.log"
        opened.enter_context(sam("start-lambda", template, host, lambda_port, logs))
        opened.enter_context(sam("start-api", template, LOOPBACK, api_port, logs))
        invoker = opened.enter_context(httpx.Client(base_url=lambda_url, timeout=CALL_SECONDS, trust_env=False))
        opened.enter_context(EventSources(stack, lambda name, event: invoked(invoker, name, event)))
        opened.enter_context(ui_origin(stack, ui_port))
        yield SimpleNamespace(
            base_url=f"http://{LOOPBACK}:{api_port}",
            ui_base_url=f"http://{LOOPBACK}:{ui_port}",
            keyring=SimpleNamespace(issuer_key=key),
            moto=aws.moto_endpoint(),
            lambda_url=lambda_url,
            stack=stack,
            logs=logs,
        )


@contextlib.contextmanager
def sam(command: str, template: Path, host: str, port: int, logs: Path) -> Iterator[None]:
    """One of SAM's servers. It is asked to end, so that it takes its containers away with it."""
    arguments = [ROOT / ".venv/sam/bin/sam", "local", command, "--template", template, "--skip-pull-image"]
    arguments += ["--warm-containers", "LAZY", "--host", host, "--port", str(port), "--region", aws.REGION]
    arguments += ["--container-host-interface", LOOPBACK]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}  # with keys, it asks STS
    with logs.open("ab") as log:
        process = subprocess.Popen(
            arguments,
            cwd=template.parent,
            env={**kept, "SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true"},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _await(f"http://{host}:{port}", process, logs)
            yield
        finally:
            process.terminate()
            process.wait(60)


def _await(url: str, process: "subprocess.Popen[bytes]", logs: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url, trust_env=False, timeout=5)
            return
        time.sleep(0.2)
    raise Missing(f"sam local did not come up:\n{logs.read_text()[-2000:]}")


def invoked(invoker: httpx.Client, function: str, event: Any) -> dict[str, Any]:
    """What a function answers to an event."""
    answer = invoker.post(f"/2015-03-31/functions/{function}/invocations", json=event)
    said: dict[str, Any] = answer.json() if answer.is_success else {"errorType": f"status {answer.status_code}"}
    return said


@contextlib.contextmanager
def ui_origin(stack: Stack, port: int) -> Iterator[None]:
    bucket = stack.environment["PublisherFunction"]["ORIEL_UI_BLOBS"].removeprefix("s3:")
    blobs = S3Blobs.at(Target(bucket, aws.REGION, aws.moto_endpoint()), aws.CREDENTIALS)
    app = create_ui_app(blobs, ui_origin=f"http://{LOOPBACK}:{port}", host_origins=("http://127.0.0.1:8420",))
    server = uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def show(running: SimpleNamespace) -> None:
    print(
        f"""
The deployment is up under sam local.

  API         {running.base_url}      UIs  {running.ui_base_url}
  console     {running.base_url}/console/
  Lambda      {running.lambda_url}      moto {running.moto}
  logs        {running.logs}

In another shell, in a project of `oriel new com.acme.notes`:

  export ORIEL_URL={running.base_url}
  export ORIEL_TOKEN={platform.token(running, lifetime=8 * 3_600)}
  oriel keygen && oriel publisher add com.acme --key oriel-key.pem.pub
  oriel build && oriel pack && oriel sign && oriel publish
  oriel install com.acme.notes --grant storage.kv && oriel call com.acme.notes /notes

The first call of a function starts its container. Ctrl-C stops everything.
""",
        flush=True,
    )


def check(running: SimpleNamespace) -> int:
    """Publish, install and call an extension, through HTTP alone; say what came back, and how long it took."""
    began = time.monotonic()
    platform.register_acme(running)
    extension = platform.publish_and_install(running, name="com.acme.hello")
    print(f"published and installed {extension} in {time.monotonic() - began:.1f} s")
    with platform.client(running) as caller:
        for _ in range(3):
            began = time.monotonic()
            answer = caller.call(extension, "/")
            print(
                f"GET /api/ext/{extension}/ -> {answer.status_code} {answer.text!r} in {time.monotonic() - began:.2f} s"
            )
    return 0 if (answer.status_code, answer.text) == (200, "hello") else 1


if __name__ == "__main__":
    sys.exit(main())
