"""The gateway in AWS, as its functions share it."""

from gateway.assembly import build_gateway
from gateway.core import Gateway
from gateway.lambda_runner import LambdaRunner
from oriel.aws.keys import SecretKey
from oriel.aws.services import LambdaClient
from oriel.aws.settings import target_of_setting
from oriel.identity import ServiceTokenSigner, open_keys
from oriel.identity.opening import authenticator
from oriel.settings import Settings
from oriel.signing import TrustBundle
from oriel.store.opening import open_store


def build(settings: Settings) -> Gateway:
    """The gateway that the settings name."""
    secret = SecretKey(target_of_setting(settings, "service_secret", "secretsmanager"), "service")
    runner = LambdaRunner(
        LambdaClient(target_of_setting(settings, "runner", "lambda")),
        ServiceTokenSigner(lambda: secret.private),
        by_tenant=settings.runner_by_tenant,
    )
    store = open_store(settings.store_url)
    return build_gateway(
        settings,
        store=store,
        authenticator=authenticator(settings, open_keys(settings.oidc_jwks), store),
        runner=runner,
        sessions=None,
        trust=TrustBundle.from_pem(settings.trust_bundle_pem()),
    )
