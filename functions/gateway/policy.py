"""What a request may do: the gateway's decisions, in the order in which they are made.

    1  the caller: tenant, permission                        `require_caller`
    2  the install: there, enabled, not withdrawn or revoked `require_runnable`
    3  the endpoint: declared, its method, its roles         `decide`
    4  what the execution gets: capabilities, hosts, limits, secrets, the user

Rules kept here:

- The tenant is the token's. A tenant header may agree with it or is refused.
- An execution gets a capability only where the platform offers it, the version asks for it and the tenant's grant
  has not expired: an intersection, never a union. A grant can narrow what is asked for, never widen it; hosts and
  operations of the host product are intersected in the same way, and none means none.
- The guest learns of the user with `user.read` alone. The host product, where one of its operations may be called, is
  always told: it decides what that user may do.
- Limits are what the version wants, or the defaults; an install lowers them, and the operator's ceiling is not passed.
- Everything here is a function of what it is given: no I/O, no cache, no clock.
"""

import base64
from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec import Struct

from gateway.messages import GatewayRequest
from gateway.resolve import Resolved
from oriel import hosts, operations
from oriel.capabilities import ALWAYS, CAPABILITIES, PRODUCT_BACKED, canonical_name
from oriel.contract import DeclaredEndpoint, Limits, SealedSecret, User
from oriel.errors import OrielError
from oriel.identity import Permission, Principal
from oriel.published import CapabilityRequest, Endpoint, LimitsRequest, Published
from oriel.routing import Match, match_endpoint
from oriel.store.records import Grant, StoredSecret

READ_METHODS = frozenset({"GET", "HEAD"})
TENANT_HEADERS = ("x-tenant-id", "x-oriel-tenant")


class Decision(Struct, frozen=True, kw_only=True):
    """What one execution is and gets."""

    match: Match[Endpoint]
    providers: frozenset[str]
    egress: tuple[str, ...]
    limits: Limits
    secrets: tuple[SealedSecret, ...]
    user: User | None
    operations: tuple[str, ...] = ()
    acting_user: User | None = None
    endpoints: tuple[DeclaredEndpoint, ...] = ()


class _Scope(Struct, frozen=True):
    """How far one capability reaches."""

    hosts: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()


def require_caller(request: GatewayRequest, principal: Principal, permission: Permission | None = None) -> str:
    """The tenant for which the request is made.

    Args:
        permission: what the caller must have; by default, what the method takes.

    Raises:
        OrielError: `forbidden`, `tenant_mismatch`.
    """
    tenant_id = principal.require_tenant()
    for header in TENANT_HEADERS:
        if any(value != tenant_id for value in request.all_headers(header)):
            raise OrielError("tenant_mismatch", f"The header '{header}' names another tenant than the token.")
    principal.require(permission or ("invoke:read" if request.method in READ_METHODS else "invoke:write"))
    return tenant_id


def require_runnable(extension_id: str, resolved: Resolved | None, is_revoked: Callable[[str], bool]) -> Resolved:
    """The install, where it may run.

    Args:
        is_revoked: whether the operator's trust bundle revokes the key of that id; the registry's own revocations
            come with the resolution.

    Raises:
        OrielError: `extension_not_installed`, `install_disabled`, `version_yanked`, `publisher_revoked`, `quarantined`.
    """
    if resolved is None:
        raise OrielError("extension_not_installed", f"'{extension_id}' is not installed for your organisation.")
    resolution = resolved.resolution
    if resolution.install.delete_at is not None:
        raise OrielError("extension_not_installed", f"'{extension_id}' was uninstalled by your organisation.")
    if resolution.install.status != "enabled":
        raise OrielError("install_disabled", f"'{extension_id}' is disabled for your organisation.")
    if resolution.version.status == "yanked":
        raise OrielError("version_yanked", f"Version {resolution.version.version} of '{extension_id}' was withdrawn.")
    if resolution.publisher_revoked:
        raise OrielError("publisher_revoked", f"The publisher of '{extension_id}' is no longer trusted.")
    if resolution.signer_revoked or is_revoked(resolution.version.signer_key_id):
        raise OrielError(
            "publisher_revoked",
            f"The key that signed version {resolution.version.version} of '{extension_id}' is no longer trusted.",
        )
    if resolution.quarantined:
        raise OrielError("quarantined", f"Version {resolution.version.version} of '{extension_id}' is quarantined.")
    return resolved


def decide(
    request: GatewayRequest,
    principal: Principal | None,
    resolved: Resolved,
    segments: tuple[str, ...],
    *,
    ceiling: Limits,
    now_ms: int,
    offered: Collection[str] = frozenset(CAPABILITIES),
) -> Decision:
    """Whether a runnable install carries out the request, and with what.

    Args:
        principal: who asks; None where the platform does, which no endpoint is closed to.
        segments: the path below the extension, from `clean_segments`.
        ceiling: the operator's limits.
        now_ms: Unix milliseconds.
        offered: the capabilities that this platform offers.

    Raises:
        OrielError: `endpoint_not_found`, `method_not_allowed`, `forbidden`.
    """
    match = match_endpoint(resolved.manifest.api.endpoints, request.method, segments)
    if principal is not None:
        _require_open(match.endpoint, principal)
    grants = _effective(resolved.manifest.asked, resolved.resolution.install.grants, offered, now_ms)
    return Decision(
        match=match,
        providers=frozenset(grants) | (ALWAYS & frozenset(offered)),
        egress=grants.get("http.fetch", _Scope()).hosts,
        limits=effective_limits(resolved.manifest.limits, resolved.resolution.install.limits, ceiling),
        secrets=tuple(map(_sealed, resolved.resolution.secrets)) if "secrets.get" in grants else (),
        user=_user(principal) if principal is not None and "user.read" in grants else None,
        operations=grants.get("host.call", _Scope()).operations,
        acting_user=_user(principal) if principal is not None and PRODUCT_BACKED & grants.keys() else None,
        endpoints=_endpoints(resolved.manifest) if "schedule.manage" in grants else (),
    )


def is_granted(name: str, resolved: Resolved, now_ms: int, offered: Collection[str] = frozenset(CAPABILITIES)) -> bool:
    """Whether an execution of this install would get the capability."""
    return name in _effective(resolved.manifest.asked, resolved.resolution.install.grants, offered, now_ms)


def effective_limits(wanted: LimitsRequest, installed: Mapping[str, int], ceiling: Limits) -> Limits:
    """The least of three: what the version wants (or the default), what the install allows, and the ceiling.

    A version may want more than the default, which the operator bounds with the ceiling. An install can only lower.
    None, or nothing said, is no limit.
    """
    asked = _said(Limits()) | _said(wanted)
    bounds = (asked, installed, _said(ceiling))
    named = set().union(*bounds)
    return Limits.convert({name: min(bound[name] for bound in bounds if name in bound) for name in named})


def _said(limits: Limits | LimitsRequest) -> dict[str, int]:
    return {name: bound for name, bound in limits.to_plain().items() if bound is not None}


def _endpoints(manifest: Published) -> tuple[DeclaredEndpoint, ...]:
    return tuple(DeclaredEndpoint(method=one.method, path=one.path) for one in manifest.api.endpoints)


def _require_open(endpoint: Endpoint, principal: Principal) -> None:
    if endpoint.internal:
        raise OrielError("endpoint_not_found", f"The extension declares no endpoint for '{endpoint.path}'.")
    if endpoint.roles and set(endpoint.roles).isdisjoint(principal.roles):
        allowed = ", ".join(f"'{role}'" for role in endpoint.roles)
        raise OrielError("forbidden", f"{endpoint.method} {endpoint.path} is only open to the roles: {allowed}.")


def _effective(
    asked: Mapping[str, CapabilityRequest], grants: Iterable[Grant], offered: Collection[str], now_ms: int
) -> dict[str, _Scope]:
    """The capabilities that all three sides agree to, with how far they reach."""
    return {
        name: _Scope(
            hosts.intersection(asked[name].hosts, grant.hosts),
            operations.intersection(asked[name].operations, grant.operations),
        )
        for grant in grants
        if (name := canonical_name(grant.capability)) in asked
        and name in offered
        and (grant.expires_at is None or now_ms < grant.expires_at)
    }


def _sealed(secret: StoredSecret) -> SealedSecret:
    return SealedSecret(
        name=secret.name,
        key_id=secret.key_id,
        nonce_b64=base64.b64encode(secret.nonce).decode(),
        ciphertext_b64=base64.b64encode(secret.ciphertext).decode(),
        hosts=secret.hosts,
        reference_only=secret.reference_only,
    )


def _user(principal: Principal) -> User:
    return User(id=principal.subject, name=principal.name, email=principal.email, roles=principal.roles)
