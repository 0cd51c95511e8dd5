"""The HTTP API: statuses, shapes, permissions, and the boundary between principals and tenants."""

import json
import re

import httpx
import pytest
from msgspec.structs import replace

from oriel.client import PlatformClient
from oriel.errors import OrielError
from oriel.identity import Principal
from oriel.signing import generate_key
from oriel.store import StoreUnavailable
from registry.app import create_app
from registry.worker import PublishWorker
from tests.registry.stage import (
    ADMIN,
    EVERYTHING,
    NAME,
    OPERATOR,
    OTHER_ADMIN,
    PUBLISHER,
    Stage,
    project,
    signed,
)
from tests.support.serving import Port

PEOPLE = {
    "admin": ADMIN,
    "other-admin": OTHER_ADMIN,
    "operator": OPERATOR,
    "publisher": PUBLISHER,
    "other-publisher": Principal(subject="bob", roles=("publisher",)),
    "same-name": Principal(subject="ann", tenant_id="t9", roles=("publisher",)),
    "member": Principal(subject="mia", tenant_id="t1", roles=("member",)),
}
CANARY = "canary-5f2b"
SETTINGS = {"type": "object", "properties": {"limit": {"type": "integer"}}}
HASH = "sha256:" + "a" * 64


def authenticate(authorization):
    person = PEOPLE.get((authorization or "").removeprefix("Bearer "))
    if person is None:
        raise OrielError("unauthenticated")
    return person


class Platform:
    """A registry's stage, its worker, and a client of its API."""

    def __init__(self, stage, worker, http):
        self.stage, self.worker, self.http = stage, worker, http

    def call(self, method, path, who=None, **request):
        headers = {"authorization": f"Bearer {who}"} if who else {}
        return self.http.request(method, f"/api/v1{path}", headers=headers, **request)

    def opened(self, packed, who="publisher"):
        body = {"content_hash": packed.content_hash, "size": len(packed.data)}
        return self.call("POST", "/uploads", who, json=body)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One application for all tests: building it takes longer than most of them."""
    stage = Stage(tmp_path_factory.mktemp("platform"))
    stage.add_publisher()
    stage.remember()
    platform = Platform(stage, PublishWorker(stage.registry), None)

    def wake(upload_id):
        platform.worker.wake(upload_id)

    app = create_app(stage.registry, authenticate, wake=wake)
    with Port().serve(app) as origin, httpx.Client(base_url=origin, trust_env=False) as platform.http:
        yield platform
    stage.close()


@pytest.fixture
def platform(served):
    served.stage.reset()
    served.worker = PublishWorker(served.stage.registry)
    return served


@pytest.fixture
def published(platform):
    platform.stage.publish(project(capabilities=EVERYTHING, settings=SETTINGS))
    return platform


def problem(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_publishing_over_http_from_session_to_ready(platform):
    packed = project()
    opened = platform.opened(packed)
    session = opened.json()
    assert (opened.status_code, session["state"]) == (201, "open")
    assert platform.call("PUT", f"/uploads/{session['upload_id']}/bundle", "publisher", content=packed.data).is_success
    body = {"signature": signed(packed)}
    accepted = platform.call("POST", f"/uploads/{session['upload_id']}/finalize", "publisher", json=body)
    assert (accepted.status_code, accepted.json()["state"]) == (202, "uploaded")
    assert accepted.headers["location"] == f"/api/v1/uploads/{session['upload_id']}"
    assert platform.worker.run_pending() is True
    polled = platform.http.get(accepted.headers["location"], headers={"authorization": "Bearer publisher"}).json()
    assert (polled["state"], polled["extension_id"], polled["version"], polled["findings"]) == (
        "ready",
        NAME,
        "1.0.0",
        [],
    )
    again = platform.opened(packed)
    assert (again.status_code, again.json()["upload_id"]) == (200, session["upload_id"])


def test_the_command_line_publishes_with_a_token_and_no_browser(platform):
    packed = project()
    platform.worker.start()
    with PlatformClient(str(platform.http.base_url), "publisher") as client:
        states = []
        assert client.publish(packed.data, signed(packed), states.append)["state"] == "ready"
        assert client.publish(packed.data, signed(packed))["state"] == "ready"
        with pytest.raises(OrielError) as refused:
            client.publish(project(title="Other").data, signed(project(title="Other")))
    platform.worker.stop()
    assert refused.value.code == "version_exists"
    assert states[-1] == "ready"


def test_a_session_belongs_to_its_principal(platform):
    packed = project()
    upload_id = platform.opened(packed).json()["upload_id"]
    for other in ("other-publisher", "same-name"):
        for method, path in [("GET", ""), ("PUT", "/bundle"), ("POST", "/finalize")]:
            answer = platform.call(method, f"/uploads/{upload_id}{path}", other, json={})
            problem(answer, 404, "not_found")
        assert platform.opened(packed, other).json()["upload_id"] != upload_id


def test_bytes_that_were_not_announced_are_refused_and_not_kept(platform):
    packed = project()
    upload_id = platform.opened(packed).json()["upload_id"]
    longer = platform.call("PUT", f"/uploads/{upload_id}/bundle", "publisher", content=packed.data + b"x")
    assert f"{len(packed.data):,}" in problem(longer, 413, "body_too_large")["detail"]
    changed = bytes([packed.data[0] ^ 1]) + packed.data[1:]
    for content in (packed.data[:-1], changed, b""):
        answer = platform.call("PUT", f"/uploads/{upload_id}/bundle", "publisher", content=content)
        problem(answer, 422, "hash_mismatch")
    assert list(platform.stage.blobs.list("staging/")) == []
    body = {"signature": signed(packed)}
    answer = platform.call("POST", f"/uploads/{upload_id}/finalize", "publisher", json=body)
    assert "upload_url" in problem(answer, 409, "conflict")["hint"]


def test_finalize_without_a_signature_or_with_an_endless_one_is_refused(platform):
    packed = project()
    upload_id = platform.opened(packed).json()["upload_id"]
    platform.call("PUT", f"/uploads/{upload_id}/bundle", "publisher", content=packed.data)
    path = f"/uploads/{upload_id}/finalize"
    problem(platform.call("POST", path, "publisher", json={}), 422, "signature_missing")
    endless = {"signature": {"payload": "x" * 100_000}}
    problem(platform.call("POST", path, "publisher", json=endless), 422, "signature_invalid")


def test_a_finalized_session_takes_no_more_bytes_and_finalizing_again_changes_nothing(platform):
    packed = project()
    upload_id = platform.stage.finalized(packed, author="/ann").upload_id
    answer = platform.call("PUT", f"/uploads/{upload_id}/bundle", "publisher", content=packed.data)
    problem(answer, 409, "conflict")
    body = {"signature": signed(packed, generate_key())}
    again = platform.call("POST", f"/uploads/{upload_id}/finalize", "publisher", json=body)
    assert (again.status_code, again.json()["state"]) == (202, "uploaded")
    assert platform.worker.run_pending()
    assert platform.stage.store.get_upload(upload_id).state == "ready"


def test_a_bundle_over_the_limit_is_refused_before_it_is_sent(platform):
    body = {"content_hash": "sha256:" + "a" * 64, "size": 64_000_001}
    answer = problem(platform.call("POST", "/uploads", "publisher", json=body), 413, "bundle_too_large")
    assert "64,000,000" in answer["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content_hash": "sha256:" + "A" * 64, "size": 1},
        {"content_hash": "../../etc/passwd", "size": 1},
        {"content_hash": "sha256:" + "a" * 64, "size": 0},
        {"content_hash": "sha256:" + "a" * 64, "size": 1, "extra": 1},
        [],
    ],
)
def test_a_malformed_session_is_refused_with_its_place(platform, body):
    answer = problem(platform.call("POST", "/uploads", "publisher", json=body), 422, "invalid_input")
    assert answer["findings"]


def test_a_rejection_names_every_reason_with_its_place(platform):
    packed = project(name="com.acme.x", publisher="com.acme")
    platform.stage.publishers.revoke(OPERATOR, "com.acme")
    upload_id = platform.stage.finalized(packed, signed(packed, generate_key()), author="/ann").upload_id
    platform.worker.run_pending()
    view = platform.call("GET", f"/uploads/{upload_id}", "publisher").json()
    assert view["state"] == "rejected"
    assert [(finding["code"], finding["at"]) for finding in view["findings"]] == [
        ("forbidden", "publisher"),
        ("signature_untrusted", ""),
    ]


def test_the_catalogue_shows_what_an_administrator_looks_at(published):
    published.stage.publish(project("0.9.0"))
    listed = published.call("GET", "/extensions", "member").json()
    assert [(item["extension_id"], item["latest"]) for item in listed["items"]] == [(NAME, "1.0.0")]
    shown = published.call("GET", f"/extensions/{NAME}", "member").json()
    assert [version["version"] for version in shown["versions"]] == ["1.0.0", "0.9.0"]
    version = published.call("GET", f"/extensions/{NAME}/versions/latest", "member").json()
    assert (version["version"], version["publisher"], version["size"] > 0) == ("1.0.0", "com.acme", True)
    assert version["capabilities"][1] == {
        "name": "http.fetch",
        "summary": "Send requests to the hosts named, and to no others.",
        "purpose": "To send them.",
        "hosts": ["api.acme.com", "*.acme.net"],
        "takes_hosts": True,
        "operations": [],
        "takes_operations": False,
        "topics": [],
        "takes_topics": False,
        "sensitive": True,
    }
    assert version["manifest"]["name"] == NAME
    problem(published.call("GET", f"/extensions/{NAME}/versions/9.9.9", "member"), 404, "not_found")
    problem(published.call("GET", "/extensions/com.acme.none", "member"), 404, "not_found")


def test_a_version_is_withdrawn_by_an_operator_or_by_who_published_it(published):
    path = f"/extensions/{NAME}/versions/1.0.0/status"
    for who in ("admin", "member", "other-publisher", "same-name"):
        problem(published.call("POST", path, who, json={"status": "yanked"}), 403, "forbidden")
    assert published.call("POST", path, "publisher", json={"status": "yanked"}).json()["status"] == "yanked"
    assert published.call("POST", path, "operator", json={"status": "ready"}).json()["status"] == "ready"
    problem(published.call("POST", path, "operator", json={"status": "gone"}), 422, "invalid_input")


def test_the_life_of_an_install(published):
    asked = problem(published.call("POST", "/installs", "admin", json={"extension_id": NAME}), 422, "consent_required")
    assert [ask["name"] for ask in asked["capabilities"]] == ["storage.kv", "http.fetch", "secrets.get"]
    body = {"extension_id": NAME, "grants": [{"capability": "storage.kv", "hosts": []}]}
    created = published.call("POST", "/installs", "admin", json=body)
    view = created.json()
    assert (created.status_code, view["tenant_id"], view["status"]) == (201, "t1", "enabled")
    assert [ask["name"] for ask in view["missing"]] == ["http.fetch", "secrets.get"]
    assert published.call("POST", "/installs", "admin", json=body).status_code == 200
    granted = published.call("PUT", f"/installs/{NAME}/grants", "admin", json={"grants": []}).json()
    assert granted["grants"] == []
    assert published.call("PATCH", f"/installs/{NAME}", "admin", json={"status": "disabled"}).json()["status"] == (
        "disabled"
    )
    assert len(published.call("GET", "/installs", "member").json()["items"]) == 1
    gone = published.call("DELETE", f"/installs/{NAME}", "admin").json()
    assert (gone["status"], gone["delete_at"] > gone["updated_at"]) == ("uninstalled", True)
    assert published.call("POST", f"/installs/{NAME}/delete", "admin").json()["deleted"]["installs"] == 1
    problem(published.call("GET", f"/installs/{NAME}", "admin"), 404, "extension_not_installed")


def test_a_secret_goes_in_and_never_comes_out(published):
    published.call("POST", "/installs", "admin", json={"extension_id": NAME, "grants": []})
    path = f"/installs/{NAME}/secrets"
    answers = [
        published.call("PUT", f"{path}/token", "admin", json={"value": CANARY, "hosts": ["api.acme.com"]}),
        published.call("PUT", f"{path}/1bad", "admin", json={"value": CANARY}),
        published.call("PUT", f"{path}/token", "admin", json={"value": {"nested": CANARY}}),
        published.call("PUT", f"{path}/token", "admin", json={"valu": CANARY}),
        published.call("PUT", f"{path}/token", "member", json={"value": CANARY}),
        published.call("GET", path, "admin"),
        published.call("GET", f"/installs/{NAME}", "admin"),
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 422, 422, 403, 200, 200]
    assert all(CANARY not in answer.text for answer in answers)
    (listed,) = answers[5].json()["items"]
    assert (listed["name"], listed["hosts"], set(listed)) == (
        "token",
        ["api.acme.com"],
        {"name", "hosts", "reference_only", "updated_at"},
    )
    assert published.call("DELETE", f"{path}/token", "admin").status_code == 204
    problem(published.call("DELETE", f"{path}/token", "admin"), 404, "not_found")


def test_an_export_is_a_download_of_lines(published):
    published.call("POST", "/installs", "admin", json={"extension_id": NAME, "grants": []})
    answer = published.call("GET", f"/installs/{NAME}/export", "admin")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == f'attachment; filename="{NAME}.ndjson"'
    assert [json.loads(line)["kind"] for line in answer.text.splitlines()] == ["install", "end"]


def test_a_grant_that_has_ended_is_missing_again(published):
    body = {"extension_id": NAME, "grants": [{"capability": "storage.kv"}]}
    published.call("POST", "/installs", "admin", json=body)
    install = published.stage.store.get_install("t1", NAME)
    ended = tuple(replace(grant, expires_at=1) for grant in install.grants)
    published.stage.store.replace_install(replace(install, grants=ended, revision=2))
    view = published.call("GET", f"/installs/{NAME}", "admin").json()
    assert "storage.kv" in {ask["name"] for ask in view["missing"]}


def test_another_tenants_install_is_not_there_on_any_route(published):
    published.call("POST", "/installs", "admin", json={"extension_id": NAME, "grants": []})
    published.call("PUT", f"/installs/{NAME}/secrets/token", "admin", json={"value": "x"})
    requests = [
        ("GET", "", None),
        ("PATCH", "", {"status": "disabled"}),
        ("DELETE", "", None),
        ("PUT", "/grants", {"grants": []}),
        ("PUT", "/config", {"config": {}}),
        ("GET", "/secrets", None),
        ("PUT", "/secrets/token", {"value": "y"}),
        ("DELETE", "/secrets/token", None),
        ("PUT", "/grants/storage.kv", {}),
        ("DELETE", "/grants/storage.kv", None),
        ("GET", "/upgrade", None),
        ("POST", "/upgrade", {}),
        *(("POST", path, None) for path in ("/rollback", "/restore", "/delete")),
        ("GET", "/export", None),
    ]
    for method, path, body in requests:
        answer = published.call(method, f"/installs/{NAME}{path}", "other-admin", json=body)
        problem(answer, 404, "extension_not_installed")
    assert published.call("GET", "/installs", "other-admin").json()["items"] == []
    assert published.call("GET", "/menu", "other-admin").json() == {"items": []}


def test_limits_of_an_install_are_set_whole_and_shown(published):
    published.call("POST", "/installs", "admin", json={"extension_id": NAME, "grants": []})
    path = f"/installs/{NAME}"
    assert published.call("GET", path, "admin").json()["limits"] == {}
    for limits in ({"timeout_ms": 500, "max_log_lines": 0}, {"memory_mb": 32}, {}):
        assert published.call("PATCH", path, "admin", json={"limits": limits}).json()["limits"] == limits
    assert published.call("PATCH", path, "admin", json={"status": "disabled"}).json()["limits"] == {}


@pytest.mark.parametrize("limits", [{"timeout_ms": 0}, {"timeout_ms": "500"}, {"no_such": 1}, {"memory_mb": 10**9}, []])
def test_limits_that_are_none_are_refused_by_name(published, limits):
    published.call("POST", "/installs", "admin", json={"extension_id": NAME, "grants": []})
    refused = published.call("PATCH", f"/installs/{NAME}", "admin", json={"limits": limits})
    assert "limits" in problem(refused, 422, "invalid_input")["findings"][0]["at"]


def test_an_operator_sees_what_is_in_quarantine_and_lifts_it(published):
    published.stage.quarantine(HASH)
    (shown,) = published.call("GET", "/quarantine", "operator").json()["items"]
    assert (shown["content_hash"], shown["extension_id"], shown["deaths"]) == (HASH, NAME, 3)
    assert published.call("DELETE", f"/quarantine/{HASH}", "operator").status_code == 204
    problem(published.call("DELETE", f"/quarantine/{HASH}", "operator"), 404, "not_found")
    problem(published.call("DELETE", "/quarantine/abc", "operator"), 422, "invalid_input")


def test_a_tenant_in_a_header_or_a_body_changes_nothing(published):
    headers = {"authorization": "Bearer other-admin", "x-tenant-id": "t1"}
    body = {"extension_id": NAME, "grants": []}
    assert published.http.post("/api/v1/installs", headers=headers, json=body).json()["tenant_id"] == "t2"
    claiming = published.call("POST", "/installs", "admin", json=body | {"tenant_id": "t2"})
    problem(claiming, 422, "invalid_input")


def routes():
    upload, extension, install = "/uploads/u", f"/extensions/{NAME}", f"/installs/{NAME}"
    return [
        ("GET", "/me", None),
        ("POST", "/uploads", "publish"),
        ("GET", upload, "publish"),
        ("PUT", f"{upload}/bundle", "publish"),
        ("POST", f"{upload}/finalize", "publish"),
        ("POST", "/publishers", "operate"),
        ("GET", "/publishers", None),
        ("GET", "/publishers/com.acme", None),
        ("POST", "/publishers/com.acme/keys", "operate"),
        ("POST", "/publishers/com.acme/keys/k/revoke", "operate"),
        ("POST", "/publishers/com.acme/revoke", "operate"),
        ("GET", "/extensions", None),
        ("GET", extension, None),
        ("GET", f"{extension}/versions/1.0.0", None),
        ("POST", f"{extension}/versions/1.0.0/status", "publish"),
        ("GET", "/quarantine", "operate"),
        ("POST", "/collection", "operate"),
        ("DELETE", f"/quarantine/{HASH}", "operate"),
        ("POST", "/installs", "install"),
        ("GET", "/installs", None),
        ("GET", install, None),
        ("PATCH", install, "install"),
        ("DELETE", install, "install"),
        ("PUT", f"{install}/grants", "install"),
        ("PUT", f"{install}/grants/storage.kv", "install"),
        ("DELETE", f"{install}/grants/storage.kv", "install"),
        ("GET", f"{install}/upgrade", "install"),
        ("POST", f"{install}/upgrade", "install"),
        ("POST", f"{install}/rollback", "install"),
        ("POST", f"{install}/restore", "install"),
        ("POST", f"{install}/delete", "install"),
        ("GET", f"{install}/export", "install"),
        ("GET", f"{extension}/rollouts", None),
        ("GET", f"{extension}/versions/1.1.0/rollout", None),
        ("POST", f"{extension}/versions/1.1.0/rollout", "publish"),
        ("PATCH", f"{extension}/versions/1.1.0/rollout", "publish"),
        ("PUT", f"{install}/config", "configure"),
        ("GET", f"{install}/secrets", "configure"),
        ("PUT", f"{install}/secrets/s", "configure"),
        ("DELETE", f"{install}/secrets/s", "configure"),
        ("GET", "/menu", None),
        ("GET", "/executions", "observe"),
        ("GET", "/executions/tail", "observe"),
        ("GET", "/executions/stream", "observe"),
        ("GET", "/executions/e", "observe"),
        ("GET", "/executions/e/fixture", "record"),
        ("GET", f"{install}/fixtures", "record"),
        ("GET", "/logs", "observe"),
        ("GET", "/usage", "observe"),
        ("GET", "/usage.csv", "observe"),
        ("GET", "/usage/series", "observe"),
        ("GET", "/usage/tenants", "operate"),
        ("GET", "/usage/tenants.csv", "operate"),
        ("POST", "/api-keys", "install"),
        ("GET", "/api-keys", "install"),
        ("DELETE", "/api-keys/{key_id}", "install"),
        ("POST", "/platform/api-keys", "operate"),
        ("GET", "/platform/api-keys", "operate"),
        ("DELETE", "/platform/api-keys/{key_id}", "operate"),
        ("GET", "/quotas", "configure"),
        ("GET", "/quota-defaults", "operate"),
        ("PUT", "/quota-defaults", "operate"),
        ("GET", "/tenants/t1/quotas", "operate"),
        ("PUT", "/tenants/t1/quotas", "operate"),
        ("PUT", f"/tenants/t1/quotas/{NAME}", "operate"),
        ("GET", "/data-key", "operate"),
        ("POST", "/data-key/rotate", "operate"),
        ("GET", "/audit", "configure"),
        ("POST", "/audit/verify", "configure"),
        ("GET", "/audit/checkpoint", "configure"),
        ("GET", "/audit/platform", "operate"),
        ("POST", "/audit/platform/verify", "operate"),
        ("GET", "/audit/platform/checkpoint", "operate"),
        ("POST", "/audit/chains/verify", "operate"),
        ("POST", "/events", "emit"),
        ("GET", "/events", "configure"),
        ("GET", "/events/e", "configure"),
        ("GET", "/events/subscriptions", "configure"),
        ("GET", "/events/dead-letters", "configure"),
        ("POST", "/events/dead-letters/redrive", "configure"),
        ("POST", "/events/dead-letters/e/redrive", "configure"),
        ("POST", "/events/replay", "configure"),
        ("GET", "/schedules", "configure"),
        ("POST", "/schedules", "configure"),
        ("POST", "/schedules/preview", "configure"),
        ("GET", "/schedules/s", "configure"),
        ("PATCH", "/schedules/s", "configure"),
        ("DELETE", "/schedules/s", "configure"),
        ("POST", "/schedules/s/runs", "configure"),
        ("GET", "/schedules/s/runs", "configure"),
    ]


BODY = {
    "/uploads": {"content_hash": "sha256:" + "a" * 64, "size": 1},
    "/publishers": {"publisher": "com.x"},
    "/publishers/com.acme/keys": {"public_key_pem": "x"},
    f"/extensions/{NAME}/versions/1.0.0/status": {"status": "ready"},
    f"/extensions/{NAME}/versions/1.1.0/rollout": {"percent": 1},
    "/installs": {"extension_id": NAME},
    "/api-keys": {"name": "ci", "permissions": ["configure"]},
    "/platform/api-keys": {"name": "ci", "permissions": ["operate"]},
    f"/installs/{NAME}/grants": {"grants": []},
    f"/installs/{NAME}/config": {"config": {}},
    f"/installs/{NAME}/secrets/s": {"value": "x"},
    "/events": {"topic": "a.b"},
    "/events/replay": {"extension_id": NAME, "since": 0},
    "/schedules": {"extension_id": NAME, "name": "n", "cron": "0 9 * * *", "path": "/items"},
    "/schedules/preview": {"cron": "0 9 * * *"},
}
DAYS = {"since": "2026-01-01", "until": "2026-01-01"}
NEEDED = {
    **dict.fromkeys(("/usage", "/usage.csv", "/usage/tenants.csv"), DAYS),
    "/usage/series": {"since": 0, "until": 60_000},
    "/usage/tenants": {"day": "2026-01-01"},
}


def test_every_route_needs_a_token_and_its_permission(published):
    for method, path, permission in routes():
        params = NEEDED.get(path)
        body = BODY.get(path, {}) if method in {"POST", "PUT", "PATCH"} else None
        problem(published.call(method, path, json=body), 401, "unauthenticated")
        problem(published.call(method, path, "nobody", json=body), 401, "unauthenticated")
        if permission:
            answer = published.call(method, path, "member", json=body, params=params)
            assert f"'{permission}'" in problem(answer, 403, "forbidden")["detail"]


UNAUDITED = {
    "/uploads": "a session changes nothing; its publication is audited",
    "/audit": "verifying changes nothing",
    "/collection": "see test_what_no_version_refers_to_goes_after_a_day_and_is_audited",
    "/events": "events are kept themselves; what is sent again is audited, see test_happening",
    "/schedules": "as above",
}


def changes():
    """Requests that change something, one after the other, as (who, method, path, body, action)."""
    extension, install = f"/extensions/{NAME}/versions/1.0.0/status", f"/installs/{NAME}"
    rollout = f"/extensions/{NAME}/versions/1.1.0/rollout"
    key = {"public_key_pem": generate_key().public.to_pem()}
    granted = {"grants": [{"capability": "storage.kv"}]}
    return [
        ("operator", "POST", "/publishers", {"publisher": "org.bolt"}, "publisher.register"),
        ("operator", "POST", "/publishers/org.bolt/keys", key, "publisher.key.add"),
        ("operator", "POST", "/publishers/org.bolt/keys/{key_id}/revoke", None, "publisher.key.revoke"),
        ("operator", "POST", "/publishers/org.bolt/revoke", None, "publisher.revoke"),
        ("admin", "POST", "/installs", {"extension_id": NAME, "version": "1.0.0", "grants": []}, "install.create"),
        ("operator", "POST", extension, {"status": "deprecated"}, "version.deprecate"),
        ("admin", "PATCH", install, {"status": "disabled"}, "install.disable"),
        ("admin", "PUT", f"{install}/grants", granted, "grants.set"),
        ("admin", "PUT", f"{install}/config", {"config": {"limit": 1}}, "config.set"),
        ("admin", "PUT", f"{install}/secrets/s", {"value": CANARY}, "secret.set"),
        ("admin", "DELETE", f"{install}/secrets/s", None, "secret.delete"),
        ("admin", "DELETE", f"{install}/grants/storage.kv", None, "grants.revoke"),
        ("admin", "PUT", f"{install}/grants/storage.kv", {"expires_at": 4_000_000_000_000}, "grants.grant"),
        ("admin", "POST", f"{install}/upgrade", {"version": "1.1.0"}, "install.upgrade"),
        ("admin", "POST", f"{install}/rollback", None, "install.rollback"),
        ("operator", "POST", rollout, {"percent": 5}, "rollout.start"),
        ("operator", "PATCH", rollout, {"status": "paused"}, "rollout.pause"),
        ("admin", "DELETE", install, None, "install.uninstall"),
        ("admin", "POST", f"{install}/restore", None, "install.restore"),
        ("admin", "DELETE", install, None, "install.uninstall"),
        ("admin", "POST", f"{install}/delete", None, "install.delete"),
        ("admin", "POST", "/api-keys", {"name": "ci", "permissions": ["configure"]}, "api-key.create"),
        ("admin", "DELETE", "/api-keys/{key_id}", None, "api-key.revoke"),
        ("operator", "POST", "/platform/api-keys", {"name": "ci", "permissions": ["operate"]}, "api-key.create"),
        ("operator", "DELETE", "/platform/api-keys/{key_id}", None, "api-key.revoke"),
        ("operator", "POST", "/data-key/rotate", None, "data-key.rotate"),
        ("operator", "PUT", "/quota-defaults", {"tenant": {"daily_invocations": 9}}, "quotas.defaults"),
        ("operator", "PUT", "/tenants/t1/quotas", {"daily_invocations": 8}, "quotas.set"),
        ("operator", "PUT", f"/tenants/t1/quotas/{NAME}", {"daily_invocations": 7}, "quotas.set"),
        ("operator", "DELETE", f"/quarantine/{HASH}", None, "quarantine.lift"),
    ]


def test_every_change_over_http_leaves_one_entry_and_no_other_request_does(published):
    published.stage.quarantine(HASH)
    published.stage.publish(project("1.1.0", capabilities=EVERYTHING, settings=SETTINGS))
    names = {"admin": "t1/ada", "operator": "/op"}
    key_id = None
    for who, method, path, body, action in changes():
        chain = "t1" if who == "admin" or "/tenants/t1" in path else None
        before = published.stage.store.get_audit_head(chain)
        answer = published.call(method, path.format(key_id=key_id), who, json=body)
        assert answer.is_success, (path, answer.text)
        key_id = answer.json().get("key_id", key_id) if answer.content else key_id
        *begun, entry = published.stage.store.read_audit(chain, before.sequence if before else 0)
        assert [one.action for one in begun] == (["install.deleting"] if action == "install.delete" else [])
        assert (entry.actor, entry.action) == (names[who], action), path
        assert CANARY not in repr(entry)
        for read in ("/installs", "/menu", "/audit"):
            assert published.call("GET", read, "admin").is_success
    assert published.call("POST", "/audit/verify", "admin", json={}).json()["intact"]


def test_every_route_that_changes_something_is_among_those_changes():
    def shape(method, path):
        return method, re.sub(r"org\.bolt|com\.acme(?=/|$)|\{key_id\}|(?<=keys/)k(?=/)", "*", path)

    changing = {shape(method, path) for method, path, _ in routes() if method != "GET"}
    audited = {shape(method, path) for _, method, path, _, _ in changes()}
    missing = {(method, path) for method, path in changing - audited if not path.startswith(tuple(UNAUDITED))}
    assert missing == set()


def test_every_route_of_the_api_is_in_the_list_above(platform):
    described = platform.http.get("/openapi.json").json()["paths"]
    count = sum(len(methods) for path, methods in described.items() if path.startswith("/api/v1/"))
    assert count == len(routes())


def test_publishers_and_keys_are_the_operators(platform):
    body = {"publisher": "org.bolt"}
    created = platform.call("POST", "/publishers", "operator", json=body)
    assert (created.status_code, created.json()["prefixes"]) == (201, ["org.bolt"])
    assert platform.call("POST", "/publishers", "operator", json=body).status_code == 200
    pem = generate_key().public.to_pem()
    key = platform.call("POST", "/publishers/org.bolt/keys", "operator", json={"public_key_pem": pem}).json()
    revoked = platform.call("POST", f"/publishers/org.bolt/keys/{key['key_id']}/revoke", "operator").json()
    assert revoked["revoked_at"] is not None
    shown = platform.call("GET", "/publishers/org.bolt", "publisher").json()
    assert shown["keys"][0]["revoked_at"] == revoked["revoked_at"]
    assert platform.call("POST", "/publishers/org.bolt/revoke", "operator").json()["revoked_at"] is not None


def test_health_tells_whether_the_store_answers(platform, monkeypatch):
    assert platform.http.get("/healthz").json() == {"status": "ok"}

    def down():
        raise StoreUnavailable

    monkeypatch.setattr(platform.stage.store, "ping", down)
    answer = platform.http.get("/healthz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_no_answer_is_kept_by_a_cache(published):
    for path in ("/healthz", "/api/v1/extensions", "/api/v1/none"):
        answer = published.http.get(path, headers={"authorization": "Bearer member"})
        assert answer.headers.get("cache-control") == "no-store", path


def test_an_unforeseen_fault_says_nothing_of_the_inside(platform, monkeypatch):
    def broken(*_args):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(platform.stage.store, "list_extensions", broken)
    answer = platform.call("GET", "/extensions", "member")
    problem(answer, 500, "internal")
    assert CANARY not in answer.text
