"""Publishers and keys: who owns which names, and what a revocation does."""

import pytest

from oriel.errors import InvalidInput, OrielError
from oriel.signing import generate_key
from tests.registry.stage import ACME, OPERATOR, project


@pytest.mark.parametrize("prefix", ["com.acme", "com.acme.notes", "com"])
def test_no_two_publishers_own_overlapping_names(stage, prefix):
    with pytest.raises(OrielError) as refused:
        stage.publishers.register(OPERATOR, "org.evil", [prefix])
    assert refused.value.code == ("invalid_input" if prefix == "com" else "conflict")


def test_names_that_only_begin_alike_do_not_overlap(stage):
    assert stage.publishers.register(OPERATOR, "com.acmeother", [])[1] is True


@pytest.mark.parametrize("name", ["", "acme", "com.acme.", ".com", "com..x", "COM.ACME", "com.acme/..", "com.a\n.b"])
def test_a_name_that_is_no_reverse_domain_is_refused(stage, name):
    with pytest.raises(InvalidInput):
        stage.publishers.register(OPERATOR, name, [])


def test_registering_again_changes_the_names_and_does_not_lift_a_revocation(stage):
    stage.publishers.revoke(OPERATOR, "com.acme")
    again, new = stage.publishers.register(OPERATOR, "com.acme", ["com.acme", "org.acme"])
    assert (again.prefixes, again.revoked_at is not None, new) == (("com.acme", "org.acme"), True, False)


def test_a_revocation_is_not_taken_back_by_registering_the_key_again(stage):
    revoked = stage.publishers.revoke_key(OPERATOR, "com.acme", ACME.key_id)
    again = stage.publishers.add_key(OPERATOR, "com.acme", ACME.public.to_pem())
    assert (again.revoked_at, again.not_before) == (revoked.revoked_at, revoked.not_before)
    assert stage.publishers.revoke_key(OPERATOR, "com.acme", ACME.key_id) == revoked


def test_keys_rotate_while_the_old_ones_versions_stay(stage):
    stage.publish(project())
    new = generate_key("ecdsa-p256")
    stage.publishers.add_key(OPERATOR, "com.acme", new.public.to_pem(), 0)
    assert [key.key_id for key in stage.publishers.keys("com.acme")] == sorted([ACME.key_id, new.key_id])


@pytest.mark.parametrize("pem", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_what_is_no_public_key_is_refused(stage, pem):
    with pytest.raises(OrielError) as refused:
        stage.publishers.add_key(OPERATOR, "com.acme", pem)
    assert refused.value.code == "invalid_input"


def test_an_empty_window_is_refused(stage):
    with pytest.raises(InvalidInput, match="not_after"):
        stage.publishers.add_key(OPERATOR, "com.acme", ACME.public.to_pem(), 10, 10)


def test_what_is_not_registered_is_not_found(stage):
    for call in (
        lambda: stage.publishers.revoke(OPERATOR, "com.none"),
        lambda: stage.publishers.revoke_key(OPERATOR, "com.acme", "sha256:x"),
        lambda: stage.publishers.add_key(OPERATOR, "com.none", ACME.public.to_pem()),
        lambda: stage.publishers.keys("com.none"),
    ):
        with pytest.raises(OrielError) as refused:
            call()
        assert refused.value.code == "not_found"
