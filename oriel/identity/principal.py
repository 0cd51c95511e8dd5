"""A principal: who a verified credential speaks for, and what that lets it do.

Rules kept here: permissions come from roles and from nothing else; a role that the policy does not know carries
none; a refusal names the permission and the roles that carry it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from oriel.errors import OrielError

Permission = Literal["invoke:read", "invoke:write", "install", "configure", "publish", "operate"]
PERMISSIONS: frozenset[Permission] = frozenset(get_args(Permission))


@dataclass(frozen=True, slots=True)
class RolePolicy:
    """Which role carries which permissions. Role names are compared as they are written."""

    grants: Mapping[str, frozenset[Permission]]

    def permissions(self, roles: Iterable[str]) -> frozenset[Permission]:
        """All permissions that the roles carry together."""
        return frozenset[Permission]().union(*(self.grants.get(role, frozenset()) for role in roles))

    def carriers(self, permission: Permission) -> tuple[str, ...]:
        """The roles that carry a permission, ordered by name."""
        return tuple(sorted(role for role, granted in self.grants.items() if permission in granted))


DEFAULT_ROLES = RolePolicy(
    {
        "viewer": frozenset({"invoke:read"}),
        "member": frozenset({"invoke:read", "invoke:write"}),
        "admin": frozenset({"invoke:read", "invoke:write", "install", "configure"}),
        "publisher": frozenset({"publish"}),
        "operator": frozenset({"operate"}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks. `tenant_id` is None for a principal outside all tenants: a publisher, an operator, a machine."""

    subject: str
    tenant_id: str | None = None
    roles: tuple[str, ...] = ()
    name: str | None = None
    email: str | None = None
    policy: RolePolicy = field(default=DEFAULT_ROLES, repr=False, compare=False)

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.policy.permissions(self.roles)

    def require(self, permission: Permission) -> None:
        """Return where the principal has the permission.

        Raises:
            OrielError: `forbidden`.
        """
        if permission not in self.permissions:
            carriers = ", ".join(f"'{role}'" for role in self.policy.carriers(permission)) or "no role"
            raise OrielError(
                "forbidden", f"This needs the permission '{permission}', which is carried by the roles: {carriers}."
            )

    def require_tenant(self) -> str:
        """The tenant that the principal belongs to.

        Raises:
            OrielError: `forbidden`, where it belongs to none.
        """
        if self.tenant_id is None:
            raise OrielError(
                "forbidden", "The token names no tenant.", hint="Send a token of a user who belongs to a tenant."
            )
        return self.tenant_id
