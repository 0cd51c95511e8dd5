import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oriel.errors import OrielError
from oriel.sealing import DataKey, Sealer
from runner.execution import Services
from runner.host import context, secrets, user


class OneKey:
    """Data keys in memory."""

    def __init__(self):
        self.key = DataKey("key_1", AESGCM(b"k" * 32))

    def current(self):
        return self.key

    def by_id(self, key_id):
        return self.key if key_id == self.key.key_id else None


@pytest.fixture
def sealer():
    return Sealer(OneKey())


def sealed(sealer, name, value, tenant="acme", install="ins_1", **more):
    secret = sealer.seal(tenant, install, name, value)
    return {
        "name": name,
        "key_id": secret.key_id,
        "nonce_b64": base64.b64encode(secret.nonce).decode(),
        "ciphertext_b64": base64.b64encode(secret.ciphertext).decode(),
        **more,
    }


def test_context_tells_the_ids_and_the_time_left(make_execution):
    info = context.get(make_execution(limits={"timeout_ms": 5_000}))
    assert info["tenant_id"] == "acme"
    assert info["version"] == "1.2.3"
    assert info["trigger"] == "http"
    assert 0 < info["remaining_ms"] <= 5_000


def test_configuration_is_ordered_by_key_and_tells_none_for_a_missing_one(make_execution):
    execution = make_execution(context={"config": {"b": "2", "a": "1"}})
    assert context.config_all(execution) == [("a", "1"), ("b", "2")]
    assert context.config(execution, "a") == "1"
    assert context.config(execution, "c") is None


def test_a_user_is_told_as_the_token_has_them(make_execution):
    execution = make_execution(user={"id": "u1", "roles": ["admin"]})
    assert user.get(execution) == ("ok", {"id": "u1", "name": None, "email": None, "roles": ["admin"]})


def test_an_execution_without_a_user_says_so(make_execution):
    outcome, (case, _) = user.get(make_execution())
    assert (outcome, case) == ("err", "not-available")


def test_a_secret_is_opened_for_its_tenant_install_and_name(make_execution, sealer):
    execution = make_execution(Services(opener=sealer), secrets=[sealed(sealer, "token", b"s3cr3t")])
    assert secrets.get(execution, "token") == ("ok", "s3cr3t")
    assert secrets.names(execution) == ("ok", ["token"])


def test_a_name_without_a_secret_is_none_and_no_error(make_execution):
    assert secrets.get(make_execution(), "token") == ("ok", None)


@pytest.mark.parametrize("other", [{"tenant": "evil"}, {"install": "ins_2"}])
def test_a_secret_of_another_tenant_or_install_does_not_open(make_execution, sealer, other):
    execution = make_execution(Services(opener=sealer), secrets=[sealed(sealer, "token", b"s3cr3t", **other)])
    outcome, (case, message) = secrets.get(execution, "token")
    assert (outcome, case) == ("err", "unavailable")
    assert "s3cr3t" not in message


def test_a_secret_under_another_name_does_not_open(make_execution, sealer):
    moved = sealed(sealer, "token", b"s3cr3t") | {"name": "other"}
    execution = make_execution(Services(opener=sealer), secrets=[moved])
    assert secrets.get(execution, "other")[1][0] == "unavailable"


def test_a_secret_for_reference_only_is_not_read_and_not_opened(make_execution, sealer):
    execution = make_execution(
        Services(opener=sealer), secrets=[sealed(sealer, "token", b"s3cr3t", reference_only=True)]
    )
    outcome, (case, message) = secrets.get(execution, "token")
    assert (outcome, case) == ("err", "reference-only")
    assert "{{secret:token}}" in message
    assert execution.secrets._opened == {}


def test_a_reference_is_opened_by_the_host(make_execution, sealer):
    execution = make_execution(
        Services(opener=sealer),
        secrets=[sealed(sealer, "token", b"s3cr3t", reference_only=True, hosts=["api.acme.com"])],
    )
    assert execution.secrets.hosts("token") == ("api.acme.com",)
    assert execution.secrets.value("token") == "s3cr3t"


def test_a_secret_that_is_no_text_is_unavailable(make_execution, sealer):
    execution = make_execution(Services(opener=sealer), secrets=[sealed(sealer, "token", b"\xff\xfe")])
    assert secrets.get(execution, "token")[1][0] == "unavailable"


def test_without_a_key_source_secrets_are_unavailable_and_never_plain(make_execution, sealer):
    execution = make_execution(secrets=[sealed(sealer, "token", b"s3cr3t")])
    assert secrets.get(execution, "token")[1][0] == "unavailable"
    with pytest.raises(OrielError):
        execution.secrets.value("absent")
