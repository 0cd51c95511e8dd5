"""The runner as a Lambda function that the gateway calls by name.

    {"token": …, "body": …} → {"status": 200, "body": the answer} or {"status": …, "body": a problem object}
    {"keys": "host"}        → {"keys": […]}, the public keys that its calls to the host product are verified with

Rules kept here:

- IAM lets the gateway call and nobody else; the service token is asked for all the same, and judged as over HTTP: it
  covers the whole body, and its claims must name the same tenant, install, extension, bundle and execution.
- A call has the whole environment: it runs in the calling thread, and nothing waits.
- After the service secret was rotated, tokens made with the new one are believed within seconds, and those made with
  the former one are believed still.
"""

from oriel.starting import started  # before anything that is large

# isort: split

import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from oriel import telemetry
from oriel.aws.ahead import Ahead
from oriel.aws.keys import KmsDataKeys, KmsPublicKeys, SecretKey
from oriel.aws.settings import target_of_setting, targets_of_setting
from oriel.contract import ExecuteRequest
from oriel.errors import OrielError
from oriel.identity import ServiceTokenVerifier
from oriel.settings import Settings
from oriel.signing import PublicKey
from runner.assembly import build_runner
from runner.calls import admitted

_log = logging.getLogger(__name__)


class AwsKeys(KmsDataKeys):
    """The runner's keys (`runner.assembly.Keys`), asked for when they are needed."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(target_of_setting(settings, "data_key", "kms"))
        believed = targets_of_setting(settings, "believed_platform_keys", "kms")
        self._platform = KmsPublicKeys([target_of_setting(settings, "platform_key", "kms"), *believed])
        self._host = SecretKey(target_of_setting(settings, "host_secret", "secretsmanager"), "host")
        self.service = SecretKey(target_of_setting(settings, "service_secret", "secretsmanager"), "service")

    @property
    def platform_keys(self) -> Sequence[PublicKey]:
        return self._platform

    @property
    def gateway_keys(self) -> Sequence[Ed25519PublicKey]:
        return self.service.public_keys()

    @property
    def host_key(self) -> Ed25519PrivateKey:
        return self._host.private

    @property
    def host_keys(self) -> Sequence[Ed25519PublicKey]:
        """What this process signs with, and what other ones may: those of before a rotation, and of after it."""
        return (self._host.private.public_key(), *self._host.believed())


class Function:
    """The function's handler, over one runner."""

    def __init__(self, settings: Settings) -> None:
        self._keys = AwsKeys(settings)
        self._ahead = Ahead(lambda: self._keys.platform_keys[0])  # every component is verified with it
        self._runner = build_runner(settings, self._keys)

    @cached_property
    def _verifier(self) -> ServiceTokenVerifier:
        return ServiceTokenVerifier(self._keys.gateway_keys)

    def __call__(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        try:
            if event.get("keys") == "host":
                return self._host_keys()
            self._ahead.begin()
            answer = self._runner.execute(self._admitted(event))
        except OrielError as error:
            return _refusal(error)
        except Exception:
            _log.exception("unexpected error")
            return _refusal(OrielError("internal"))
        return {"status": 200, "body": answer.to_json().decode()}

    def _host_keys(self) -> dict[str, Any]:
        from oriel.identity.key_sets import key_set
        from oriel.identity.product import PURPOSE

        return key_set(PURPOSE, self._keys.host_keys)

    def _admitted(self, event: Mapping[str, Any]) -> ExecuteRequest:
        token, body = event.get("token"), event.get("body")
        if not isinstance(token, str) or not isinstance(body, str):
            raise OrielError("untrusted_caller", "The call carries no service token, or no body.")
        try:
            return admitted(self._verifier, token, body.encode())
        except OrielError as error:
            keys = self._keys.service.after_rotation() if error.code == "untrusted_caller" else None
            if keys is None:
                raise
            self._verifier.believe(keys)
            return admitted(self._verifier, token, body.encode())


def _refusal(error: OrielError) -> dict[str, Any]:
    problem = json.dumps(error.problem(""))
    return {"status": error.status, "body": problem, "retry_after": error.retry_after}


_settings = Settings.load()
telemetry.configure(_settings.log_level)
handler = Function(_settings)
started()
