"""Who may call what, and with which capabilities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.messages import GatewayRequest
from gateway.policy import decide, effective_limits
from gateway.resolve import Resolved
from oriel.contract import Limits
from oriel.identity import Principal
from oriel.manifest import Manifest
from oriel.published import LimitsRequest, Published
from oriel.signing import TrustBundle, TrustedKey, Validity, generate_key
from oriel.store.records import Grant
from tests.support.gateway import ALL_GRANTS, EXTENSION, MANIFEST, NOW, answer, bearer, grant, resolution, secret

REQUEST = GatewayRequest(request_id="req_1", method="GET", extension_id=EXTENSION, path="/")

# the tenant


def test_the_tenant_comes_from_the_token(make_bench):
    bench = make_bench(resolution("acme"), resolution("globex"))
    bench.call(token=bearer("globex"))
    assert (bench.last.context.tenant_id, bench.last.context.install_id) == ("globex", "ins_globex")


@pytest.mark.parametrize("header", ["x-tenant-id", "x-oriel-tenant"])
def test_a_header_naming_another_tenant_is_refused(bench, header):
    got = bench.call(headers=[(header, "globex")])
    assert (got.status, got.code) == (403, "tenant_mismatch")
    assert not bench.source.reads
    assert not bench.runner.asked


def test_a_header_that_names_both_tenants_is_refused(bench):
    got = bench.call(headers=[("x-tenant-id", "acme"), ("x-tenant-id", "globex")])
    assert got.code == "tenant_mismatch"


def test_a_header_that_agrees_changes_nothing(bench):
    assert bench.call(headers=[("x-tenant-id", "acme")]).status == 200


def test_another_tenants_install_does_not_exist(make_bench):
    bench = make_bench(resolution("acme"))
    got = bench.call(token=bearer("globex"))
    assert (got.status, got.code) == (404, "extension_not_installed")


def test_a_token_without_a_tenant_cannot_call(bench):
    got = bench.call(token=bearer(None))
    assert (got.status, got.code) == (403, "forbidden")


def test_a_token_for_another_audience_cannot_call(bench):
    got = bench.call(token=bearer("acme", aud="other"))
    assert (got.status, got.code) == (401, "unauthenticated")


def test_without_a_token_nothing_is_told(bench):
    got = bench.call(token="", extension_id="com.acme.unknown")
    assert (got.status, got.code) == (401, "unauthenticated")
    assert got.header("www-authenticate") == "Bearer"


def test_two_authorization_headers_are_refused(bench):
    assert bench.call(headers=[("authorization", bearer("globex"))]).code == "unauthenticated"


def test_an_expired_token_says_so(bench):
    assert bench.call(token=bearer("acme", exp=1)).code == "token_expired"


# permissions


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_needs_the_permission_to_read(bench, method):
    assert bench.call(method, token=bearer("acme", "viewer")).status == 200
    assert bench.call(method, token=bearer("acme", "publisher")).status == 403


@pytest.mark.parametrize(("method", "path"), [("POST", "/notes"), ("PUT", "/notes/1")])
def test_everything_else_needs_the_permission_to_write(bench, method, path):
    assert bench.call(method, path, token=bearer("acme", "member")).status == 200
    got = bench.call(method, path, token=bearer("acme", "viewer"))
    assert (got.status, got.code) == (403, "forbidden")
    assert "'invoke:write'" in got.detail


def test_an_endpoint_narrows_to_its_roles(bench):
    assert bench.call("DELETE", "/notes", token=bearer("acme", "admin")).status == 200
    got = bench.call("DELETE", "/notes", token=bearer("acme", "member"))
    assert (got.status, got.code) == (403, "forbidden")
    assert "'admin'" in got.detail


def test_a_role_of_the_manifest_alone_gives_no_permission(make_bench):
    endpoints = [{"method": "GET", "path": "/", "roles": ["auditor"]}]
    bench = make_bench(resolution(manifest=MANIFEST | {"api": {"endpoints": endpoints}}))
    assert bench.call(token=bearer("acme", "auditor")).code == "forbidden"
    assert bench.call(token=bearer("acme", "auditor", "viewer")).status == 200


# the install and its version


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "disabled"}, "install_disabled"),
        ({"version_status": "yanked"}, "version_yanked"),
        ({"publisher_revoked": True}, "publisher_revoked"),
        ({"signer_revoked": True}, "publisher_revoked"),
        ({"quarantined": True}, "quarantined"),
    ],
)
def test_what_may_not_run_does_not_run(make_bench, fields, code):
    bench = make_bench(resolution(**fields))
    got = bench.call()
    assert (got.status, got.code) == (403, code)
    assert not bench.runner.asked


def test_what_a_key_signed_that_the_trust_bundle_revokes_does_not_run(make_bench):
    key = generate_key().public
    revoked = TrustedKey(key, frozenset({"com.acme"}), Validity(revoked_at=0))
    found = resolution()
    signed = replace(found, version=replace(found.version, signer_key_id=key.key_id))
    assert make_bench(signed).call().status == 200
    assert make_bench(signed, trust=TrustBundle([revoked])).call().code == "publisher_revoked"


def test_a_deprecated_version_runs_on(make_bench):
    assert make_bench(resolution(version_status="deprecated")).call().status == 200


def test_an_undeclared_endpoint_is_not_found(bench):
    assert (got := bench.call(path="/other")).status == 404
    assert got.code == "endpoint_not_found"
    assert not bench.runner.asked


def test_an_undeclared_method_says_which_there_are(bench):
    got = bench.call("PUT", "/notes")
    assert (got.status, got.code, got.header("allow")) == (405, "method_not_allowed", "DELETE, POST")


# capabilities: an intersection of what is offered, asked for and granted


def providers(make_bench, **fields):
    bench = make_bench(resolution(**fields))
    bench.call()
    return bench.last


def test_what_is_asked_for_and_granted_is_given(make_bench):
    given = providers(make_bench)
    asked = {"storage.kv", "http.fetch", "user.read", "secrets.get"}
    assert given.providers == asked | {"context.read", "log.emit"}


def test_without_grants_only_what_is_always_there_is_given(make_bench):
    given = providers(make_bench, grants=(), secrets=(secret("KEY", "api.acme.com"),))
    assert given.providers == {"context.read", "log.emit"}
    assert (given.egress, given.secrets, given.user) == ((), (), None)


def test_a_grant_can_be_narrower_than_what_is_asked_for(make_bench):
    assert "user.read" not in providers(make_bench, grants=(grant("storage.kv"),)).providers


def test_a_grant_for_what_is_not_asked_for_gives_nothing(make_bench):
    manifest = MANIFEST | {"capabilities": []}
    assert providers(make_bench, manifest=manifest).providers == {"context.read", "log.emit"}


def test_a_grant_for_what_the_platform_does_not_offer_gives_nothing(make_bench):
    assert "root.shell" not in providers(make_bench, grants=(grant("root.shell"),)).providers


def test_an_expired_grant_gives_nothing(make_bench):
    grants = (grant("storage.kv", expires_at=NOW), grant("user.read", expires_at=NOW + 1))
    given = providers(make_bench, grants=grants)
    assert given.providers == {"user.read", "context.read", "log.emit"}


def test_a_grant_expires_while_the_resolution_is_cached(make_bench):
    bench = make_bench(resolution(grants=(grant("storage.kv", expires_at=NOW + 1000),)))
    bench.call()
    assert "storage.kv" in bench.last.providers
    bench.clock.now += 1000
    bench.call()
    assert "storage.kv" not in bench.last.providers
    assert len(bench.source.reads) == 1


def test_hosts_are_those_that_both_sides_name(make_bench):
    grants = (grant("http.fetch", "api.acme.com", "evil.example", "eu.acme.net"),)
    assert providers(make_bench, grants=grants).egress == ("api.acme.com", "eu.acme.net")


def test_a_grant_without_hosts_reaches_no_host(make_bench):
    given = providers(make_bench, grants=(grant("http.fetch"),))
    assert given.egress == ()


CALLING = {"name": "host.call", "purpose": "", "operations": ["orders.list", "orders.get"]}


def calling(*operations):
    return Grant(capability="host.call", operations=operations, granted_by="ada", granted_at=1)


def test_operations_of_the_product_are_those_that_both_sides_name(make_bench):
    manifest = MANIFEST | {"capabilities": [CALLING]}
    given = providers(make_bench, manifest=manifest, grants=(calling("orders.list", "orders.delete"),))
    assert given.operations == ("orders.list",)


def test_without_the_grant_no_operation_is_given_and_no_user_told(make_bench):
    given = providers(make_bench, manifest=MANIFEST | {"capabilities": [CALLING]}, grants=())
    assert (given.operations, given.acting_user) == ((), None)


def test_the_product_is_told_who_the_user_is_and_the_guest_is_not(make_bench):
    manifest = MANIFEST | {"capabilities": [CALLING]}
    given = providers(make_bench, manifest=manifest, grants=(calling("orders.list"),))
    assert (given.user, given.acting_user.id) == (None, "ann")


# limits


def test_a_version_that_says_nothing_gets_the_defaults(bench):
    bench.call()
    defaults = Limits()
    assert (bench.last.limits.timeout_ms, bench.last.limits.memory_mb) == (defaults.timeout_ms, defaults.memory_mb)


def test_a_version_gets_what_it_wants_up_to_the_operators_ceiling(make_bench):
    wanted = {"timeout_ms": 20_000, "memory_mb": 4_000, "max_log_lines": 5}
    ceiling = Limits(timeout_ms=30_000, memory_mb=256, fuel=1_000)
    bench = make_bench(resolution(manifest=MANIFEST | {"limits": wanted}), ceiling=ceiling)
    bench.call()
    limits = bench.last.limits
    assert (limits.timeout_ms, limits.memory_mb, limits.max_log_lines, limits.fuel) == (20_000, 256, 5, 1_000)


def test_an_install_lowers_what_its_executions_get(make_bench):
    bench = make_bench(resolution(manifest=MANIFEST | {"limits": {"timeout_ms": 900}}, limits={"timeout_ms": 300}))
    bench.call()
    assert bench.last.limits == Limits(timeout_ms=300)


BOUND = st.integers(1, 4_096)
SOME = st.dictionaries(st.sampled_from(["timeout_ms", "memory_mb", "fuel", "max_log_lines"]), BOUND)


def said(limits):
    return {name: bound for name, bound in limits.to_plain().items() if bound is not None}


@given(wanted=SOME, installed=SOME, ceiling=SOME)
def test_no_limit_is_above_any_that_was_set_and_none_is_lower_than_all(wanted, installed, ceiling):
    given = said(effective_limits(LimitsRequest(**wanted), installed, Limits(**ceiling)))
    defaults = said(Limits())
    for name, value in given.items():
        bounds = [wanted.get(name, defaults.get(name)), installed.get(name), ceiling.get(name, defaults.get(name))]
        assert value == min(bound for bound in bounds if bound is not None)
    assert given.keys() == {*defaults, *wanted, *installed, *ceiling}


def test_a_ceiling_below_the_default_holds(make_bench):
    bench = make_bench(resolution(), ceiling=Limits(timeout_ms=50), max_body_bytes=77)
    bench.call()
    assert (bench.last.limits.timeout_ms, bench.last.limits.max_response_bytes) == (50, 77)


# secrets and the user


def test_secrets_go_sealed_where_they_may_be_read(make_bench):
    given = providers(make_bench, secrets=(secret("KEY"), secret("OTHER", "x.example", reference_only=True)))
    assert [(item.name, item.reference_only) for item in given.secrets] == [("KEY", False), ("OTHER", True)]
    assert b"sealed-KEY".hex().encode() not in given.to_json()


def test_without_the_grant_no_secret_leaves_the_store(make_bench):
    secrets = (secret("A", "api.acme.com"), secret("B", "api.acme.com", reference_only=True))
    given = providers(make_bench, secrets=secrets, grants=(grant("http.fetch", "api.acme.com"),))
    assert given.secrets == ()


def test_the_user_is_passed_only_with_consent(make_bench):
    token = bearer("acme", "member", name="Ann", email="ann@acme.example")
    bench = make_bench(resolution())
    bench.call(token=token)
    user = bench.last.user
    assert (user.id, user.name, user.email, user.roles) == ("ann", "Ann", "ann@acme.example", ("member",))
    without = tuple(item for item in ALL_GRANTS if item.capability != "user.read")
    bench = make_bench(resolution(grants=without))
    bench.call(token=token)
    assert bench.last.user is None
    assert b"ann@acme.example" not in bench.last.to_json()


# the ten-second promise


@pytest.mark.parametrize(
    "change",
    [
        lambda found: replace(found, install=replace(found.install, status="disabled")),
        lambda found: replace(found, version=replace(found.version, status="yanked")),
        lambda found: replace(found, publisher_revoked=True),
        lambda found: replace(found, signer_revoked=True),
    ],
)
def test_stopping_an_install_stops_executions_within_the_caches_time(bench, change):
    assert bench.call().status == 200
    bench.source.put(change(bench.source.found["acme", EXTENSION]))
    bench.seconds.now += 5
    assert bench.call().status == 403
    assert len(bench.runner.asked) == 1


def test_a_narrowed_grant_narrows_executions_within_the_caches_time(bench):
    bench.call()
    bench.source.change_install(grants=())
    bench.seconds.now += 5
    bench.call()
    assert bench.last.providers == {"context.read", "log.emit"}


def test_a_store_that_does_not_answer_closes_the_door(bench):
    bench.runner.reply = answer(200, b"ok")
    assert bench.call().status == 200
    bench.source.away = True
    assert bench.call().status == 200, "the entry is still good"
    bench.seconds.now += 5
    got = bench.call()
    assert (got.status, got.code, got.header("retry-after")) == (503, "unavailable", "1")
    assert len(bench.runner.asked) == 2


NAMES = ["storage.kv", "http.fetch", "user.read", "secrets.get", "root.shell"]
HOSTS = ["api.acme.com", "*.acme.com", "x.acme.com", "evil.example"]


@given(
    granted=st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(HOSTS))),
    asked=st.sets(st.sampled_from(["storage.kv", "user.read", "secrets.get"])),
)
def test_no_execution_gets_more_than_is_asked_for_and_granted(granted, asked):
    grants = tuple(grant(name, *hosts) for name, hosts in granted.items())
    manifest = Published.read(Manifest.parse(MANIFEST | {"capabilities": sorted(asked)}).to_json())
    resolved = Resolved(resolution(grants=grants), manifest, {})
    decision = decide(REQUEST, Principal(subject="ann"), resolved, (), ceiling=Limits(), now_ms=NOW)
    assert decision.providers - {"context.read", "log.emit"} == asked & granted.keys()
    assert decision.egress == ()
