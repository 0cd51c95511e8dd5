"""A principal: who a verified credential speaks for, and what that lets it do.

Rules kept here:

- A user's permissions come from roles and from nothing else; a role that the policy does not know carries none. A
  machine's come from its API key alone, and it has no roles.
- Which role carries which permissions is the operator's configuration (`ORIEL_ROLES`), whole: what is configured stands
  in place of the default, not beside it.
- A refusal names the permission and the roles that carry it.

`observe` is to see executions, their logs and what they used; `record` is to have one kept whole, with what was sent
and answered, and to read that.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct, convert

from oriel import strict_json
from oriel.errors import Finding, InvalidInput, OrielError

Permission = Literal[
    "invoke:read", "invoke:write", "install", "configure", "publish", "operate", "observe", "record", "emit"
]
KEY_HINT = "Use a key that was made for this: oriel key create."
PERMISSIONS: frozenset[Permission] = frozenset(get_args(Permission))


class RolePolicy(Struct, frozen=True):
    """Which role carries which permissions. Role names are compared as they are written."""

    grants: Mapping[str, frozenset[Permission]]

    @classmethod
    def load(cls, source: str) -> "RolePolicy":
        """The policy in JSON text, or in the file of that path; the default where `source` is empty.

            {"reader": ["invoke:read"], "owner": ["invoke:read", "invoke:write", "install", "configure"]}

        Raises:
            InvalidInput: `invalid_input`.
        """
        if not source:
            return DEFAULT_ROLES
        try:
            text = source if source.lstrip().startswith("{") else Path(source).read_text(encoding="utf-8")
            declared = convert(strict_json.loads(text, max_bytes=MAX_POLICY_BYTES), _Declared)
        except (OSError, UnicodeDecodeError, strict_json.JsonError, msgspec.ValidationError) as error:
            finding = Finding("ORIEL_ROLES", f"is not a list of permissions for each role: {error}")
            raise InvalidInput("invalid_input", [finding], subject="The policy of roles") from None
        return cls({role: frozenset(permissions) for role, permissions in declared.items()})

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
        "developer": frozenset({"invoke:read", "invoke:write", "observe", "record"}),
        "admin": frozenset({"invoke:read", "invoke:write", "install", "configure", "observe", "record"}),
        "publisher": frozenset({"publish"}),
        "operator": frozenset({"operate"}),
        "product": frozenset({"emit"}),
    }
)


MAX_POLICY_BYTES = 100_000
_Declared = dict[Annotated[str, Meta(pattern=r"^[^\s,]{1,128}$")], tuple[Permission, ...]]


class Principal(Struct, frozen=True, kw_only=True):
    """Who asks.

    Attributes:
        tenant_id: None for one outside all tenants: a publisher, an operator.
        granted: of a machine, what its API key carries; None for a user.
        extension_id: the one extension that a machine may speak about; None where it is not bound to one.
    """

    subject: str
    tenant_id: str | None = None
    roles: tuple[str, ...] = ()
    name: str | None = None
    email: str | None = None
    granted: frozenset[Permission] | None = None
    extension_id: str | None = None
    policy: RolePolicy = DEFAULT_ROLES

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.policy.permissions(self.roles) if self.granted is None else self.granted

    @property
    def is_machine(self) -> bool:
        return self.granted is not None

    def require(self, permission: Permission) -> None:
        """Return where the principal has the permission.

        Raises:
            OrielError: `forbidden`.
        """
        if permission in self.permissions:
            return
        if self.is_machine:
            raise OrielError(
                "forbidden",
                f"This needs the permission '{permission}', which the API key does not carry.",
                hint=KEY_HINT,
            )
        carriers = ", ".join(f"'{role}'" for role in self.policy.carriers(permission)) or "no role"
        raise OrielError(
            "forbidden", f"This needs the permission '{permission}', which is carried by the roles: {carriers}."
        )

    def require_extension(self, extension_id: str | None) -> None:
        """Return where the principal may speak about the extension; None is whatever is not about one.

        Raises:
            OrielError: `forbidden`.
        """
        if self.extension_id is not None and self.extension_id != extension_id:
            raise OrielError("forbidden", f"The API key is for {self.extension_id} alone.", hint=KEY_HINT)

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
