"""API keys and quotas over HTTP: who may make, see and end them."""

import httpx
import pytest

from oriel.identity import ApiKeys, Principal
from oriel.store.records import Execution
from registry.app import create_app
from tests.registry.stage import ADMIN, NAME, OPERATOR, OTHER_ADMIN, Stage
from tests.support.serving import Port

PEOPLE = {
    "admin": ADMIN,
    "other": OTHER_ADMIN,
    "operator": OPERATOR,
    "member": Principal(subject="mia", tenant_id="t1", roles=("member",)),
    "everybody": Principal(subject="eva", tenant_id="t1", roles=("admin", "publisher", "operator")),
}
KEY = {"name": "import", "permissions": ["configure"]}


class Platform:
    def __init__(self, stage, http):
        self.stage, self.store, self.http = stage, stage.registry.store, http

    def call(self, method, path, who=None, **request):
        headers = {"authorization": f"Bearer {who}"} if who else {}
        return self.http.request(method, f"/api/v1{path}", headers=headers, **request)

    def made(self, who="admin", path="/api-keys", **body):
        return self.call("POST", path, who, json=KEY | body)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One application for all tests: building it takes longer than most of them."""
    stage = Stage(tmp_path_factory.mktemp("platform"))
    stage.remember()
    keys = ApiKeys(stage.registry.store, ttl=0)

    def authenticate(authorization):
        token = (authorization or "").removeprefix("Bearer ")
        return PEOPLE[token] if token in PEOPLE else keys.principal(token)

    app = create_app(stage.registry, authenticate)
    with Port().serve(app) as origin, httpx.Client(base_url=origin, trust_env=False) as http:
        yield Platform(stage, http)
    stage.close()


@pytest.fixture
def platform(served):
    served.stage.reset()
    return served


# API keys


def test_a_key_is_shown_once_and_works_until_it_is_revoked(platform):
    made = platform.made(permissions=["install", "configure"])
    assert made.status_code == 201
    key, token = made.json(), made.json()["token"]
    assert (key["state"], key["permissions"], key["created_by"]) == ("live", ["configure", "install"], "t1/ada")
    assert platform.call("GET", "/installs", token).status_code == 200
    listed = platform.call("GET", "/api-keys", "admin")
    assert [entry["key_id"] for entry in listed.json()["items"]] == [key["key_id"]]
    assert "token" not in listed.json()["items"][0]
    assert "hash" not in listed.text
    assert platform.call("DELETE", f"/api-keys/{key['key_id']}", "admin").json()["state"] == "revoked"
    assert platform.call("GET", "/installs", token).json()["code"] == "unauthenticated"
    assert platform.call("DELETE", f"/api-keys/{key['key_id']}", "admin").status_code == 200


def test_nothing_of_a_key_that_would_open_anything_is_stored(platform):
    token = platform.made().json()["token"]
    written = b"".join(path.read_bytes() for path in platform.stage.folder.rglob("*") if path.is_file())
    assert token.split(".")[1].encode() in written
    assert token.encode() not in written
    assert token.split(".")[2].encode() not in written


def test_nobody_gives_a_key_more_than_they_have(platform):
    assert platform.made(permissions=["operate"]).status_code == 403
    assert platform.made("member").status_code == 403
    assert platform.made("everybody", permissions=["publish"]).status_code == 201


def test_a_key_makes_no_keys_and_revokes_none_but_itself(platform):
    mine, other = (platform.made(permissions=["install"]).json() for _ in range(2))
    assert platform.made(mine["token"], permissions=["install"]).status_code == 403
    assert platform.call("DELETE", f"/api-keys/{other['key_id']}", mine["token"]).status_code == 403
    assert platform.call("DELETE", f"/api-keys/{mine['key_id']}", mine["token"]).status_code == 200


def test_a_key_bound_to_an_extension_opens_that_one_alone(platform):
    token = platform.made(extension_id=NAME).json()["token"]
    missing = platform.call("GET", f"/installs/{NAME}", token)
    assert (missing.status_code, missing.json()["code"]) == (404, "extension_not_installed")
    for path in ("/installs/com.acme.other", "/installs", "/quotas", "/extensions/com.acme.other"):
        assert platform.call("GET", path, token).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"extension_id": NAME, "permissions": ["publish"]},
        {"extension_id": "../x"},
        {"permissions": []},
        {"permissions": ["fly"]},
        {"days": 0},
        {"days": 1_000},
        {"name": ""},
    ],
)
def test_a_key_that_cannot_be_is_refused(platform, body):
    assert platform.made("everybody", **body).status_code == 422


def test_keys_of_another_tenant_and_of_the_platform_are_not_there(platform):
    theirs = platform.made("other").json()["key_id"]
    platforms = platform.made("operator", "/platform/api-keys", permissions=["operate"]).json()
    for path in (f"/api-keys/{theirs}", f"/api-keys/{platforms['key_id']}"):
        assert platform.call("DELETE", path, "admin").status_code == 404
    assert platform.call("GET", "/api-keys", "admin").json()["items"] == []
    assert platform.call("GET", "/platform/api-keys", "admin").status_code == 403
    assert platform.call("GET", "/platform/api-keys", platforms["token"]).json()["items"][0]["name"] == "import"
    assert platform.call("DELETE", f"/platform/api-keys/{platforms['key_id']}", "operator").status_code == 200
    assert platform.call("GET", "/platform/api-keys", platforms["token"]).status_code == 401


# quotas


def test_an_operator_sets_defaults_and_values_and_the_tenant_sees_what_holds(platform):
    defaults = {"tenant": {"burst": 50}, "install": {"daily_invocations": 100}}
    assert platform.call("PUT", "/quota-defaults", "operator", json=defaults).json()["tenant"]["burst"] == 50
    assert platform.call("PUT", "/tenants/t1/quotas", "operator", json={"daily_cpu_ms": 900}).status_code == 200
    own = platform.call("PUT", f"/tenants/t1/quotas/{NAME}", "operator", json={"concurrent": 3})
    seen = platform.call("GET", "/quotas", "admin").json()
    assert seen == own.json()
    assert seen["tenant"]["quotas"] == {
        "requests_per_second": 2_000,
        "burst": 50,
        "concurrent": 400,
        "daily_cpu_ms": 900,
    }
    (line,) = seen["installs"]
    assert (line["extension_id"], line["own"], line["left"]) == (NAME, {"concurrent": 3}, {"daily_invocations": 100})
    assert platform.call("GET", "/quotas", "other").json()["tenant"]["own"] == {}
    platform.call("PUT", "/tenants/t1/quotas", "operator", json={})
    assert "daily_cpu_ms" not in platform.call("GET", "/quotas", "admin").json()["tenant"]["quotas"]


def test_the_use_of_today_is_counted_against_the_quotas(platform):
    now = platform.stage.registry.now()
    used = {"duration_ms": 10.0, "cpu_ms": 4.0, "peak_memory_bytes": 2_000_000, "egress_bytes": 7}
    entry = Execution(
        tenant_id="t1",
        execution_id="exe_1",
        request_id="req_1",
        extension_id=NAME,
        install_id="ins_1",
        version="1.0.0",
        content_hash="sha256:aa",
        trigger="http",
        method="GET",
        path="/",
        status=200,
        error_code=None,
        started_at=now,
        receipt=used,
    )
    platform.store.record_executions([entry])
    platform.call("PUT", "/tenants/t1/quotas", "operator", json={"daily_egress_bytes": 5, "daily_invocations": 9})
    seen = platform.call("GET", "/quotas", "admin").json()
    expected = {
        "daily_invocations": 1,
        "daily_cpu_ms": 4,
        "daily_memory_mb_ms": 20,
        "daily_egress_bytes": 7,
    }
    assert (seen["tenant"]["used"], seen["installs"][0]["used"]) == (expected, expected)
    assert seen["tenant"]["left"] == {"daily_invocations": 8, "daily_egress_bytes": 0}


@pytest.mark.parametrize("who", ["admin", "member"])
@pytest.mark.parametrize("path", ["/quota-defaults", "/tenants/t1/quotas", f"/tenants/t1/quotas/{NAME}"])
def test_only_operators_set_quotas(platform, who, path):
    assert platform.call("PUT", path, who, json={}).status_code == 403


@pytest.mark.parametrize("body", [{"burst": 0}, {"concurrent": -1}, {"requests_per_second": "fast"}, {"speed": 1}])
def test_a_quota_that_cannot_be_is_refused(platform, body):
    assert platform.call("PUT", "/tenants/t1/quotas", "operator", json=body).status_code == 422
