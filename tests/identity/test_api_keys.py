"""API keys of machines: what they are, whom they speak for, and when they end."""

import base64

import pytest
from msgspec.structs import replace

from oriel.errors import OrielError
from oriel.identity import ApiKeys, Authenticator
from oriel.identity.api_keys import TTL_SECONDS, new_key
from oriel.store import StoreUnavailable
from oriel.store.policy_records import ApiKey

NOW = 1_795_000_000_000


class Site:
    """A source of keys in memory, and both clocks."""

    def __init__(self):
        self.stored, self.reads, self.away, self.seconds, self.now = {}, 0, False, 0.0, NOW
        self.keys = ApiKeys(self, clock=lambda: self.seconds, now=lambda: self.now)

    def get_api_key(self, tenant_id, key_id):
        self.reads += 1
        if self.away:
            raise StoreUnavailable
        return self.stored.get((tenant_id, key_id))

    def make(self, tenant_id="acme", **fields):
        made = new_key(tenant_id)
        record = {"name": "CI", "permissions": ("invoke:read",), "created_by": "acme/ann", "created_at": NOW}
        record |= {"key_id": made.key_id, "secret_hash": made.secret_hash, "expires_at": NOW + 1_000}
        key = ApiKey(tenant_id=tenant_id, **(record | fields))
        self.stored[tenant_id, key.key_id] = key
        return made.token

    def change(self, **fields):
        ((place, key),) = self.stored.items()
        self.stored[place] = replace(key, **fields)

    def refusal(self, token):
        with pytest.raises(OrielError) as refused:
            self.keys.principal(token)
        return refused.value


@pytest.fixture
def site():
    return Site()


@pytest.mark.parametrize("tenant_id", ["acme", None, "ACME|eu:1~=+@x", "x" * 128])
def test_a_key_speaks_for_its_tenant_with_its_permissions_and_no_roles(site, tenant_id):
    principal = site.keys.principal(site.make(tenant_id, extension_id="com.acme.notes"))
    assert (principal.tenant_id, principal.extension_id, principal.name) == (tenant_id, "com.acme.notes", "CI")
    assert (principal.permissions, principal.roles, principal.is_machine) == ({"invoke:read"}, (), True)
    assert principal.subject.startswith("key_")


def test_what_a_key_does_not_carry_is_forbidden_whatever_roles_there_are(site):
    principal = site.keys.principal(site.make())
    with pytest.raises(OrielError, match="'install', which the API key does not carry"):
        principal.require("install")


def test_a_permission_that_no_longer_exists_is_not_carried(site):
    assert site.keys.principal(site.make(permissions=("invoke:read", "fly"))).permissions == {"invoke:read"}


def test_a_key_bound_to_an_extension_speaks_about_no_other(site):
    principal = site.keys.principal(site.make(extension_id="com.acme.notes"))
    principal.require_extension("com.acme.notes")
    for other in ("com.acme.other", None):
        with pytest.raises(OrielError, match=r"for com\.acme\.notes alone"):
            principal.require_extension(other)


def test_a_key_is_taken_in_place_of_a_token(site, key_set, authenticator):
    with_keys = Authenticator(authenticator._verifier, api_keys=site.keys)
    assert with_keys.authenticate(f"Bearer {site.make()}").tenant_id == "acme"
    with pytest.raises(OrielError):
        authenticator.authenticate(f"Bearer {site.make()}")


@pytest.mark.parametrize("place", [0, 7, 20, -1])
def test_one_changed_character_anywhere_is_refused(site, place):
    token = site.make()
    changed = "A" if token[place] != "A" else "B"
    assert site.refusal(token[:place] + changed + token[place:][1:]).code == "unauthenticated"


def test_another_tenants_name_in_a_key_is_refused(site):
    token, other = site.make("acme"), base64.urlsafe_b64encode(b"globex").rstrip(b"=").decode()
    key = site.stored["acme", token.split(".")[1]]
    site.stored["globex", key.key_id] = replace(key, tenant_id="globex")
    assert site.refusal(f"okey_{other}." + token.split(".", 1)[1]).code == "unauthenticated"


@pytest.mark.parametrize("token", ["okey_", "okey_x", "okey_..", "okey_YQ.key_1.x", "okey_" + "A" * 9_000, "okey_\0"])
def test_what_is_no_key_is_never_looked_up(site, token):
    assert site.refusal(token).code == "unauthenticated"
    assert site.reads == 0


@pytest.mark.parametrize("tail", ["\n", "=", " ", ".", "A"])
def test_trailing_bytes_are_refused(site, tail):
    assert site.refusal(site.make() + tail).code == "unauthenticated"


def test_a_second_spelling_of_the_tenant_is_refused(site):
    token = site.make("a")  # YQ; YR decodes to the same byte
    assert token.startswith("okey_YQ.")
    assert site.refusal(token.replace("okey_YQ.", "okey_YR.")).code == "unauthenticated"


def test_an_expired_key_is_refused_at_once(site):
    token = site.make()
    site.keys.principal(token)
    site.now += 1_000
    assert "its time is over" in site.refusal(token).detail


def test_a_revoked_key_is_refused_within_the_promised_time(site):
    token = site.make()
    site.keys.principal(token)
    site.change(revoked_at=NOW)
    site.seconds += TTL_SECONDS
    assert "revoked" in site.refusal(token).detail
    assert TTL_SECONDS <= 10


def test_a_key_is_read_once_in_its_time_also_one_that_is_not_there(site):
    token, unknown = site.make(), new_key("acme").token
    for _ in range(5):
        site.keys.principal(token)
        site.refusal(unknown)
    assert site.reads == 2


def test_while_the_store_is_away_nothing_is_believed_past_its_time(site):
    token = site.make()
    site.keys.principal(token)
    site.away = True
    assert site.keys.principal(token)
    site.seconds += TTL_SECONDS
    assert site.refusal(token).code == "unavailable"


def test_no_refusal_repeats_the_key(site):
    token = site.make()
    site.change(revoked_at=NOW)
    refused = site.refusal(token)
    assert token.rsplit(".", 1)[1] not in f"{refused.detail}{refused.hint}{refused.problem('r')}"
