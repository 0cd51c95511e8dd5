"""A runner that is a Lambda function, called by name.

    {"token": the service token, "body": the execution, as the very text the token was made for}
    → {"status": 200, "body": the answer} or {"status": …, "body": a problem object}

Rules kept here, beside those of `gateway.transport`:

- Who may call the function is IAM's to say. The token says more: for whom, and that the body is the gateway's own.
- An execution environment runs one call at a time. One that ends in the middle ran this guest and no other:
  `worker_lost`, and nothing is sent again.
- Where tenants are kept apart, the call names the tenant, and Lambda keeps its environments for it alone.
"""

import json

from gateway.transport import MARGIN_SECONDS, parsed, parsed_problem
from oriel.aws.services import LambdaClient, NoAnswer, Refused
from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.errors import OrielError
from oriel.identity import ServiceTokenSigner

_BUSY = {"TooManyRequestsException", "EC2ThrottledException", "ENILimitReachedException", "SnapStartNotReadyException"}


class LambdaRunner:
    """A runner by its function's name or ARN. Safe to share between threads; close it.

    Args:
        by_tenant: the function keeps an execution environment for each tenant.
        margin: seconds beyond the execution's deadline.
    """

    def __init__(
        self,
        client: LambdaClient,
        signer: ServiceTokenSigner,
        *,
        by_tenant: bool = False,
        margin: float = MARGIN_SECONDS,
    ) -> None:
        self._client, self._signer, self._by_tenant, self._margin = client, signer, by_tenant, margin

    def execute(self, request: ExecuteRequest) -> ExecuteResponse:
        body = request.to_json()
        token = self._signer.mint(body, request.context)
        payload = json.dumps({"token": token, "body": body.decode()}, ensure_ascii=False).encode()
        seconds = request.limits.timeout_ms / 1000 + self._margin
        tenant_id = request.context.tenant_id if self._by_tenant else None
        try:
            failure, raw = self._client.invoke(payload, seconds=seconds, tenant_id=tenant_id)
        except NoAnswer as none:
            raise _without_answer(none, seconds) from None
        except Refused as refused:
            raise _refused(refused) from None
        if failure is not None:
            raise _failed(raw)
        return _answered(raw)

    def close(self) -> None:
        self._client.close()


def _answered(raw: bytes) -> ExecuteResponse:
    try:
        said = json.loads(raw)
        status, body = said["status"], said["body"]
    except (ValueError, KeyError, TypeError):
        raise OrielError("unavailable", "The runner's answer cannot be read.", retry_after=1) from None
    if status == 200:
        return parsed(str(body).encode())
    raise parsed_problem(body, said.get("retry_after"))


def _failed(raw: bytes) -> OrielError:
    """The function ended without an answer: its time was up, or its process died."""
    text = raw.decode(errors="replace")
    if "Sandbox.Timedout" in text or "timed out" in text:
        return OrielError("deadline_exceeded", "The runner's own time was up.")
    return OrielError("worker_lost")


def _without_answer(none: NoAnswer, seconds: float) -> OrielError:
    if isinstance(none.__cause__, TimeoutError):
        return OrielError("deadline_exceeded", f"No answer came within {seconds:g} seconds.")
    if isinstance(none.__cause__, ConnectionRefusedError):
        return OrielError("unavailable", "The runner does not answer.", retry_after=1)
    return OrielError("worker_lost")


def _refused(refused: Refused) -> OrielError:
    if refused.code in _BUSY or refused.status == 429:
        return OrielError("overloaded", "All of the runner's places are taken.", retry_after=1)
    if refused.code == "RequestTooLargeException":
        return OrielError("body_too_large", "The request is larger than the runner takes at once.")
    return OrielError("unavailable", f"The runner cannot be called: {refused.code}.", retry_after=1)
