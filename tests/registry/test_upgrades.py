"""Another version: looked at, taken, gone back from; and grants that are given one by one."""

import pytest

from oriel.errors import InvalidInput
from oriel.signing import generate_key
from oriel.store.guests import GuestWrite
from registry.catalogue import Catalogue
from registry.consents import Consents
from registry.grants import GrantRequest
from registry.installs import SecretRequest
from registry.upgrades import Upgrades
from tests.registry.stage import ADMIN, NAME, OPERATOR, project, signed
from tests.registry.test_installs import grants, refused

KV = {"name": "storage.kv", "purpose": "To remember."}
USER = {"name": "user.read", "purpose": "To greet."}
DAY = 24 * 3600 * 1000


def fetch(*hosts):
    return {"name": "http.fetch", "purpose": "To send.", "hosts": list(hosts)}


def endpoints(*paths):
    return {"endpoints": [{"method": "GET", "path": path} for path in paths]}


def settings(**properties):
    known = {name: {"type": kind} for name, kind in properties.items()}
    return {"type": "object", "properties": known, "additionalProperties": False}


@pytest.fixture
def upgrades(stage):
    return Upgrades(stage.registry)


@pytest.fixture
def consents(stage):
    return Consents(stage.registry)


@pytest.fixture
def installed(stage):
    """1.0.0 with all that it asks for, and 2.0.0 published."""
    first = {"capabilities": [KV, fetch("a.acme.com", "b.acme.com")], "settings": settings(limit="integer")}
    stage.publish(project(api=endpoints("/", "/old"), **first))
    second = {
        "capabilities": [fetch("a.acme.com", "c.acme.com"), USER],
        "settings": settings(limit="integer", mode="string"),
    }
    stage.publish(project("2.0.0", api=endpoints("/", "/new"), **second))
    return stage.installs.install(ADMIN, NAME, "1.0.0", grants("storage.kv", "http.fetch"), {"limit": 3})[0]


def scopes(install):
    return {grant.capability: grant.hosts for grant in install.grants}


def test_the_preview_shows_everything_that_differs_and_changes_nothing(stage, upgrades, installed):
    other = generate_key()
    stage.publishers.add_key(OPERATOR, "com.acme", other.public.to_pem(), 0)
    third = project("3.0.0", files={"new.js": b"x" * 500})
    assert stage.publish(third, signed(third, other)).state == "ready"
    seen = upgrades.preview(ADMIN, NAME, "2.0.0")
    changes = seen["changes"]
    assert (seen["from"], seen["to"], seen["direction"]) == ("1.0.0", "2.0.0", "upgrade")
    assert [(ask["name"], ask["hosts"]) for ask in seen["needs_consent"]] == [
        ("http.fetch", ["c.acme.com"]),
        ("user.read", []),
    ]
    assert changes["capabilities"]["more"] == seen["needs_consent"]
    assert [(ask["name"], ask["hosts"]) for ask in changes["capabilities"]["less"]] == [
        ("storage.kv", []),
        ("http.fetch", ["b.acme.com"]),
    ]
    assert changes["hosts"] == {"added": ["c.acme.com"], "removed": ["b.acme.com"]}
    assert (changes["endpoints"]["added"], changes["endpoints"]["removed"]) == (["GET /new"], ["GET /old"])
    assert changes["settings"]["added"] == ["mode"]
    assert changes["signer"]["before"] == changes["signer"]["after"]
    assert seen["config_findings"] == []
    changed = upgrades.preview(ADMIN, NAME, "3.0.0")
    assert changed["changes"]["signer"]["after"] == other.public.key_id
    assert changed["changes"]["size"]["after"] == len(third.data)
    assert [finding["at"] for finding in changed["config_findings"]] == ["limit"]
    assert stage.store.get_install("t1", NAME) == installed


def test_without_consent_an_upgrade_takes_no_capability_no_host_and_no_operation_more(stage, upgrades, installed):
    upgraded = upgrades.upgrade(ADMIN, NAME, "2.0.0")
    assert scopes(upgraded) == {"storage.kv": (), "http.fetch": ("a.acme.com", "b.acme.com")}
    assert upgraded.grants == installed.grants


def test_with_consent_it_takes_what_is_consented_to(upgrades, installed):
    upgraded = upgrades.upgrade(ADMIN, NAME, "2.0.0", grants("http.fetch", http_fetch=("a.acme.com", "c.acme.com")))
    assert scopes(upgraded)["http.fetch"] == ("a.acme.com", "c.acme.com")
    refusal = refused(upgrades.upgrade, ADMIN, NAME, "2.0.0", grants("secrets.get"))
    assert refusal.code == "invalid_input"


def test_with_an_exact_consent_nothing_stays_that_is_not_in_it(upgrades, installed):
    upgraded = upgrades.upgrade(ADMIN, NAME, "2.0.0", grants("user.read"), exact=True)
    assert scopes(upgraded) == {"user.read": ()}
    assert scopes(upgrades.upgrade(ADMIN, NAME, "2.0.0", exact=True)) == {}


def test_what_a_version_did_not_ask_for_is_asked_for_anew_when_a_later_one_does(stage, upgrades, installed):
    stage.publish(
        project("3.0.0", capabilities=[KV, fetch("a.acme.com", "b.acme.com")], settings=settings(limit="integer"))
    )
    upgrades.upgrade(ADMIN, NAME, "2.0.0")
    third = upgrades.upgrade(ADMIN, NAME, "3.0.0")
    assert scopes(third) == {"http.fetch": ("a.acme.com",)}


def test_going_back_is_one_call_with_all_that_was_granted_and_forward_again_another(stage, upgrades, installed):
    stage.installs.put_secret(ADMIN, NAME, "token", SecretRequest(b"x"))
    stage.store.guest_put("t1", installed.install_id, [GuestWrite(key="a", value=b"1", text=False)])
    upgrades.upgrade(ADMIN, NAME, "^2", config={"limit": 4, "mode": "x"})
    back = upgrades.rollback(ADMIN, NAME)
    assert (back.version, back.grants, back.follows, back.install_id) == (
        "1.0.0",
        installed.grants,
        "",
        installed.install_id,
    )
    assert back.config == {"limit": 3}  # {"mode": …} does not fit the version before
    assert [secret.name for secret in stage.installs.secrets("t1", NAME)] == ["token"]
    assert len(stage.store.guest_get("t1", installed.install_id, ["a"])) == 1
    assert upgrades.rollback(ADMIN, NAME).version == "2.0.0"


def test_a_revoked_grant_does_not_come_back_with_the_version_before(upgrades, consents, installed):
    upgrades.upgrade(ADMIN, NAME, "2.0.0")
    consents.revoke(ADMIN, NAME, "http.fetch")
    assert "http.fetch" not in scopes(upgrades.rollback(ADMIN, NAME))


def test_there_is_no_going_back_from_the_first_version_or_to_a_withdrawn_one(stage, upgrades, installed):
    assert refused(upgrades.rollback, ADMIN, NAME).code == "conflict"
    upgrades.upgrade(ADMIN, NAME, "2.0.0")
    stage.store.set_version_status(NAME, "1.0.0", "yanked")
    assert refused(upgrades.rollback, ADMIN, NAME).code == "version_yanked"


def test_a_range_gives_the_highest_version_in_it_and_is_remembered(stage, upgrades):
    for number in ("1.2.0", "1.10.0", "1.11.0-rc.1", "2.0.0"):
        stage.publish(project(number))
    install, _ = stage.installs.install(ADMIN, NAME, "^1.0.0", (), None)
    assert (install.version, install.follows) == ("1.10.0", "^1.0.0")
    stage.publish(project("1.12.0"))
    assert stage.store.get_install("t1", NAME).version == "1.10.0"  # until it is upgraded, or a rollout comes
    assert upgrades.preview(ADMIN, NAME, None)["to"] == "1.12.0"
    assert upgrades.upgrade(ADMIN, NAME).version == "1.12.0"
    pinned = upgrades.upgrade(ADMIN, NAME, "1.2.0")
    assert (pinned.version, pinned.follows) == ("1.2.0", "")


def test_a_range_without_a_version_and_a_text_that_is_no_range_are_refused(stage):
    stage.publish(project())
    assert refused(stage.installs.install, ADMIN, NAME, "^7", (), None).code == "not_found"
    with pytest.raises(InvalidInput, match="newest"):
        stage.installs.install(ADMIN, NAME, "newest", (), None)


def test_of_versions_that_differ_in_build_metadata_alone_the_later_is_the_latest(stage):
    for number in ("1.0.0+b", "1.0.0+a"):
        stage.publish(project(number))
    assert Catalogue(stage.registry).latest(NAME).version == "1.0.0+a"


def test_grants_are_given_narrowed_and_taken_back_one_by_one(stage, consents, installed):
    narrowed = consents.grant(ADMIN, NAME, grants("http.fetch", http_fetch=("a.acme.com",))[0])
    assert scopes(narrowed) == {"storage.kv": (), "http.fetch": ("a.acme.com",)}
    revoked = consents.revoke(ADMIN, NAME, "cap:storage.kv")
    assert scopes(revoked) == {"http.fetch": ("a.acme.com",)}
    assert refused(consents.revoke, ADMIN, NAME, "storage.kv").code == "not_found"
    assert scopes(consents.grant(ADMIN, NAME, grants("storage.kv")[0])) == scopes(narrowed)
    assert refused(consents.grant, ADMIN, NAME, grants("user.read")[0]).code == "invalid_input"
    actions = [entry.action for entry in stage.store.list_audit("t1").items]
    assert actions == ["grants.grant", "grants.revoke", "grants.grant", "install.create"]


def test_a_grant_with_an_end_keeps_it_and_one_in_the_past_is_refused(stage, consents, installed):
    end = stage.registry.now() + DAY
    granted = consents.grant(ADMIN, NAME, GrantRequest(capability="storage.kv", expires_at=end))
    assert [grant.expires_at for grant in granted.grants] == [None, end]
    late = GrantRequest(capability="storage.kv", expires_at=stage.registry.now() - 1)
    assert refused(consents.grant, ADMIN, NAME, late).findings[0].at == "grants[0].expires_at"
