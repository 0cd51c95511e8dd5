"""Repeated requests: one execution for all that carry the same idempotency key.

The header is that of draft-ietf-httpapi-idempotency-key-header: `idempotency-key: "8e03978e-40d5-43dd"`, with or
without the quotes, 1 to 255 visible characters. It counts where the method writes; elsewhere nothing is repeated.

Rules kept here:

- A key is good for one tenant, one install, one route and one caller. What another tenant or another user sent under
  the same key is not there.
- The first request claims the key before it runs. One that comes meanwhile gets 409 and may come again; one with
  another path, query, type or body gets 422.
- What an execution answered is kept and given again, its failures too: it may have done half its work. What cannot have
  begun, for want of a place or of a runner, is not an answer: the claim is taken back.
- A claim whose holder died lapses when the execution's deadline is over; an answer after `KEEP_MS`.
- Where the store does not answer before the execution, nothing begins. Where it does not afterwards, the caller has its
  answer, and repeats are refused until the claim lapses.
"""

import hashlib
import logging
import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from gateway.messages import GatewayRequest, GatewayResponse, Headers
from gateway.policy import READ_METHODS
from oriel.clock import now_ms
from oriel.contract import ExecuteRequest
from oriel.errors import OrielError
from oriel.store.policy_records import RepeatRecord

HEADER = "idempotency-key"
REPLAYED: Headers = (("idempotency-replayed", "true"),)
KEEP_MS = 24 * 3_600_000
MARGIN_MS = 30_000
MAX_KEPT_BYTES = 256_000

NOT_BEGUN = frozenset({"rate_limited", "quota_exceeded", "overloaded", "unavailable", "artifact_unavailable"})
_KEY = re.compile(r'"([\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')
_NOT_KEPT = frozenset({"server-timing"})

_log = logging.getLogger(__name__)


class Ran(NamedTuple):
    """What an execution came to; `code` is that of the platform's own refusal, None for a guest's answer."""

    response: GatewayResponse
    code: str | None


class RepeatRecords(Protocol):
    """The part of `oriel.store.Store` that remembers requests."""

    def claim_repeat(self, record: RepeatRecord) -> RepeatRecord | None: ...
    def answer_repeat(self, record: RepeatRecord) -> bool: ...
    def drop_repeat(self, record: RepeatRecord) -> bool: ...


class Repeats:
    """Runs a request once. Safe to share between threads."""

    def __init__(self, records: RepeatRecords, *, clock: Callable[[], int] = now_ms) -> None:
        self._records, self._clock = records, clock

    def once(
        self, request: GatewayRequest, subject: str, execute: ExecuteRequest, run: Callable[[], Ran]
    ) -> GatewayResponse:
        """What `run` answers, or what it answered to an earlier request of the same key.

        Args:
            subject: who calls.

        Raises:
            OrielError: `malformed_request`, for a key that is none; `request_in_progress`, `key_reused`,
                `answer_not_kept`; `unavailable`.
        """
        key = _key_of(request)
        if key is None:
            return run().response
        claim = self._claim(request, subject, execute, key)
        known = self._records.claim_repeat(claim)
        if known is not None:
            return _replayed(known, claim)
        ran = run()
        self._settle(claim, ran)
        return ran.response

    def _claim(self, request: GatewayRequest, subject: str, execute: ExecuteRequest, key: str) -> RepeatRecord:
        context, now = execute.context, self._clock()
        content_type = request.header("content-type") or ""
        return RepeatRecord(
            tenant_id=context.tenant_id,
            install_id=context.install_id,
            key=_hash(request.method.encode(), execute.http.route.encode(), subject.encode(), key.encode()),
            fingerprint=_hash(request.path.encode(), request.query.encode(), content_type.encode(), request.body),
            claim=context.execution_id,
            created_at=now,
            expires_at=now + execute.limits.timeout_ms + MARGIN_MS,
        )

    def _settle(self, claim: RepeatRecord, ran: Ran) -> None:
        try:
            if ran.code in NOT_BEGUN:
                self._records.drop_repeat(claim)
            elif not self._records.answer_repeat(self._answered(claim, ran.response)):
                _log.warning("an answer came after its claim had lapsed", extra={"execution_id": claim.claim})
        except OrielError as error:
            _log.warning("an answer was not kept", extra={"execution_id": claim.claim, "reason": error.code})

    def _answered(self, claim: RepeatRecord, response: GatewayResponse) -> RepeatRecord:
        return replace(
            claim,
            status=response.status,
            headers=tuple((name, value) for name, value in response.headers if name not in _NOT_KEPT),
            body=response.body if len(response.body) <= MAX_KEPT_BYTES else None,
            expires_at=self._clock() + KEEP_MS,
        )


def _key_of(request: GatewayRequest) -> str | None:
    given = request.all_headers(HEADER)
    if not given or request.method in READ_METHODS:
        return None
    found = _KEY.fullmatch(given[0].strip(" \t"))
    if len(given) > 1 or found is None:
        raise OrielError("malformed_request", f"The header '{HEADER}' is not one key of 1 to 255 visible characters.")
    return found[1] or found[2]


def _replayed(known: RepeatRecord, asked: RepeatRecord) -> GatewayResponse:
    if known.fingerprint != asked.fingerprint:
        raise OrielError("key_reused", "The idempotency key was used for another request.")
    if known.status is None:
        raise OrielError(
            "request_in_progress", "A request with this idempotency key is being carried out.", retry_after=1
        )
    if known.body is None:
        raise OrielError("answer_not_kept", f"The execution {known.claim} answered with {known.status}.")
    return GatewayResponse(status=known.status, headers=(*known.headers, *REPLAYED), body=known.body)


def _hash(*parts: bytes) -> str:
    """Of the parts, each behind its length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
