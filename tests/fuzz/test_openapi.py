"""Schemathesis over the OpenAPI descriptions of the three functions.

Whatever is sent, well-formed or not, the answer is one that the description names, and nothing of the inside: never a
500, every refusal a problem of the catalogue, every answer with its request id.
"""

import asyncio

import httpx
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from gateway.app import create_app as gateway_app
from oriel.contract import ExecuteRequest
from oriel.errors import CATALOGUE, PROBLEM_MEDIA_TYPE
from oriel.identity import Principal, ServiceTokenSigner, ServiceTokenVerifier
from registry.app import create_app as registry_app
from runner.app import create_app as runner_app
from tests.fuzz.runner_description import describe
from tests.guests import hostile
from tests.registry.stage import NAME, Stage, project
from tests.runner import small_platform
from tests.support.gateway import EXTENSION, Bench, bearer, resolution

EVERYBODY = Principal(subject="eva", tenant_id="t1", roles=("admin", "publisher", "operator"))
EXAMPLES = {"gateway": 6, "registry": 2, "runner": 15}
UNSENDABLE = (httpx.InvalidURL, UnicodeEncodeError)  # what no HTTP client puts on the wire


def fuzz(function, app, description, prepare):
    """Send cases of every operation.

    Args:
        prepare: takes a case's request (`method`, `url`, `headers`, `content`…) and makes it the caller's.
    """
    schema = schemathesis.openapi.from_dict(description)
    operations = [found.ok() for found in schema.get_all_operations()]
    return {operation.label: send_cases(operation, app, EXAMPLES[function], prepare) for operation in operations}


def send_cases(operation, app, examples, prepare):
    """The statuses that were answered."""
    statuses = set()
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, data=st.data())
    def check(case, data):
        request = prepare(case, data)
        try:
            answer = asyncio.run(send(app, request))
        except UNSENDABLE:
            return
        statuses.add(answer.status_code)
        judge(answer, case)

    check()
    return statuses


async def send(app, request):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://oriel") as client:
        return await client.request(**request)


def judge(answer, case):
    assert answer.status_code != 500, answer.text
    assert answer.headers["x-request-id"].startswith("req_")
    if answer.headers.get("content-type") == PROBLEM_MEDIA_TYPE and case.method != "HEAD":
        problem = answer.json()
        assert problem["status"] == answer.status_code == CATALOGUE[problem["code"]].status
        assert problem["request_id"] == answer.headers["x-request-id"]
        assert "Traceback" not in answer.text
    elif answer.status_code >= 400:
        assert case.method == "HEAD", answer.text


def request_of(case):
    """The case as httpx takes it."""
    raw = case.as_transport_kwargs(base_url="http://oriel")
    data = raw.pop("data", None)
    if data is not None:
        raw["content"] = data if isinstance(data, bytes) else str(data).encode(errors="surrogatepass")
    return {name: raw[name] for name in ("method", "url", "headers", "params", "json", "content") if raw.get(name)}


def test_the_gateway_answers_whatever_is_sent():
    bench = Bench(resolution())
    app = gateway_app(bench.gateway)

    def prepare(case, data):
        if "extension_id" in (case.path_parameters or {}) and data.draw(st.booleans()):
            case.path_parameters |= {
                "extension_id": EXTENSION,
                "path": data.draw(st.sampled_from(["notes", "notes/1"])),
            }
        request = request_of(case)
        request["headers"] = {**request.get("headers", {}), "authorization": bearer("acme", "admin")}
        return request

    try:
        sent = fuzz("gateway", app, app.openapi(), prepare)
    finally:
        bench.gateway.close()
    assert len(sent) >= 6
    assert bench.runner.asked


def test_the_registry_answers_whatever_is_sent(tmp_path):
    stage = Stage(tmp_path)
    stage.add_publisher()
    stage.publish(project())
    app = registry_app(stage.registry, lambda _: EVERYBODY)

    def prepare(case, data):
        known = {"extension_id": NAME, "version": "1.0.0", "tenant_id": "t1", "publisher": "com.acme"}
        for name in case.path_parameters or {}:
            if name in known and data.draw(st.booleans()):
                case.path_parameters[name] = known[name]
        return request_of(case)

    try:
        sent = fuzz("registry", app, app.openapi(), prepare)
    finally:
        stage.close()
    assert len(sent) >= 40
    statuses = set().union(*sent.values())
    assert {200, 404, 422} <= statuses


def test_the_runner_answers_whatever_is_sent(tmp_path):
    platform, key = small_platform.Platform(tmp_path), Ed25519PrivateKey.generate()
    content_hash = platform.publish(hostile.HELLO)
    signer, runner = ServiceTokenSigner(key), platform.runner()
    app = runner_app(runner, ServiceTokenVerifier([key.public_key()]), max_body_bytes=100_000)

    known = {"content_hash": content_hash, "tenant_id": "t1", "install_id": "ins_1", "execution_id": "exe_1"}
    known |= {"extension_id": small_platform.EXTENSION, "version": "1.0.0", "version_id": "ver_1"}

    def prepare(case, data):
        parts = [case.body.get(name) for name in ("context", "http")] if isinstance(case.body, dict) else []
        if parts and all(isinstance(part, dict) for part in parts) and data.draw(st.booleans()):
            case.body["context"] |= known
            case.body["http"] |= {"body_b64": ""}
            case.body["limits"] = {"timeout_ms": 2_000}
        request = request_of(case)
        built = httpx.Request(**request)
        body = built.read()
        headers = dict(built.headers)
        headers.pop("transfer-encoding", None)
        try:
            headers["authorization"] = f"Bearer {signer.mint(body, ExecuteRequest.from_json(body).context)}"
        except ValueError:
            headers["authorization"] = "Bearer x.y.z"
        return {"method": built.method, "url": str(built.url), "headers": headers, "content": body}

    try:
        sent = fuzz("runner", app, describe(), prepare)
    finally:
        platform.close()
    assert {200, 401} <= sent["POST /v1/execute"]
