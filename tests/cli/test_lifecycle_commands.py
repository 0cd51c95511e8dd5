"""Commands of an install's life and of its records: another version and back, grants, leaving, rollouts, audit."""

import json

import pytest

from oriel.signing import generate_key
from tests.support.platform import ASKED


@pytest.fixture
def installed(oriel, published):
    """An extension with two versions; the first is installed and asks for nothing."""
    name = published(version="1.0.0")
    assert oriel("install", name).code == 0
    published(version="1.1.0", capabilities=ASKED)
    return name


def test_an_upgrade_shows_what_it_asks_for_takes_what_is_granted_and_goes_back(oriel, installed):
    looked = oriel("upgrade", installed, "1.1.0", "--dry-run")
    assert ("storage.kv" in looked.err, "Nothing was changed" in looked.out) == (True, True)
    without = oriel("upgrade", installed, "1.1.0")
    assert "1.1.0" in without.out
    assert "without storage.kv" in without.out
    assert (
        oriel("grant", installed, "storage.kv", "--until", "2999-12-31")
        .out.strip()
        .endswith("storage.kv until 2999-12-31 00:00:00 UTC")
    )
    assert "nothing" in oriel("revoke", installed, "storage.kv").out
    assert "1.0.0 again" in oriel("rollback", installed).out


def test_a_date_that_is_none_is_refused_with_the_option_and_the_form(oriel, installed):
    refused = oriel("grant", installed, "storage.kv", "--until", "soon")
    assert (refused.code, "--until" in refused.err, "2026-12-31" in refused.err) == (1, True, True)


def test_what_is_uninstalled_is_exported_restored_and_deleted_with_a_receipt(oriel, installed, tmp_path):
    assert "can be restored" in oriel("uninstall", installed, "--yes").out
    assert "disabled" in oriel("restore", installed).out
    data = tmp_path / "data.ndjson"
    assert oriel("export", installed, "--out", data).code == 0
    kinds = [json.loads(line)["kind"] for line in data.read_text().splitlines()]
    assert (kinds[0], kinds[-1]) == ("install", "end")
    assert oriel("delete", installed, "--yes").code == 1
    oriel("uninstall", installed, "--yes")
    assert "receipt" in oriel("delete", installed, "--yes").out
    assert installed not in oriel("installs").out


def test_a_rollout_is_started_raised_paused_and_taken_back(oriel, installed):
    assert "5 %" in oriel("rollout", "start", installed, "1.1.0", "--percent", "5").out
    raised = oriel("rollout", "raise", installed, "1.1.0", "--percent", "50")
    assert "active, 50 %" in raised.out, raised.err
    assert "paused" in oriel("rollout", "pause", installed, "1.1.0").out
    assert "rolled back" in oriel("rollout", "back", installed, "1.1.0").out
    assert "rolled_back" in oriel("rollout", "list", installed).out


def test_the_audit_tells_who_did_what_and_is_whole_also_against_a_checkpoint(oriel, installed, tmp_path):
    listed = oriel("audit", "list", "--json").json
    assert next(one["target"] for one in listed if one["action"] == "install.create") == installed
    kept = tmp_path / "checkpoint.json"
    kept.write_text(oriel("audit", "checkpoint").out)
    for words in ((), ("--checkpoint", kept), ("--platform",), ("--all",)):
        verified = oriel("audit", "verify", *words)
        assert (verified.code, "whole" in verified.out, "NOT WHOLE" in verified.out) == (0, True, False)
    kept.write_text("{")
    refused = oriel("audit", "verify", "--checkpoint", kept)
    assert (refused.code, "--checkpoint" in refused.err, "is not JSON" in refused.err) == (1, True, True)
    forged = json.loads(oriel("audit", "checkpoint").out) | {"payload": "e30="}
    kept.write_text(json.dumps(forged))
    assert oriel("audit", "verify", "--checkpoint", kept).code == 1


def test_the_collector_says_what_would_go(oriel, installed):
    assert "would go" in oriel("collect", "--dry-run").out


def test_a_key_has_a_window_that_is_shown_and_ends_when_it_is_revoked(oriel, local, tmp_path):
    pem = tmp_path / "next.pem.pub"
    key = generate_key().public
    pem.write_text(key.to_pem())
    words = ("publisher", "add", "com.globex", "--key", pem, "--not-before", "2031-01-01", "--not-after", "2032-02-01")
    assert oriel(*words).code == 0
    shown = oriel("publisher", "show", "com.globex").out
    assert f"{key.key_id}  from 2031-01-01 00:00:00 UTC until 2032-02-01 00:00:00 UTC" in shown
    assert oriel("publisher", "revoke", "com.globex", "--key-id", key.key_id).code == 0
    assert "revoked" in oriel("publisher", "show", "com.globex").out
    assert oriel("publisher", "add", "com.globex", "--not-after", "2032-02-01").code == 1
