"""Commands that speak with the platform, as an author, an administrator and an operator would use them."""

from types import SimpleNamespace

from oriel.clock import now_ms
from oriel.store import open_store
from registry.quarantine import Quarantines
from tests.support.platform import ASKED


def test_publish_install_and_call_work_without_a_browser(oriel, published):
    name = published()
    assert oriel("install", name).code == 0
    called = oriel("call", name, "/", "--data", '{"a": 1}')
    assert (called.code, called.out.strip()) == (0, '{"a": 1}')
    assert "exe_" in called.err


def test_publishing_again_is_no_error(oriel, published, tmp_path):
    published()
    assert oriel("publish", tmp_path / "project").code == 0


def test_what_is_asked_for_and_never_used_is_told_to_the_author(oriel, published, tmp_path):
    published(capabilities=ASKED)
    told = oriel("publish", tmp_path / "project")
    assert (told.code, "asks for storage.kv" in told.err) == (0, True)
    assert [one["code"] for one in oriel("publish", tmp_path / "project", "--json").json["findings"]] == [
        "unused_capability"
    ]


def test_a_signature_that_is_none_is_said_to_be_none(oriel, published, tmp_path):
    published()
    broken = tmp_path / "broken.dsse.json"
    broken.write_text("not a signature")
    refused = oriel("publish", tmp_path / "project", "--envelope", broken)
    assert (refused.code, "oriel sign" in refused.err) == (1, True)


def test_a_body_that_cannot_be_read_is_named(oriel, published, tmp_path):
    refused = oriel("call", published(), "/", "--data", f"@{tmp_path}/missing.json")
    assert (refused.code, "missing.json" in refused.err) == (1, True)


def test_install_shows_what_is_asked_and_needs_a_decision(oriel, published):
    name = published(capabilities=ASKED)
    refused = oriel("install", name)
    assert refused.code == 1
    assert "To remember." in refused.err
    assert "--grant" in refused.err


def test_install_grants_what_is_named_and_nothing_else(oriel, published):
    name = published(capabilities=[*ASKED, {"name": "user.read", "purpose": "To greet."}])
    installed = oriel("install", name, "--grant", "storage.kv", "--json")
    assert [grant["capability"] for grant in installed.json["grants"]] == ["storage.kv"]


def test_a_grant_that_is_not_asked_for_is_refused_by_name(oriel, published):
    refused = oriel("install", published(capabilities=ASKED), "--grant", "http.fetch=evil.example")
    assert refused.code == 1
    assert "http.fetch=evil.example" in refused.err


def test_show_says_who_made_it_and_what_it_asks_for(oriel, published):
    shown = oriel("show", published(capabilities=ASKED))
    assert all(text in shown.out for text in ("com.acme", "storage.kv", "To remember.", "sha256:"))


def test_settings_are_validated_against_the_manifest(oriel, published):
    settings = {"type": "object", "properties": {"limit": {"type": "integer"}}, "additionalProperties": False}
    name = published(settings=settings)
    assert oriel("install", name, "--set", "limit=5").code == 0
    assert oriel("config", name, "--set", "limit=7", "--json").json == {"limit": 7}
    refused = oriel("config", name, "--set", "limit=many")
    assert refused.code == 1
    assert "limit" in refused.err


def test_disable_and_enable(oriel, published):
    name = published()
    oriel("install", name)
    assert oriel("disable", name, "--json").json["status"] == "disabled"
    assert oriel("enable", name, "--json").json["status"] == "enabled"


def test_a_secret_is_set_from_a_file_and_never_shown(oriel, published, tmp_path):
    name = published(capabilities=[{"name": "secrets.get", "purpose": "To sign in."}])
    oriel("install", name, "--grant-all")
    value = tmp_path / "value"
    value.write_text("canary-3141592653\n")
    set_ = oriel("secret", "set", name, "API_KEY", "--file", value, "--json")
    listed = oriel("secret", "list", name, "--json")
    assert [entry["name"] for entry in listed.json] == ["API_KEY"]
    assert "canary" not in set_.out + set_.err + listed.out + listed.err


def test_limits_are_shown_set_and_taken_back(oriel, published):
    name = published()
    oriel("install", name)
    assert "None of its own" in oriel("limits", name).out
    assert oriel("limits", name, "--set", "timeout_ms=2000", "--set", "memory_mb=64", "--json").json == {
        "timeout_ms": 2_000,
        "memory_mb": 64,
    }
    assert oriel("limits", name, "--unset", "memory_mb", "--json").json == {"timeout_ms": 2_000}
    assert "timeout_ms = 2,000" in oriel("limits", name).out
    refused = oriel("limits", name, "--set", "timeout=1")
    assert refused.code == 1
    assert "limits.timeout" in refused.err


def test_a_bundle_in_quarantine_is_listed_and_lifted(oriel, published, local):
    name = published()
    content_hash = oriel("show", name, "--json").json["content_hash"]
    assert oriel("quarantine", "list").out.strip() == "Nothing is in quarantine."
    store = open_store(local.settings.store_url)
    Quarantines(SimpleNamespace(store=store, now=now_ms)).add(content_hash, name, deaths=3, reason="It aborts.")
    store.close()
    assert "It aborts." in oriel("quarantine", "list").out
    refused = oriel("install", name)
    assert (refused.code, f"{name} 1.2.0 is quarantined." in refused.err) == (1, True)
    assert oriel("quarantine", "lift", content_hash).code == 0
    assert oriel("quarantine", "list", "--json").json == []
    assert oriel("install", name).code == 0


def test_uninstall_asks_first(oriel, published):
    name = published()
    oriel("install", name)
    assert oriel("uninstall", name, "--yes").code == 0
    assert oriel("call", name, "/").code == 1


def test_executions_show_what_ran(oriel, published):
    name = published()
    oriel("install", name)
    oriel("call", name, "/")
    assert oriel("executions", name).code == 0


def test_an_error_of_an_extension_exits_with_1_and_prints_the_answer(oriel, published):
    name = published()
    oriel("install", name)
    called = oriel("call", name, "/nowhere")
    assert called.code == 1
    assert "endpoint_not_found" in called.out


def test_nobody_at_the_address_exits_with_3_and_says_so(oriel, local):
    refused = oriel("extensions", "--url", "http://127.0.0.1:9")
    assert refused.code == 3
    assert "oriel serve" in refused.err


def test_without_a_token_or_a_keyring_the_remedy_is_named(oriel, tmp_path, monkeypatch):
    monkeypatch.setenv("ORIEL_DATA_DIR", str(tmp_path / "nothing"))
    refused = oriel("extensions")
    assert refused.code == 1
    assert "ORIEL_TOKEN" in refused.err


def test_a_token_of_the_local_issuer_is_believed(oriel, local):
    minted = oriel("token", "--tenant", "contoso", "--role", "admin", "--json")
    assert oriel("installs", "--token", minted.json["token"]).code == 0


def test_doctor_finds_nothing_bad_here(oriel, local):
    looked = oriel("doctor", "--json")
    assert looked.code == 0
    assert {check["state"] for check in looked.json} <= {"good", "missing"}


def test_an_api_key_calls_until_it_is_revoked(oriel, published, monkeypatch):
    name = published()
    assert oriel("install", name).code == 0
    made = oriel("key", "create", "nightly", "--permission", "invoke:read", "--extension", name, "--json").json
    assert oriel("key", "create", "x", "--permission", "fly").code == 1
    assert made["key_id"] in [key["key_id"] for key in oriel("key", "list", "--json").json]
    monkeypatch.setenv("ORIEL_TOKEN", made["token"])
    assert oriel("call", name, "/").code == 0
    assert oriel("call", name, "/", "--data", "{}").code == 1
    assert oriel("installs").code == 1
    monkeypatch.delenv("ORIEL_TOKEN")
    assert oriel("key", "revoke", made["key_id"]).code == 0
    assert "revoked" in oriel("key", "list").out


def test_quotas_are_set_shown_and_taken_back(oriel, published):
    name = published()
    assert oriel("quota", "set", "southwind", "--set", "burst=7", "--json").json["tenant"]["own"] == {"burst": 7}
    assert oriel("quota", "set", "southwind", name, "--set", "concurrent=2").code == 0
    shown = oriel("quota", "show", "--tenant", "southwind").out
    assert name in shown
    assert "concurrent" in shown
    unset = oriel("quota", "set", "southwind", "--unset", "burst", "--json").json
    assert unset["tenant"]["own"] == {}
    defaults = oriel("quota", "defaults", "install", "--set", "daily_invocations=1000000", "--json").json
    assert defaults["install"]["daily_invocations"] == 1_000_000
    assert (
        "daily_invocations"
        not in oriel("quota", "defaults", "install", "--unset", "daily_invocations", "--json").json["install"]
    )
    assert oriel("quota", "set", "southwind", "--set", "burst=-1").code == 1
