"""An execution that was recorded, made into a sealed fixture.

Rules kept here:

- Every secret of the install is opened, whether the guest asked for it or not, and every trace of its value is
  replaced: as it stands, as it is written in a URL, in base64 and in hex. Where one cannot be opened, or is too short
  to be told from other text, there is no fixture.
- A fixture is sealed for its tenant and install before it leaves the runner.
- Recording never fails an execution: where it does not succeed, the answer says why.
"""

import base64
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import zstandard
from msgspec.structs import replace

from oriel.contract import (
    ExecuteError,
    ExecuteRequest,
    ExecuteResponse,
    HttpRequest,
    Recording,
    SealedFixture,
    body_fields,
)
from oriel.errors import OrielError
from oriel.fixture import Fixture, HostCall, HostError, Outcome, SecretName, pack, sealed_name
from runner.execution import SHORTEST_REDACTED, Secrets, Services
from runner.redaction import Redactor
from runner.tape import Recorder

MAX_SEALED_BYTES = 300_000  # a DynamoDB item has 400 KB, and the envelope of an answer has other guests' bytes to carry

_log = logging.getLogger(__name__)


def recorded(request: ExecuteRequest, services: Services, execute: Callable[..., ExecuteResponse]) -> ExecuteResponse:
    """Execute with a tape, and keep what the request wants kept.

    Args:
        execute: called with `tape`.
    """
    tape = Recorder()
    response = execute(tape=tape)
    if request.record == "failure" and response.error is None:
        return response
    return replace(response, recording=_keep(request, response, services, tape))


def _keep(request: ExecuteRequest, response: ExecuteResponse, services: Services, tape: Recorder) -> Recording:
    """The sealed fixture, or why there is none."""
    try:
        return Recording(fixture=_sealed(request, response, services, tape))
    except _NotKept as refusal:
        return Recording(refused=str(refusal))
    except OrielError as error:
        return Recording(refused=error.code)
    except Exception:
        _log.exception("an execution was not recorded")
        return Recording(refused="internal")


class _NotKept(Exception):
    """There is no fixture; the text says why, as `Recording.refused`."""


def _sealed(request: ExecuteRequest, response: ExecuteResponse, services: Services, tape: Recorder) -> SealedFixture:
    if services.sealer is None:
        raise _NotKept("unavailable")
    if not tape.is_complete:
        raise _NotKept("too_large")
    redactor = Redactor(_values(Secrets(request.context, request.secrets, services.opener)))
    data = _fixture(request, response, tape, redactor).to_json()
    packed = zstandard.ZstdCompressor().compress(data)
    if len(packed) > MAX_SEALED_BYTES:
        raise _NotKept("too_large")
    context = request.context
    sealed = services.sealer.seal(context.tenant_id, context.install_id, sealed_name(context.execution_id), packed)
    nonce, ciphertext = (base64.b64encode(value).decode() for value in (sealed.nonce, sealed.ciphertext))
    return SealedFixture(key_id=sealed.key_id, nonce_b64=nonce, ciphertext_b64=ciphertext)


def _values(secrets: Secrets) -> Iterable[str]:
    for name in secrets.names():
        value = secrets.value(name)
        if len(value) < SHORTEST_REDACTED:
            raise _NotKept("secret_too_short")
        yield value


def _fixture(request: ExecuteRequest, response: ExecuteResponse, tape: Recorder, redactor: Redactor) -> Fixture:
    return Fixture(
        recorded_at=time.time_ns() // 1_000_000,
        context=replace(request.context, config=redactor.clean(request.context.config), traceparent="", trace_from=""),
        http=_clean_request(request.http, redactor.clean),
        limits=request.limits,
        providers=tuple(sorted(request.providers)),
        egress=request.egress,
        operations=request.operations,
        secrets=tuple(
            SecretName(name=secret.name, hosts=secret.hosts, reference_only=secret.reference_only)
            for secret in request.secrets
        ),
        user=request.user,
        calls=tuple(
            HostCall(
                name=call.name,
                arguments=pack(redactor.clean(list(call.arguments))),
                answer=pack(redactor.clean(call.answer)),
                error=call.error and HostError(call.error.code, redactor.clean(call.error.detail)),
            )
            for call in tape.calls
        ),
        outcome=outcome_of(response, redactor.clean),
    )


def outcome_of(response: ExecuteResponse, clean: Callable[[Any], Any] = lambda value: value) -> Outcome:
    """What came out of an execution, without what differs from run to run."""
    return Outcome(
        status=response.status,
        headers=tuple((name, clean(value)) for name, value in response.headers),
        body_b64=base64.b64encode(clean(response.body())).decode(),
        error=response.error and ExecuteError(response.error.code, clean(response.error.message)),
        logs=tuple(replace(line, at_ms=0.0) for line in response.logs),
    )


def _clean_request(http: HttpRequest, clean: Callable[[Any], Any]) -> HttpRequest:
    return replace(
        http,
        path=clean(http.path),
        query=clean(http.query),
        params=tuple((name, clean(value)) for name, value in http.params),
        headers=tuple((name, clean(value)) for name, value in http.headers),
        **body_fields(clean(http.body())),
    )
