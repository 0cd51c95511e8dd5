"""What the gateway's Lambda function imports before its first answer: each thing here is waited for by a cold start.

Modules are counted, not milliseconds: the figures are in `docs/benchmarks.md` (`lambda`).
"""

import os
import subprocess
import sys

import pytest

# About 110 modules of Oriel's own, the parts of cryptography that keys need, and the standard library's.
BUDGET = 330

TOO_HEAVY = {
    "asyncio": "a Lambda function is called, and has no event loop",
    "botocore": "the function asks with a client of its own",
    "cronsim": "schedules are the dispatcher's",
    "cryptography.x509": "certificates are for publishers",
    "fastapi": "messages, not requests, go into the core",
    "gateway.dispatcher": "events and schedules have a function of their own",
    "httpx": "oriel.connections is enough",
    "jsonschema": "a configuration is checked when it is set",
    "jwt": "tokens are verified by oriel.identity",
    "mangum": "oriel.aws.http_api is enough",
    "oriel.manifest": "what was published is read by oriel.published",
    "oriel.signing.pem": "there is no trust bundle here",
    "pydantic": "what people write is the registry's",
    "semver": "versions are compared by the registry",
    "sqlalchemy": "the store is DynamoDB",
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "eu-central-1",
    "ORIEL_STORE": "dynamodb:table",
    "ORIEL_RUNNER": "lambda:runner",
    "ORIEL_SERVICE_SECRET": "secretsmanager:service",
    "ORIEL_SESSION_SECRET": "secretsmanager:session",
    "ORIEL_OIDC_ISSUER": "https://id.example",
    "ORIEL_OIDC_JWKS": "https://id.example/keys",
}


@pytest.fixture(scope="module")
def imported():
    code = "import sys, gateway.on_lambda; print(*sys.modules)"
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return set(done.stdout.split())


def test_the_function_imports_no_more_than_its_budget(imported):
    assert len(imported) <= BUDGET


@pytest.mark.parametrize("name", TOO_HEAVY)
def test_the_function_starts_without(imported, name):
    assert name not in imported, TOO_HEAVY[name]
