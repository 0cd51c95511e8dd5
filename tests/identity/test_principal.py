"""Roles, permissions and refusals."""

import pytest

from oriel.errors import InvalidInput, OrielError
from oriel.identity import DEFAULT_ROLES, PERMISSIONS, Principal, RolePolicy


def test_a_permission_that_no_role_carries_is_refused_with_the_roles_that_would():
    with pytest.raises(OrielError) as caught:
        Principal(subject="ann", tenant_id="acme", roles=("viewer",)).require("invoke:write")
    assert caught.value.code == "forbidden"
    assert "'invoke:write'" in caught.value.detail
    assert "'admin', 'developer', 'member'" in caught.value.detail


def test_permissions_of_several_roles_add_up():
    assert Principal(subject="ann", roles=("viewer", "publisher")).permissions == {"invoke:read", "publish"}


def test_an_unknown_role_carries_nothing():
    assert not Principal(subject="ann", roles=("root", "Admin", "")).permissions


def test_every_permission_is_carried_by_some_role():
    assert all(DEFAULT_ROLES.carriers(permission) for permission in PERMISSIONS)


def test_the_operators_policy_stands_in_place_of_the_default(tmp_path):
    written = tmp_path / "roles.json"
    written.write_text('{"owner": ["install", "configure"], "reader": ["invoke:read"], "nobody": []}')
    for source in (str(written), written.read_text()):
        policy = RolePolicy.load(source)
        assert policy.permissions(["owner", "reader", "nobody"]) == {"install", "configure", "invoke:read"}
        assert policy.permissions(["admin", "operator"]) == frozenset()
        assert policy.carriers("configure") == ("owner",)
    assert RolePolicy.load("") is DEFAULT_ROLES


@pytest.mark.parametrize(
    "source",
    ['{"a": ["fly"]}', '{"a": "install"}', '{"a b": ["install"]}', "{", '{"a": [], "a": ["operate"]}', "/no/such/file"],
)
def test_a_policy_with_a_mistake_stops_the_start(source):
    with pytest.raises(InvalidInput, match="policy of roles"):
        RolePolicy.load(source)
