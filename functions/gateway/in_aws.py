"""The gateway in AWS, as its functions share it."""

from typing import NamedTuple

from gateway.assembly import build_gateway
from gateway.core import Gateway
from gateway.lambda_runner import LambdaRunner
from oriel.aws.ahead import Ahead
from oriel.aws.keys import SecretKey
from oriel.aws.services import LambdaClient
from oriel.aws.settings import target_of_setting
from oriel.identity import ServiceTokenSigner, open_keys
from oriel.identity.opening import authenticator
from oriel.settings import Settings
from oriel.signing import TrustBundle
from oriel.store.opening import open_store


class InAws(NamedTuple):
    """The gateway, and what its first call to the runner needs."""

    gateway: Gateway
    ahead: Ahead


def build(settings: Settings) -> InAws:
    """The gateway that the settings name."""
    secret = SecretKey(target_of_setting(settings, "service_secret", "secretsmanager"), "service")
    client = LambdaClient(target_of_setting(settings, "runner", "lambda"))
    runner = LambdaRunner(
        client,
        ServiceTokenSigner(lambda: secret.private),
        by_tenant=settings.runner_by_tenant,
    )
    store = open_store(settings.store_url)
    gateway = build_gateway(
        settings,
        store=store,
        authenticator=authenticator(settings, open_keys(settings.oidc_jwks), store),
        runner=runner,
        sessions=None,
        trust=TrustBundle.from_pem(settings.trust_bundle_pem()),
    )
    return InAws(gateway, Ahead(lambda: secret.private, client.connections.open))
