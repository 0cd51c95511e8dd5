"""Keys of the functions: who verifies with them finds them, before a rotation, in the middle of one, and after it."""

import hashlib

import httpx
import jwt
import pytest

from tests.local.test_host_operations import NAME, ORDERS
from tests.support.platform import client, publish, publish_and_install
from tests.support.stack import boto


@pytest.fixture(scope="module")
def orders(platform, product):
    """Calls the extension that asks the product, and gives what the product was sent."""
    asked = [{"name": "host.call", "purpose": "Show them.", "operations": ["orders.list"]}]
    publish(platform, ORDERS, name=NAME, capabilities=asked)
    with client(platform) as admin:
        admin.install(NAME, grants=[{"capability": "host.call"}])

        def call():
            answer = admin.call(NAME, "/")
            assert (answer.status_code, answer.text) == (200, "[]")
            return product.calls[-1]

        yield call


def key_set(platform, path):
    answer = httpx.get(platform.base_url + path, trust_env=False)
    assert answer.status_code == 200, answer.text
    return {key["kid"]: key for key in answer.json()["keys"]}


def rotate(platform, secret):
    boto("secretsmanager").put_secret_value(
        SecretId=platform.stack.environment["RunnerFunction"][secret].removeprefix("secretsmanager:"),
        SecretString="r" * 64,
    )


def test_the_product_verifies_a_call_with_a_key_that_the_gateway_gives_before_and_after_a_rotation(platform, orders):
    token, body = orders()
    before = key_set(platform, "/.well-known/jwks.json")
    assert verified(token, before)["body_sha256"] == hashlib.sha256(body).hexdigest()
    rotate(platform, "ORIEL_HOST_SECRET")
    with platform.started_anew("RunnerFunction", "GatewayFunction"):
        later, _ = orders()
        after = key_set(platform, "/.well-known/jwks.json")
        assert before.keys() < after.keys()
        assert verified(later, after)["operation"] == "orders.list"
        assert verified(token, after)
        assert jwt.get_unverified_header(later)["kid"] not in before


def verified(token, keys):
    key = jwt.PyJWK(keys[jwt.get_unverified_header(token)["kid"]])
    return jwt.decode(token, key, algorithms=["EdDSA"], audience="oriel-host", issuer="oriel-runner")


def test_another_platform_key_signs_and_what_the_former_one_signed_still_runs(platform, orders):
    environment = platform.stack.environment["RunnerFunction"]
    former = environment["ORIEL_PLATFORM_KEY"]
    made = boto("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    settings = {"ORIEL_PLATFORM_KEY": f"kms:{made}", "ORIEL_BELIEVED_PLATFORM_KEYS": former}
    with platform.started_anew("RunnerFunction", "PublisherFunction", **settings):
        orders()
        extension = publish_and_install(platform, name="com.acme.later")
        with client(platform) as caller:
            assert caller.call(extension, "/").status_code == 200
    with platform.started_anew("RunnerFunction"), client(platform) as caller:
        assert caller.call(extension, "/").json()["code"] == "artifact_unavailable"
