"""What the registry makes before its first answer: each thing here is waited for by a cold start.

Routes, models and modules are counted, not milliseconds: the figures are in `docs/benchmarks.md` (`lambda`).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Half are the standard library's and Oriel's, half FastAPI's with Starlette and pydantic, and cryptography's. What goes
# over should be imported when it is used.
MODULES = 710
# Of its function: it answers one request, which needs no store.
STARTED = """
import gc, json, sys
from registry.on_lambda import handler

def event(method, path):
    http = {"method": method, "path": path, "sourceIp": "127.0.0.1"}
    context = {"http": http, "domainName": "api.example.com", "stage": "$default", "requestId": "r"}
    return {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {}, "requestContext": context}

def models(of):
    return {of, *(model for child in of.__subclasses__() for model in models(child))}

def seen(status):
    routes = [route for route in handler.app.routes if "_make_whole" in vars(route)]
    made = [f"{model.__module__}.{model.__name__}" for model in models(BaseModel) if model.__pydantic_complete__]
    return {"status": status, "routes": len(routes), "models": made, "modules": list(sys.modules),
        "collects": gc.isenabled() and gc.get_freeze_count() > 0,
        "whole": [route.path for route in routes if "app" in vars(route)]}

from pydantic import BaseModel
asked = [("GET", "/api/v1/nothing"), ("PUT", "/api/v1/menu"), ("GET", "/api/v1/menu")]
print(json.dumps([seen(handler(event(*what), None)["statusCode"]) for what in asked]))
"""
TOO_HEAVY = {
    "botocore": "only where blobs are written",
    "httpx": "AWS is asked by a client of our own",
    "jsonschema": "a configuration is checked when one comes",
    "oriel.bundle": "another function unpacks what was sent",
    "oriel.engine": "another function compiles",
    "oriel.manifest.model": "what is published is read with structs",
    "registry.worker": "another function publishes",
    "sqlalchemy": "only where the store is PostgreSQL",
    "uvicorn": "a Lambda function is called",
}


@pytest.fixture(scope="module")
def started():
    """What the function was made of after a request for no route, one by another method, and one of a route."""
    keys = {name: f"kms:{name}" for name in ("ORIEL_PLATFORM_KEY", "ORIEL_DATA_KEY")}
    names = keys | {"ORIEL_STORE": "dynamodb:t", "ORIEL_BLOBS": "s3:b", "ORIEL_PUBLISH_QUEUE": "sqs:q"}
    paths = f"{ROOT}{os.pathsep}{ROOT / 'functions'}"
    given = names | {"AWS_REGION": "eu-central-1", "ORIEL_OIDC_ISSUER": "https://id.example", "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=False, env=given)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_route_is_made_by_the_first_request_for_it_and_no_other(started):
    assert [(after["status"], after["whole"]) for after in started] == [
        (404, []),
        (405, []),
        (401, ["/api/v1/menu"]),
    ]
    assert started[0]["routes"] > 70


def test_the_model_of_a_body_is_not_made_for_a_request_without(started):
    made = started[-1]["models"]
    assert made  # FastAPI makes some as it is imported
    assert not [name for name in made if name.startswith("registry.")]


def test_the_function_imports_no_more_than_its_budget(started):
    assert len(started[-1]["modules"]) <= MODULES


@pytest.mark.parametrize("name", TOO_HEAVY)
def test_the_function_starts_without(started, name):
    assert name not in started[-1]["modules"], TOO_HEAVY[name]


def test_garbage_is_collected_once_the_function_has_started(started):
    assert started[0]["collects"]
