"""Who asks: user tokens at the doors, service tokens between the gateway and the runner.

principal   roles, permissions, `Principal`
jwks        the identity provider's public keys: fetched, cached, rotated
api_keys    machines' keys: hashed, scoped, expiring
tokens      user tokens: `TokenVerifier`, `Authenticator`
service     the gateway's tokens for the runner, bound to the request's body
session     tokens that tell an extension's own backend who is there
key_sets    the sets that others verify our tokens with
jws         the strict reading of a token that both share
"""

from typing import TYPE_CHECKING

from oriel.lazy import exports

if TYPE_CHECKING:
    from oriel.identity.api_keys import ApiKeys
    from oriel.identity.jwks import KeySet, open_keys
    from oriel.identity.principal import DEFAULT_ROLES, PERMISSIONS, Permission, Principal, RolePolicy
    from oriel.identity.service import ServiceClaims, ServiceTokenSigner, ServiceTokenVerifier
    from oriel.identity.session import SessionSigner, SessionToken
    from oriel.identity.tokens import Authenticator, ClaimNames, TokenVerifier

__all__ = [
    "DEFAULT_ROLES",
    "PERMISSIONS",
    "ApiKeys",
    "Authenticator",
    "ClaimNames",
    "KeySet",
    "Permission",
    "Principal",
    "RolePolicy",
    "ServiceClaims",
    "ServiceTokenSigner",
    "ServiceTokenVerifier",
    "SessionSigner",
    "SessionToken",
    "TokenVerifier",
    "open_keys",
]

__getattr__ = exports(
    __name__,
    {
        "api_keys": "ApiKeys",
        "jwks": "KeySet open_keys",
        "principal": "DEFAULT_ROLES PERMISSIONS Permission Principal RolePolicy",
        "service": "ServiceClaims ServiceTokenSigner ServiceTokenVerifier",
        "session": "SessionSigner SessionToken",
        "tokens": "Authenticator ClaimNames TokenVerifier",
    },
)
