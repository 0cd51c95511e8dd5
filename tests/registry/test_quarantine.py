"""Quarantine as the registry keeps it: who may see and lift it, and what it keeps from being installed."""

import pytest

from oriel.errors import OrielError
from registry.leaving import Leaving
from registry.quarantine import Quarantines
from registry.upgrades import Upgrades
from tests.registry.stage import ADMIN, NAME, OPERATOR, project


@pytest.fixture
def stopped(stage):
    """A published, installed bundle that was put in quarantine; its content hash."""
    packed = project()
    stage.publish(packed)
    stage.installs.install(ADMIN, NAME, None, (), None)
    assert stage.quarantine(packed.content_hash)
    return packed.content_hash


def test_a_quarantined_version_is_not_installed_and_not_changed_to(stage, stopped):
    stage.publish(project("1.1.0", files={"new.js": b"1"}))
    Upgrades(stage.registry).upgrade(ADMIN, NAME, "1.1.0")
    with pytest.raises(OrielError) as refused:
        Upgrades(stage.registry).upgrade(ADMIN, NAME, "1.0.0")
    assert (refused.value.code, refused.value.status) == ("quarantined", 403)


def test_an_install_of_it_can_still_be_configured_and_removed(stage, stopped):
    assert stage.installs.change(ADMIN, NAME, status="disabled").status == "disabled"
    Leaving(stage.registry).uninstall(ADMIN, NAME)


def test_putting_it_in_again_is_audited_once(stage, stopped):
    assert not stage.quarantine(stopped)
    (entry,) = (entry for entry in stage.store.list_audit(None).items if entry.action == "quarantine.add")
    assert (entry.actor, entry.action, entry.target) == ("platform", "quarantine.add", stopped)
    assert (entry.before, entry.after["deaths"]) == (None, 3)


def test_lifting_says_who_did_it_and_what_was_there(stage, stopped):
    Quarantines(stage.registry).lift(OPERATOR, stopped)
    entry = stage.store.list_audit(None).items[0]
    assert (entry.actor, entry.action, entry.after) == ("/op", "quarantine.lift", None)
    assert entry.before["extension_id"] == NAME
    with pytest.raises(OrielError) as refused:
        Quarantines(stage.registry).lift(OPERATOR, stopped)
    assert refused.value.code == "not_found"
