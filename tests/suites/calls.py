"""What a user meets, through HTTP alone: every refusal says what is wrong and how to mend it."""

import hashlib
import time

import httpx
import pytest

from oriel.errors import OrielError
from oriel.signing import generate_key
from tests.guests import hostile
from tests.guests.build import guest
from tests.support.platform import (
    client,
    envelope,
    packed,
    publish,
    publish_and_install,
    token,
)

STORAGE_DENIED_IS_STATUS = guest(
    """(call $storage.get (i32.const 1024) (i32.const 3) (i32.const 2048))
       (call $respond (i32.add (i32.const 200) (i32.add (i32.load8_u (i32.const 2048)) (i32.load8_u (i32.const 2056))))
         (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
    imports=("storage.get",),
    data="key",
)
"""Answers 200 where `storage.get` answers ok, 201 where its error is the first case: `denied`."""


def named(request):
    """A name of its own for each test, so that they do not meet."""
    return f"com.acme.t{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"


def problem_of(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code", "hint", "request_id"} <= problem.keys()
    assert problem["status"] == answer.status_code
    return problem


@pytest.fixture(scope="module")
def hello(platform):
    """An extension that answers, for tests that change nothing of it."""
    return publish_and_install(platform, hostile.HELLO, name="com.acme.hello")


def test_an_extension_is_published_installed_and_called(platform, request):
    extension = publish_and_install(platform, hostile.HELLO, name=named(request))
    with client(platform) as caller:
        answer = caller.call(extension, "/")
    assert (answer.status_code, answer.text) == (200, "hello")
    assert answer.headers["x-ext-execution-id"].startswith("exe_")


def test_a_call_leaves_a_receipt_and_is_counted(platform, request):
    extension = publish_and_install(platform, hostile.LOG_ONCE, name=named(request))
    with client(platform) as caller:
        execution_id = caller.call(extension, "/").headers["x-ext-execution-id"]
        execution = wait_for(lambda: caller.api("GET", f"/executions/{execution_id}"))
        assert execution["receipt"]["duration_ms"] > 0
        assert [line["message"] for line in execution["logs"]] == ["hello"]
        today = time.strftime("%Y-%m-%d", time.gmtime())
        usage = caller.api("GET", "/usage", params={"since": today, "until": today})["items"]
    assert [entry["invocations"] for entry in usage if entry["extension_id"] == extension] == [1]


def wait_for(read, seconds=5.0):
    """What `read` gives as soon as it is there: receipts are written off the request path."""
    until = time.monotonic() + seconds
    while True:
        try:
            return read()
        except OrielError as error:
            if error.code != "not_found" or time.monotonic() > until:
                raise
        time.sleep(0.02)


def test_another_tenants_token_finds_nothing(platform, hello):
    with client(platform, tenant="contoso") as stranger:
        assert problem_of(stranger.call(hello, "/"))["code"] == "extension_not_installed"


def test_a_tenant_header_cannot_name_another_tenant(platform, hello):
    with client(platform, tenant="contoso") as stranger:
        answer = stranger.call(hello, "/", headers=[("x-tenant-id", "northwind")])
    assert problem_of(answer)["code"] == "tenant_mismatch"


def test_an_expired_token_is_told_apart_from_a_bad_one(platform, hello):
    url = f"{platform.base_url}/api/ext/{hello}/"
    seen = {
        name: problem_of(httpx.get(url, headers={"authorization": f"Bearer {value}"}, trust_env=False))["code"]
        for name, value in {"expired": token(platform, lifetime=-600), "bad": "abc.def.ghi"}.items()
    }
    assert seen == {"expired": "token_expired", "bad": "unauthenticated"}


def test_an_undeclared_endpoint_and_an_undeclared_method_are_refused(platform, hello):
    with client(platform) as caller:
        assert problem_of(caller.call(hello, "/nowhere"))["code"] == "endpoint_not_found"
        refused = caller.call(hello, "/", method="DELETE")
    assert problem_of(refused)["code"] == "method_not_allowed"
    assert "GET" in refused.headers["allow"]


def test_a_body_over_the_limit_names_the_limit(platform, request):
    extension = publish_and_install(platform, hostile.ECHO, name=named(request))
    with client(platform) as caller:
        problem = problem_of(caller.call(extension, "/", method="POST", body=b"x" * 100_001))
    assert problem["code"] == "body_too_large"
    assert "100,000" in problem["detail"]


def test_a_body_comes_back_as_it_was_sent(platform, request):
    extension = publish_and_install(platform, hostile.ECHO, name=named(request))
    with client(platform) as caller:
        for body in (b"", "grüße".encode(), bytes(range(256)) * 100):
            assert caller.call(extension, "/", method="POST", body=body).content == body


@pytest.mark.parametrize(
    ("component", "code", "status"),
    [
        (hostile.LOOP, "deadline_exceeded", 504),
        (hostile.TRAP, "guest_trap", 502),
        (hostile.RECURSION, "stack_overflow", 502),
        (hostile.MEMORY_HOG, "memory_limit", 502),
        (hostile.status(99), "bad_response", 502),
    ],
    ids=["a-loop", "a-trap", "recursion", "memory", "status-99"],
)
def test_a_guest_that_fails_costs_its_own_request_alone(platform, hello, component, code, status):
    limits = {"timeout_ms": 300 if code == "deadline_exceeded" else 10_000, "memory_mb": 32}
    name = f"com.acme.{code.replace('_', '-')}"
    failing = publish_and_install(platform, component, name=name, limits=limits)
    with client(platform) as caller:
        answer = caller.call(failing, "/")
        assert (answer.status_code, problem_of(answer)["code"]) == (status, code)
        assert caller.call(hello, "/").status_code == 200


def test_a_capability_that_is_not_granted_answers_denied(platform, request):
    component, asked = STORAGE_DENIED_IS_STATUS, [{"name": "storage.kv", "purpose": "To remember."}]
    extension = publish_and_install(platform, component, name=named(request), capabilities=asked, grants=[])
    with client(platform) as caller:
        assert caller.call(extension, "/").status_code == 201
        caller.api("PUT", f"/installs/{extension}/grants", json={"grants": [{"capability": "storage.kv"}]})
        time.sleep(platform.settings.cache_seconds)
        assert caller.call(extension, "/").status_code == 200


def test_installing_without_deciding_about_what_is_asked_needs_consent(platform, request):
    name = named(request)
    publish(platform, name=name, capabilities=[{"name": "storage.kv", "purpose": "To remember."}])
    with client(platform) as admin, pytest.raises(OrielError) as refused:
        admin.install(name)
    assert refused.value.code == "consent_required"
    assert "storage.kv" in refused.value.detail


def test_disabling_yanking_and_revoking_stop_new_executions(platform, request):
    extension = publish_and_install(platform, name=named(request))
    key = generate_key()
    with client(platform) as operator:
        operator.api("POST", "/publishers", json={"publisher": "org.other", "prefixes": ["org.other"]})
        added = operator.api("POST", "/publishers/org.other/keys", json={"public_key_pem": key.public.to_pem()})
        other = packed(name="org.other.tool", publisher="org.other")
        operator.publish(other.data, envelope(other, key))
        operator.install("org.other.tool", grants=[])
        steps = {
            "install_disabled": lambda: operator.api("PATCH", f"/installs/{extension}", json={"status": "disabled"}),
            "version_yanked": lambda: (
                operator.api("PATCH", f"/installs/{extension}", json={"status": "enabled"}),
                operator.api("POST", f"/extensions/{extension}/versions/1.2.0/status", json={"status": "yanked"}),
            ),
        }
        for code, stop in steps.items():
            stop()
            time.sleep(platform.settings.cache_seconds)
            assert problem_of(operator.call(extension, "/"))["code"] == code
        assert operator.call("org.other.tool", "/").status_code == 200
        operator.api("POST", f"/publishers/org.other/keys/{added['key_id']}/revoke")
        time.sleep(platform.settings.cache_seconds)
        assert operator.call("org.other.tool", "/").status_code == 403


def test_a_tampered_bundle_is_refused(platform, request):
    bundle = packed(name=named(request))
    tampered = bytearray(bundle.data)
    tampered[len(tampered) // 2] ^= 1
    with client(platform) as author, pytest.raises(OrielError) as refused:
        author.publish(bytes(tampered), envelope(bundle))
    assert refused.value.code in {"invalid_bundle", "signature_invalid"}


def test_an_unsigned_bundle_is_refused(platform, request):
    bundle = packed(name=named(request))
    with client(platform) as author:
        session = author.api("POST", "/uploads", json={"content_hash": bundle.content_hash, "size": len(bundle.data)})
        author._upload(session["upload_url"], session.get("upload_headers", {}), bundle.data)
        with pytest.raises(OrielError) as refused:
            author.api("POST", f"/uploads/{session['upload_id']}/finalize", json={})
    assert refused.value.code == "signature_missing"


def test_a_good_signature_by_an_untrusted_key_is_refused(platform, request):
    bundle = packed(name=named(request))
    with client(platform) as author, pytest.raises(OrielError) as refused:
        author.publish(bundle.data, envelope(bundle, generate_key()))
    assert refused.value.code == "signature_untrusted"


def test_the_same_version_with_other_bytes_is_a_conflict(platform, request):
    name = named(request)
    publish(platform, hostile.HELLO, name=name)
    with pytest.raises(OrielError) as refused:
        publish(platform, hostile.ECHO, name=name)
    assert refused.value.code == "version_exists"


def test_the_same_bytes_again_are_ready_at_once(platform, request):
    name = named(request)
    assert publish(platform, name=name)["content_hash"] == publish(platform, name=name)["content_hash"]


def test_a_component_that_imports_what_the_manifest_does_not_ask_for_is_refused(platform, request):
    with pytest.raises(OrielError) as refused:
        publish(platform, STORAGE_DENIED_IS_STATUS, name=named(request), capabilities=[])
    assert refused.value.code == "invalid_component"
    assert "storage" in refused.value.detail
