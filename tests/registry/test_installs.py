"""Installs: consent, configuration, secrets, upgrades, and what stays when something else goes."""

import json

import pytest

from oriel.errors import InvalidInput, OrielError
from oriel.identity import Principal
from oriel.provenance import bundle_key, signature_key
from oriel.sealing import Sealed
from oriel.signing import generate_key
from oriel.store.guests import GuestWrite
from registry.catalogue import Catalogue
from registry.consents import Consents
from registry.grants import GrantRequest
from registry.installs import MAX_SECRET_BYTES, MAX_SECRETS, SecretRequest
from registry.leaving import Leaving
from registry.upgrades import Upgrades
from tests.registry.stage import ACME, ADMIN, EVERYTHING, NAME, OPERATOR, OTHER_ADMIN, project, signed

SETTINGS = {
    "type": "object",
    "properties": {"limit": {"type": "integer", "minimum": 1}, "title": {"type": "string"}},
    "additionalProperties": False,
}

CALLING = {"name": "host.call", "purpose": "To read.", "operations": ["orders.list", "orders.get"]}


def grants(*names, **hosts):
    return [GrantRequest(capability=name, hosts=hosts.get(name.replace(".", "_"))) for name in names]


def installed(stage, *named, version=None, config=None, principal=ADMIN, **manifest):
    if stage.store.get_version(NAME, "1.0.0") is None:
        assert (
            stage.publish(project(**({"capabilities": EVERYTHING, "settings": SETTINGS} | manifest))).state == "ready"
        )
    install, _ = stage.installs.install(principal, NAME, version, grants(*named), config)
    return install


def refused(call, *args, **kwargs):
    with pytest.raises(OrielError) as error:
        call(*args, **kwargs)
    return error.value


def test_without_a_decision_consent_is_required_and_names_what_is_asked(stage):
    stage.publish(project(capabilities=["context.read", *EVERYTHING]))
    error = refused(stage.installs.install, ADMIN, NAME, None, None, None)
    assert error.code == "consent_required"
    asked = {ask["name"]: ask for ask in error.extra["capabilities"]}
    assert list(asked) == ["storage.kv", "http.fetch", "secrets.get"]
    assert asked["http.fetch"]["hosts"] == ["api.acme.com", "*.acme.net"]
    assert asked["http.fetch"]["purpose"] == "To send them."
    assert stage.store.get_install("t1", NAME) is None


def test_an_extension_that_asks_for_nothing_needs_no_decision(stage):
    stage.publish(project(capabilities=["log.emit"]))
    install, new = stage.installs.install(ADMIN, NAME, None, None, None)
    assert (install.grants, install.status, new) == ((), "enabled", True)


def test_less_than_is_asked_may_be_granted_and_nothing_is_added(stage):
    install = installed(stage, "cap:storage.kv")
    assert [grant.capability for grant in install.grants] == ["storage.kv"]
    assert install.grants[0].granted_by == "t1/ada"
    assert installed(stage, principal=OTHER_ADMIN).grants == ()


@pytest.mark.parametrize(
    ("request_", "place"),
    [
        (GrantRequest(capability="user.read"), "grants[0].capability"),
        (GrantRequest(capability="no.such"), "grants[0].capability"),
        (GrantRequest(capability="http.fetch", hosts=()), "grants[0].hosts"),
        (GrantRequest(capability="http.fetch", hosts=("evil.com",)), "grants[0].hosts"),
        (GrantRequest(capability="http.fetch", hosts=("*.acme.com",)), "grants[0].hosts"),
        (GrantRequest(capability="http.fetch", hosts=("acme.net",)), "grants[0].hosts"),
        (GrantRequest(capability="http.fetch", hosts=("evilacme.net",)), "grants[0].hosts"),
        (GrantRequest(capability="http.fetch", hosts=("API.acme.com",)), "grants[0].hosts"),
        (GrantRequest(capability="http.fetch", hosts=("127.0.0.1",)), "grants[0].hosts"),
        (GrantRequest(capability="storage.kv", hosts=("api.acme.com",)), "grants[0].hosts"),
        (GrantRequest(capability="storage.kv", operations=("orders.list",)), "grants[0].operations"),
        (GrantRequest(capability="host.call", operations=()), "grants[0].operations"),
        (GrantRequest(capability="host.call", operations=("orders.delete",)), "grants[0].operations"),
    ],
)
def test_more_than_is_asked_is_refused(stage, request_, place):
    stage.publish(project(capabilities=[*EVERYTHING, CALLING]))
    error = refused(stage.installs.install, ADMIN, NAME, None, [request_], None)
    assert error.code == "invalid_input"
    assert [finding.at for finding in error.findings] == [place]


def test_the_same_capability_twice_is_refused(stage):
    stage.publish(project(capabilities=EVERYTHING))
    assert refused(stage.installs.install, ADMIN, NAME, None, grants("storage.kv", "storage.kv"), None).code == (
        "invalid_input"
    )


def test_no_hosts_named_means_those_that_are_asked_and_fewer_may_be_named(stage):
    assert installed(stage, "http.fetch").grants[0].hosts == ("api.acme.com", "*.acme.net")
    narrowed = Consents(stage.registry).set_all(ADMIN, NAME, grants("http.fetch", http_fetch=("eu.acme.net",)))
    assert narrowed.grants[0].hosts == ("eu.acme.net",)


def test_no_operations_named_means_those_that_are_asked_and_fewer_may_be_named(stage):
    assert installed(stage, "host.call", capabilities=[CALLING]).grants[0].operations == ("orders.list", "orders.get")
    fewer = [GrantRequest(capability="host.call", operations=("orders.get",))]
    assert Consents(stage.registry).set_all(ADMIN, NAME, fewer).grants[0].operations == ("orders.get",)
    assert stage.store.get_install("t1", NAME).grants[0].operations == ("orders.get",)


def test_changed_grants_keep_who_consented_to_what_stays(stage):
    first = installed(stage, "storage.kv")
    second_admin = Principal(subject="bob", tenant_id="t1", roles=("admin",))
    changed = Consents(stage.registry).set_all(second_admin, NAME, grants("storage.kv", "secrets.get"))
    assert [(grant.capability, grant.granted_by) for grant in changed.grants] == [
        ("secrets.get", "t1/bob"),
        ("storage.kv", "t1/ada"),
    ]
    assert changed.grants[1] == first.grants[0]
    assert Consents(stage.registry).set_all(ADMIN, NAME, []).grants == ()


def test_the_default_version_is_the_highest_that_is_ready_and_no_prerelease(stage):
    for version in ("1.9.0", "1.10.0", "2.0.0-rc.1", "1.11.0"):
        stage.publish(project(version))
    stage.store.set_version_status(NAME, "1.11.0", "deprecated")
    assert stage.installs.install(ADMIN, NAME, None, None, None)[0].version == "1.10.0"
    assert stage.installs.install(OTHER_ADMIN, NAME, "2.0.0-rc.1", None, None)[0].version == "2.0.0-rc.1"


def test_a_withdrawn_version_is_not_installed(stage):
    stage.publish(project())
    stage.store.set_version_status(NAME, "1.0.0", "yanked")
    assert refused(stage.installs.install, ADMIN, NAME, "1.0.0", None, None).code == "version_yanked"
    assert refused(stage.installs.install, ADMIN, NAME, None, None, None).code == "not_found"


def test_an_unknown_extension_or_version_is_not_found(stage):
    stage.publish(project())
    assert refused(stage.installs.install, ADMIN, "com.acme.none", None, None, None).code == "not_found"
    assert refused(stage.installs.install, ADMIN, NAME, "9.9.9", None, None).code == "not_found"


def test_installing_again_changes_nothing_and_another_version_is_an_upgrade(stage):
    first = installed(stage, "storage.kv")
    assert stage.installs.install(ADMIN, NAME, "1.0.0", grants(), None) == (first, False)
    stage.publish(project("1.1.0"))
    assert refused(stage.installs.install, ADMIN, NAME, "1.1.0", None, None).code == "conflict"


def test_the_signature_is_verified_again_at_install(stage):
    stage.publish(project())
    stage.publishers.revoke_key(OPERATOR, "com.acme", ACME.key_id)
    assert refused(stage.installs.install, ADMIN, NAME, "1.0.0", None, None).code == "signature_untrusted"


def test_a_stored_signature_that_was_exchanged_is_seen_at_install(stage):
    packed = project()
    stage.publish(packed)
    stage.blobs.delete(signature_key(packed.content_hash))
    stage.blobs.put_new(signature_key(packed.content_hash), json.dumps(signed(packed, generate_key())).encode())
    assert refused(stage.installs.install, ADMIN, NAME, None, None, None).code == "signature_untrusted"


def test_a_revoked_publishers_version_is_not_installed(stage):
    stage.publish(project())
    stage.publishers.revoke(OPERATOR, "com.acme")
    assert refused(stage.installs.install, ADMIN, NAME, "1.0.0", None, None).code == "signature_untrusted"


def test_a_principal_without_a_tenant_installs_nothing(stage):
    stage.publish(project())
    nobody = Principal(subject="op", roles=("admin",))
    assert refused(stage.installs.install, nobody, NAME, None, None, None).code == "forbidden"


def test_an_upgrade_keeps_everything_and_grants_nothing_more(stage):
    before = installed(stage, "http.fetch", config={"limit": 3}, capabilities=EVERYTHING[1:], settings=SETTINGS)
    stage.installs.put_secret(ADMIN, NAME, "token", SecretRequest(b"s3cret"))
    stage.store.guest_put("t1", before.install_id, [GuestWrite(key="a", value=b"1", text=False)])
    stage.publish(project("2.0.0", capabilities=EVERYTHING, settings=SETTINGS))
    after = Upgrades(stage.registry).upgrade(ADMIN, NAME, "2.0.0")
    assert (after.version, after.install_id) == ("2.0.0", before.install_id)
    assert (after.grants, after.config, after.status) == (before.grants, {"limit": 3}, "enabled")
    assert [secret.name for secret in stage.installs.secrets("t1", NAME)] == ["token"]
    assert len(stage.store.guest_get("t1", before.install_id, ["a"])) == 1
    back = Upgrades(stage.registry).upgrade(ADMIN, NAME, "1.0.0")
    assert (back.grants, back.config) == (before.grants, before.config)


def test_an_upgrade_whose_settings_do_not_fit_takes_the_new_configuration_with_it(stage):
    installed(stage, config={"limit": 3})
    stricter = {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}
    stage.publish(project("2.0.0", settings=stricter))
    assert refused(Upgrades(stage.registry).upgrade, ADMIN, NAME, "2.0.0").code == "invalid_config"
    changed = Upgrades(stage.registry).upgrade(ADMIN, NAME, "2.0.0", config={"url": "x"})
    assert (changed.version, changed.config) == ("2.0.0", {"url": "x"})


def test_an_upgrade_to_a_withdrawn_or_untrusted_version_is_refused(stage):
    installed(stage)
    stage.publish(project("2.0.0"))
    stage.store.set_version_status(NAME, "2.0.0", "yanked")
    assert refused(Upgrades(stage.registry).upgrade, ADMIN, NAME, "2.0.0").code == "version_yanked"
    assert refused(Upgrades(stage.registry).upgrade, ADMIN, NAME, "3.0.0").code == "not_found"


def test_a_configuration_is_held_against_the_manifests_settings(stage):
    installed(stage)
    error = refused(stage.installs.set_config, ADMIN, NAME, {"limit": 0, "colour": "red"})
    assert (error.code, len(error.findings)) == ("invalid_config", 2)
    assert isinstance(error, InvalidInput)
    assert stage.installs.set_config(ADMIN, NAME, {"limit": 5}).config == {"limit": 5}


def test_a_configuration_that_is_required_is_asked_for_at_install(stage):
    stage.publish(project(settings=SETTINGS | {"required": ["title"]}))
    assert refused(stage.installs.install, ADMIN, NAME, None, None, None).code == "invalid_config"
    assert stage.installs.install(ADMIN, NAME, None, None, {"title": "x"})[1] is True


def test_a_disabled_install_can_be_configured_and_enabled_again(stage):
    installed(stage)
    assert stage.installs.change(ADMIN, NAME, status="disabled").status == "disabled"
    stage.installs.set_config(ADMIN, NAME, {"limit": 5})
    Consents(stage.registry).set_all(ADMIN, NAME, grants("storage.kv"))
    stage.installs.put_secret(ADMIN, NAME, "token", SecretRequest(b"x"))
    enabled = stage.installs.change(ADMIN, NAME, status="enabled")
    assert (enabled.status, enabled.config, len(enabled.grants)) == ("enabled", {"limit": 5}, 1)


def test_uninstalling_leaves_the_bundle_for_everyone_else(stage):
    packed = project()
    stage.publish(packed)
    for principal in (ADMIN, OTHER_ADMIN):
        stage.installs.install(principal, NAME, None, None, None)
    leaving = Leaving(stage.registry)
    leaving.uninstall(ADMIN, NAME)
    leaving.delete(ADMIN, NAME)
    assert stage.blobs.info(bundle_key(packed.content_hash)) is not None
    assert stage.store.resolve("t2", NAME) is not None
    assert stage.store.resolve("t1", NAME) is None
    assert refused(leaving.uninstall, ADMIN, NAME).code == "extension_not_installed"


def test_another_tenants_install_is_not_there(stage):
    installed(stage, "storage.kv")
    stage.installs.put_secret(ADMIN, NAME, "token", SecretRequest(b"x"))
    leaving, upgrades, consents = Leaving(stage.registry), Upgrades(stage.registry), Consents(stage.registry)
    for read in (stage.installs.get, stage.installs.find, stage.installs.secrets):
        assert refused(read, "t2", NAME).code == "extension_not_installed"
    for change, args in [
        (stage.installs.change, ()),
        (stage.installs.set_config, ({},)),
        (stage.installs.delete_secret, ("token",)),
        (stage.installs.put_secret, ("token", SecretRequest(b"y"))),
        *((call, ()) for call in (leaving.uninstall, leaving.restore, leaving.delete, leaving.export)),
        *((call, ()) for call in (upgrades.upgrade, upgrades.rollback)),
        (upgrades.preview, (None,)),
        (consents.set_all, ([],)),
        (consents.grant, (grants("storage.kv")[0],)),
        (consents.revoke, ("storage.kv",)),
    ]:
        assert refused(change, OTHER_ADMIN, NAME, *args).code == "extension_not_installed"


def test_a_secret_is_sealed_for_its_tenant_install_and_name(stage):
    install = installed(stage)
    stage.installs.put_secret(ADMIN, NAME, "token", SecretRequest(b"canary-value", ("api.acme.com",), True))
    (stored,) = stage.store.list_secrets("t1", install.install_id)
    sealed = Sealed(stored.key_id, stored.nonce, stored.ciphertext)
    sealer = stage.registry.sealer
    assert sealer.open("t1", install.install_id, "token", sealed) == b"canary-value"
    for binding in (("t2", install.install_id, "token"), ("t1", "ins_x", "token"), ("t1", install.install_id, "x")):
        assert refused(sealer.open, *binding, sealed).code == "unavailable"
    assert b"canary-value" not in b"".join(path.read_bytes() for path in stage.folder.glob("oriel.db*"))


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("", SecretRequest(b"x")),
        ("../x", SecretRequest(b"x")),
        ("1x", SecretRequest(b"x")),
        ("x" * 65, SecretRequest(b"x")),
        ("ok", SecretRequest(b"")),
        ("ok", SecretRequest(b"x" * (MAX_SECRET_BYTES + 1))),
        ("ok", SecretRequest(b"x", ("http://a.example",))),
        ("ok", SecretRequest(b"x", reference_only=True)),
    ],
)
def test_a_secret_that_cannot_be_kept_is_refused_without_its_value(stage, name, secret):
    installed(stage)
    error = refused(stage.installs.put_secret, ADMIN, NAME, name, secret)
    assert error.code == "invalid_input"
    assert not secret.value or secret.value.decode() * 2 not in error.detail


def test_an_install_keeps_a_bounded_number_of_secrets(stage):
    installed(stage)
    for number in range(MAX_SECRETS):
        stage.installs.put_secret(ADMIN, NAME, f"s{number}", SecretRequest(b"x"))
    assert refused(stage.installs.put_secret, ADMIN, NAME, "more", SecretRequest(b"x")).code == "invalid_input"
    stage.installs.put_secret(ADMIN, NAME, "s1", SecretRequest(b"again"))


def test_the_menu_shows_enabled_installs_that_may_run(stage):
    ui = {
        "hooks": {"appMenu": [{"label": "Notes", "path": "/list", "icon": "ui/n.svg"}], "clientTab": [{"label": "N"}]}
    }
    packed = project(files={"index.html": b"", "n.svg": b""}, ui=ui)
    stage.publish(packed)
    stage.installs.install(ADMIN, NAME, None, None, None)
    items = list(stage.installs.menu("t1"))
    assert items[0] == {
        "extension_id": NAME,
        "hook": "appMenu",
        "label": "Notes",
        "path": "/list",
        "icon": "ui/n.svg",
        "content_hash": packed.content_hash,
        "entry": "ui/index.html",
        "version": "1.0.0",
        "title": "Notes",
    }
    assert [(item["hook"], item["path"], item["icon"]) for item in items[1:]] == [("clientTab", "/", None)]
    assert list(stage.installs.menu("t2")) == []
    stage.installs.change(ADMIN, NAME, status="disabled")
    assert list(stage.installs.menu("t1")) == []
    stage.installs.change(ADMIN, NAME, status="enabled")
    stage.store.set_version_status(NAME, "1.0.0", "yanked")
    assert list(stage.installs.menu("t1")) == []
    stage.store.set_version_status(NAME, "1.0.0", "ready")
    stage.publishers.revoke_key(OPERATOR, "com.acme", ACME.key_id)
    assert list(stage.installs.menu("t1")) == []


def test_a_version_whose_key_was_revoked_is_no_longer_the_latest(stage):
    installed(stage)
    catalogue = Catalogue(stage.registry)
    assert catalogue.latest(NAME) is not None
    stage.publishers.revoke_key(OPERATOR, "com.acme", ACME.key_id)
    assert catalogue.latest(NAME) is None
