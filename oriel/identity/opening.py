"""Who believes which tokens and keys, from the settings."""

from oriel.identity.api_keys import ApiKeys, ApiKeySource
from oriel.identity.jwks import KeySet
from oriel.identity.principal import RolePolicy
from oriel.identity.tokens import Authenticator, ClaimNames, TokenVerifier
from oriel.settings import Settings


def authenticator(settings: Settings, keys: KeySet, api_keys: ApiKeySource) -> Authenticator:
    """An authenticator of the configured issuer's tokens, and of the API keys in the store.

    Args:
        keys: of the issuer.
        api_keys: where API keys are; the store.
    """
    return Authenticator(
        TokenVerifier(keys, issuer=settings.issuer, audience=settings.oidc_audience),
        claims=ClaimNames(tenant=settings.tenant_claim, roles=settings.roles_claim),
        policy=RolePolicy.load(settings.roles),
        api_keys=ApiKeys(api_keys, ttl=settings.cache_seconds),
    )
