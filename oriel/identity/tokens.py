"""User tokens: JSON Web Tokens of the identity provider (RFC 7519, RFC 8725), verified and turned into a principal.

Rules kept here:

- Asymmetric algorithms only, and the one that the key is for. The token chooses a key by its id and nothing else.
- `exp`, `iss`, `aud` and `sub` must be there; `iss` and `aud` must be the configured ones. Clocks may differ by
  `LEEWAY_SECONDS`, no more.
- A refusal says which check failed and nothing about keys. An expired token has its own code, so that a client knows
  to get a new one.
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from oriel.errors import OrielError
from oriel.identity import jwa, jws
from oriel.identity.api_keys import PREFIX, ApiKeys
from oriel.identity.jwks import KeySet
from oriel.identity.principal import DEFAULT_ROLES, Principal, RolePolicy

LEEWAY_SECONDS = 30
MAX_ROLES = 64
REQUIRED_CLAIMS = ("exp", "iss", "aud", "sub")

_TENANT = re.compile(r"[A-Za-z0-9._:@|~+=-]{1,128}")
_ROLE = re.compile(r"[^\s,]{1,128}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,256}")


class TokenVerifier:
    """Verifies the tokens of one issuer for one audience."""

    def __init__(self, keys: KeySet, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a valid token.

        Raises:
            OrielError: `unauthenticated`, `token_expired`; `unavailable`, where there are no keys to check with.
        """
        try:
            unverified = jws.read(token)
        except jws.Malformed as error:
            raise _refused(str(error)) from None
        key = self._keys.find(unverified.key_id)
        if key is None:
            raise _refused("no key of the identity provider has its key id")
        if unverified.algorithm not in key.algorithms:
            raise _refused("its algorithm is not one that its key is for")
        if not jwa.fits(key.key, str(unverified.algorithm), unverified.signature, unverified.signed):
            raise _refused("its signature does not fit")
        self._judge(unverified.claims)
        return unverified.claims

    def _judge(self, claims: Mapping[str, Any]) -> None:
        """The registered claims (RFC 7519, 4.1), of a token that its issuer signed."""
        for name in REQUIRED_CLAIMS:
            if claims.get(name) is None:
                raise _refused(f"it has no '{name}'")
        if not isinstance(claims["sub"], str) or not isinstance(claims.get("jti", ""), str):
            raise _refused("a claim in it is not valid")
        now = time.time()
        if any(claims.get(name, 0) > now + LEEWAY_SECONDS for name in ("iat", "nbf")):
            raise _refused("it is not valid yet")
        if claims["exp"] <= now - LEEWAY_SECONDS:
            raise OrielError("token_expired", "The token's time, 'exp', is over.")
        if claims["iss"] != self._issuer:
            raise _refused("it comes from another issuer")
        audience = claims["aud"]
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise _refused("it is meant for another audience")


class ClaimNames(Struct, frozen=True):
    """Where the claims stand. A name with dots also finds a nested claim: `realm_access.roles`."""

    tenant: str = "tenant"
    roles: str = "roles"
    name: str = "name"
    email: str = "email"


class Authenticator:
    """Turns an `Authorization` header into a principal.

    Args:
        api_keys: machines' keys; without it none is taken.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        claims: ClaimNames | None = None,
        policy: RolePolicy = DEFAULT_ROLES,
        api_keys: ApiKeys | None = None,
    ) -> None:
        self._verifier = verifier
        self._api_keys = api_keys
        self._names = claims or ClaimNames()
        self._policy = policy

    def authenticate(self, authorization: str | None) -> Principal:
        """The principal that the header's bearer token, a user's or a machine's, speaks for.

        Raises:
            OrielError: `unauthenticated`, `token_expired`; `unavailable`.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise OrielError("unauthenticated", "There is no bearer token in the header 'authorization'.")
        token = token.strip(" ")
        if self._api_keys is not None and token.startswith(PREFIX):
            return self._api_keys.principal(token)
        claims = self._verifier.verify(token)
        return Principal(
            subject=_text(claims, "sub") or "",
            tenant_id=_tenant(claims, self._names.tenant),
            roles=_roles(claims, self._names.roles),
            name=_text(claims, self._names.name),
            email=_text(claims, self._names.email),
            policy=self._policy,
        )


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of that very name, else the one that the dotted name leads to."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = _claim(claims, name)
    if value is None:
        return None
    if not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise _refused(f"its '{name}' is not plain text of 1 to 256 characters")
    return value


def _tenant(claims: Mapping[str, Any], name: str) -> str | None:
    value = _claim(claims, name)
    if value is None:
        return None
    if not isinstance(value, str) or not _TENANT.fullmatch(value):
        raise _refused(f"its '{name}' is not a tenant id: 1 to 128 letters, digits or . _ : @ | ~ + = -")
    return value


def _roles(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = _claim(claims, name)
    listed = value.split() if isinstance(value, str) else [] if value is None else value
    if not isinstance(listed, list) or len(listed) > MAX_ROLES:
        raise _refused(f"its '{name}' is not a list of at most {MAX_ROLES} roles")
    if not all(isinstance(role, str) and _ROLE.fullmatch(role) for role in listed):
        raise _refused(f"its '{name}' holds something that is not a role's name")
    return tuple(dict.fromkeys(listed))


def _refused(reason: str) -> OrielError:
    return OrielError("unauthenticated", f"The token is refused: {reason}.")
