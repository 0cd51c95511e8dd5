"""An extension calls the example product: consent, the signed call, its verification, the tenant's own data."""

import json

import httpx
import pytest

from oriel.identity.key_sets import key_id_of
from oriel.local import LocalPlatform
from oriel.local.demo import OPERATIONS, _host_product
from tests.guests.build import guest
from tests.support.platform import client, local_settings, publish, register_acme

NAME = "com.acme.orders"
ORDERS = guest(
    """(call $host.call (i32.const 1024) (i32.const 11) (i32.const 1035) (i32.const 17) (i32.const 2048))
       (if (i32.load8_u (i32.const 2048)) (then (return (call $respond
         (i32.add (i32.const 500) (i32.load8_u (i32.const 2052)))
         (i32.const 0) (i32.const 0) (i32.const 1) (i32.load (i32.const 2056)) (i32.load (i32.const 2060))))))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0)
         (i32.const 1) (i32.load (i32.const 2052)) (i32.load (i32.const 2056)))""",
    imports=("host.call",),
    data="orders.list{\\22state\\22: \\22open\\22}",
)
"""Answers the open orders; where the call fails, 500 and the number of the error's case, with its sentence."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    settings = local_settings(tmp_path_factory.mktemp("product"), host_operations=OPERATIONS, cache_seconds=0)
    with LocalPlatform(settings, product=_host_product) as up:
        register_acme(up)
        asked = [{"name": "host.call", "purpose": "Show them.", "operations": ["orders.list"]}]
        publish(up, ORDERS, name=NAME, capabilities=asked)
        yield up


def called(platform, tenant, grants):
    with client(platform, tenant=tenant) as admin:
        admin.install(NAME, grants=grants)
        admin.api("PUT", f"/installs/{NAME}/grants", json={"grants": grants})
        return admin.call(NAME, "/")


@pytest.mark.parametrize(("tenant", "numbers"), [("northwind", ["NW-1042"]), ("contoso", ["C-77310"])])
def test_each_tenant_gets_its_own_orders_from_the_product(platform, tenant, numbers):
    answer = called(platform, tenant, [{"capability": "host.call"}])
    assert answer.status_code == 200, answer.text
    assert [order["number"] for order in answer.json()["orders"]] == numbers


def test_a_customer_that_the_product_does_not_know_is_its_own_refusal(platform):
    answer = called(platform, "stranger", [{"capability": "host.call"}])
    assert answer.status_code == 500


def test_without_consent_the_product_is_not_called(platform):
    answer = called(platform, "northwind", [])
    assert (answer.status_code, "host.call" in answer.text) == (500, True)


@pytest.mark.parametrize("token", ["none", "x.y.z"])
def test_the_product_refuses_who_is_not_oriel(platform, token):
    answer = httpx.post(
        f"{platform.base_url}/operations/orders", content=b'{"input": {}}', headers={"authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401


def test_the_product_refuses_a_token_made_for_another_body_or_operation(platform, tmp_path):
    from oriel.contract import ExecutionContext
    from oriel.identity.product import HostTokenSigner

    names = ("request_id", "execution_id", "extension_id", "install_id", "version_id", "version")
    context = ExecutionContext(tenant_id="northwind", content_hash="sha256:" + "0" * 64, **dict.fromkeys(names, "x"))
    signer, body = HostTokenSigner(platform.keyring.host_key), json.dumps({"input": {}}).encode()

    def status(token, sent):
        headers = {"authorization": f"Bearer {token}"}
        return httpx.post(f"{platform.base_url}/operations/orders", content=sent, headers=headers).status_code

    assert status(signer.mint(body, "orders.list", context), body) == 200
    assert status(signer.mint(body, "orders.list", context), body + b" ") == 401
    assert status(signer.mint(body, "orders.delete", context), body) == 401


def test_the_key_is_in_the_published_set_and_signs_nothing_else(platform):
    keys = httpx.get(f"{platform.base_url}/.well-known/jwks.json").json()["keys"]
    own, host = (key["kid"] for key in keys)
    assert own == "local"
    assert host == key_id_of("oriel-host", platform.keyring.host_key.public_key())
