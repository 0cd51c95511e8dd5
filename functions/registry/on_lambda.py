"""The registry's HTTP API as a Lambda function behind an HTTP API.

It verifies, stores and answers. What takes long, or parses what strangers have made, is announced on a queue and done
by another function (`registry.on_queue`), which alone may sign. What a first answer does not need is made when it is
used: models (`registry.starting`), routes (`registry.routes.lazily`).
"""

from registry.starting import started  # before the first model

# isort: split

from typing import Any

from mangum import Mangum

from oriel import telemetry
from oriel.aws.services import JsonClient
from oriel.aws.settings import target_of_setting
from oriel.console import pages
from oriel.identity import open_keys
from oriel.identity.opening import authenticator
from oriel.settings import Settings
from registry.announcing import Announcer
from registry.app import create_app
from registry.ledger import ledger


def _handler(settings: Settings) -> Any:
    queue = target_of_setting(settings, "publish_queue", "sqs")
    announcer = Announcer(JsonClient("sqs", queue), queue.name)
    registry = ledger(settings, signs=False)
    users = authenticator(settings, open_keys(settings.oidc_jwks), registry.store)
    app = create_app(registry, users.authenticate, wake=announcer.announce, pages=pages(settings))
    return Mangum(app, lifespan="off")


_settings = Settings.load()
telemetry.configure(_settings.log_level)
handler = _handler(_settings)
started()
