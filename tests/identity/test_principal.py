"""Roles, permissions and refusals."""

import pytest

from oriel.errors import OrielError
from oriel.identity import DEFAULT_ROLES, PERMISSIONS, Principal


def test_a_permission_that_no_role_carries_is_refused_with_the_roles_that_would():
    with pytest.raises(OrielError) as caught:
        Principal(subject="ann", tenant_id="acme", roles=("viewer",)).require("invoke:write")
    assert caught.value.code == "forbidden"
    assert "'invoke:write'" in caught.value.detail
    assert "'admin', 'member'" in caught.value.detail


def test_permissions_of_several_roles_add_up():
    assert Principal(subject="ann", roles=("viewer", "publisher")).permissions == {"invoke:read", "publish"}


def test_an_unknown_role_carries_nothing():
    assert not Principal(subject="ann", roles=("root", "Admin", "")).permissions


def test_every_permission_is_carried_by_some_role():
    assert all(DEFAULT_ROLES.carriers(permission) for permission in PERMISSIONS)
