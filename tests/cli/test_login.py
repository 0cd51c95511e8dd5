"""`oriel login`: which platform the other commands speak to."""

import json
import stat
import uuid

import pytest

from tests.support.aws import CREDENTIALS, REGION, moto_endpoint
from tests.support.stack import boto

OUTPUTS = {
    "ApiUrl": "https://api.example.com/",
    "UiOrigin": "https://ui.example.net",
    "Issuer": "https://id.example.com",
    "Audience": "oriel",
}


@pytest.fixture
def in_aws(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIALS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secret_access_key)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint())
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


def stack(**outputs):
    """A stack with these outputs; its name."""
    name = f"oriel-{uuid.uuid4().hex[:8]}"
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    cloud = boto("cloudformation")
    cloud.create_stack(StackName=name, TemplateBody=json.dumps(template))
    cloud.close()
    return name


def test_a_stack_is_known_by_its_outputs_and_remembered(oriel, in_aws, tmp_path, monkeypatch):
    name = stack(**OUTPUTS)
    done = oriel("login", "--stack", name, "--json")
    assert done.json == {
        "url": "https://api.example.com",
        "ui_origin": "https://ui.example.net",
        "issuer": "https://id.example.com",
        "stack": name,
    }
    kept = tmp_path / "config/oriel/platform.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    monkeypatch.delenv("ORIEL_TOKEN", raising=False)
    refused = oriel("installs")
    assert refused.code == 1
    assert "no token for https://api.example.com" in refused.err
    assert "https://id.example.com" in refused.err


def test_a_stack_that_is_another_product_is_refused_by_what_it_lacks(oriel, in_aws):
    refused = oriel("login", "--stack", stack(ApiUrl="https://x"))
    assert refused.code == 1
    assert "Audience, Issuer, UiOrigin" in refused.err


def test_a_stack_that_is_not_there_is_refused_with_what_to_check(oriel, in_aws):
    refused = oriel("login", "--stack", "oriel-nowhere")
    assert refused.code == 1
    assert "oriel-nowhere" in refused.err
    assert "region" in refused.err


def test_after_logout_the_commands_speak_to_this_machine(oriel):
    assert oriel("login", "--url", "https://api.example.com/", "--json").json["url"] == "https://api.example.com"
    assert oriel("logout", "--json").json == {"forgotten": True}
    assert oriel("logout", "--json").json == {"forgotten": False}
    refused = oriel("installs")
    assert "no local keyring" in refused.err


def test_login_wants_a_stack_or_an_address_and_not_both(oriel):
    assert oriel("login").code == oriel("login", "--stack", "a", "--url", "b").code == 1
