"""The gateway: one request from the door to the runner and back, without a web framework.

    authenticate → caller → path → resolve (cached) → decide → admit → (once) → execute → filter → journal

Rules kept here:

- Every answer is the guest's own, filtered, or problem+json. An exception that is not an `OrielError` is logged and
  answered as `internal`.
- A guest's own status passes as it is, its 4xx and 5xx too. Only what is not an answer becomes a problem.
- From the moment there is an execution, its id is on the answer, on the log line and in the journal, however it ends.
- No write to the store happens while the client waits, but for leases of the meters (`gateway.admission`), and for
  requests that carry an idempotency key (`gateway.repeats`).
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from gateway.admission import Admission, Admitted
from gateway.cors import Cors
from gateway.headers import request_headers, response_headers
from gateway.journal import Journal
from gateway.messages import GatewayRequest, GatewayResponse, Headers, PlatformCall
from gateway.policy import Decision, decide, is_granted, require_caller, require_runnable
from gateway.repeats import Ran, Repeats
from gateway.resolve import Resolved, Resolver
from gateway.transport import RunnerTransport, runner_error
from gateway.watch import Watch, receipt_headers
from oriel.clock import now_ms
from oriel.contract import ExecuteRequest, ExecuteResponse, ExecutionContext, HttpRequest, Limits, body_fields
from oriel.errors import PROBLEM_MEDIA_TYPE, OrielError
from oriel.identity import Authenticator, Principal, SessionSigner
from oriel.ids import new_id
from oriel.metrics import GatewayState
from oriel.paths import clean_segments
from oriel.signing import TrustBundle
from oriel.telemetry import bind

MAX_BODY_BYTES = 6_000_000
_NO_BODY = frozenset({204, 205, 304})
_NO_ANSWER = ExecuteResponse(status=502)

_log = logging.getLogger(__name__)


class Gateway:
    """The door. Safe to share between threads.

    Args:
        sessions: makes session tokens; without it none are given.
        trust: the operator's trust bundle; what a key that it revokes has signed does not run.
        ceiling: the operator's limits, which no execution passes.
        watch: what is kept and shown of executions.
        max_body_bytes: of requests and of answers.
        clock: Unix milliseconds.
    """

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        resolver: Resolver,
        runner: RunnerTransport,
        journal: Journal,
        admission: Admission,
        repeats: Repeats,
        cors: Cors,
        sessions: SessionSigner | None = None,
        trust: TrustBundle | None = None,
        ceiling: Limits | None = None,
        watch: Watch | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._authenticator = authenticator
        self._resolver = resolver
        self._runner = runner
        self._journal = journal
        self._admission = admission
        self._repeats = repeats
        self._cors = cors
        self.sessions = sessions
        self._trust = trust or TrustBundle()
        self._watch = watch or Watch()
        self._refusals: Counter[str] = Counter()
        self._ceiling = _with_bodies_of(ceiling or Limits(), max_body_bytes)
        self._clock = clock
        self.max_body_bytes = max_body_bytes

    def handle(self, request: GatewayRequest) -> GatewayResponse:
        """The answer to a request. It raises nothing."""
        return self._answered(request, self._execute)

    def session(self, request: GatewayRequest) -> GatewayResponse:
        """The answer to one who asks for a session token of an extension. It raises nothing."""
        return self._answered(request, self._session)

    def _answered(self, request: GatewayRequest, work: Callable[[GatewayRequest], GatewayResponse]) -> GatewayResponse:
        try:
            answer = self._cors.preflight(request) or work(request)
        except OrielError as error:
            self._refusals[error.code] += 1
            answer = problem(error, request.request_id)
        except Exception:
            self._refusals["internal"] += 1
            _log.exception("unexpected error")
            answer = problem(OrielError("internal"), request.request_id)
        if request.method == "HEAD":
            answer = _without_body(answer)
        headers = (*answer.headers, *self._cors.headers(request.header("origin")))
        return GatewayResponse(status=answer.status, headers=headers, body=answer.body)

    def settle(self) -> None:
        """Write the journal as far as it goes, and give back what is idle; for whoever is frozen between requests."""
        self._journal.flush()
        self._admission.settle()
        if self._watch.traces is not None:
            self._watch.traces.flush()

    def state(self) -> GatewayState:
        """What it has counted since it started."""
        cached, read = self._resolver.counts()
        return GatewayState(dict(self._refusals), cached, read, self._journal.dropped)

    def call(self, call: PlatformCall) -> GatewayResponse:
        """Carry out a call of the platform's own, by the same policy. It raises nothing."""
        try:
            return self._carry_out(call)
        except OrielError as error:
            return problem(error, call.request_id)
        except Exception:
            _log.exception("unexpected error")
            return problem(OrielError("internal"), call.request_id)

    def resolved(self, tenant_id: str, extension_id: str) -> Resolved | None:
        """What is known about an install; None where there is none."""
        return self._resolver.resolve(tenant_id, extension_id)

    def close(self) -> None:
        """Write the journal to its end, give the leases back, and let the connections go."""
        self._journal.close()
        self._admission.close()
        self._runner.close()
        if self._watch.traces is not None:
            self._watch.traces.close()

    def _execute(self, request: GatewayRequest) -> GatewayResponse:
        began = time.perf_counter()
        principal = self._authenticate(request)
        tenant_id = require_caller(request, principal)
        segments = clean_segments(request.path)
        if len(request.body) > self.max_body_bytes:
            raise OrielError("body_too_large", f"The body has more than {self.max_body_bytes:,} bytes.")
        resolved = self._resolver.resolve(tenant_id, request.extension_id)
        runnable = require_runnable(request.extension_id, resolved, self._is_revoked)
        decision = decide(request, principal, runnable, segments, ceiling=self._ceiling, now_ms=self._clock())
        execute = self._watch.watched(request, principal, execute_request(request, runnable, decision))
        with self._admission.admit(tenant_id, request.extension_id, *runnable.quotas) as admitted:
            answer = self._repeats.once(
                request,
                principal.subject,
                execute,
                lambda: self._run(request, principal, execute, began=began, admitted=admitted),
            )
        return replace(answer, headers=(*answer.headers, *admitted.headers))

    def _session(self, request: GatewayRequest) -> GatewayResponse:
        if self.sessions is None:
            raise OrielError("not_found", "This platform gives no session tokens.")
        principal = self._authenticate(request)
        if principal.is_machine:
            raise OrielError("forbidden", "A session token stands for a user, and an API key is a machine's.")
        tenant_id = require_caller(request, principal, "invoke:read")
        resolved = self._resolver.resolve(tenant_id, request.extension_id)
        runnable = require_runnable(request.extension_id, resolved, self._is_revoked)
        install = runnable.resolution.install
        made = self.sessions.mint(
            extension_id=install.extension_id,
            tenant_id=tenant_id,
            install_id=install.install_id,
            user_id=principal.subject,
            is_named=is_granted("user.read", runnable, self._clock()),
        )
        body = json.dumps({"token": made.token, "expires_at": made.expires_at}).encode()
        headers = (("content-type", "application/json"), ("cache-control", "no-store"))
        return GatewayResponse(status=200, headers=headers, body=body)

    def _carry_out(self, call: PlatformCall) -> GatewayResponse:
        began = time.perf_counter()
        request = GatewayRequest(
            request_id=call.request_id,
            method=call.method,
            extension_id=call.extension_id,
            path=call.path,
            body=call.body,
        )
        resolved = self._resolver.resolve(call.tenant_id, call.extension_id)
        runnable = require_runnable(call.extension_id, resolved, self._is_revoked)
        if runnable.resolution.install.install_id != call.install_id:
            raise OrielError("extension_not_installed", "The install that this is for is no more.")
        segments = clean_segments(call.path)
        decision = decide(request, None, runnable, segments, ceiling=self._ceiling, now_ms=self._clock())
        execute = self._watch.watched(request, None, from_platform(call, execute_request(request, runnable, decision)))
        with self._admission.admit(call.tenant_id, call.extension_id, *runnable.quotas) as admitted:
            return self._run(request, None, execute, began=began, admitted=admitted).response

    def _is_revoked(self, key_id: str) -> bool:
        return self._trust.is_revoked(key_id, self._clock())

    def _authenticate(self, request: GatewayRequest) -> Principal:
        given = request.all_headers("authorization")
        if len(given) > 1:
            raise OrielError("unauthenticated", "There is more than one header 'authorization'.")
        return self._authenticator.authenticate(given[0] if given else None)

    def _run(
        self,
        request: GatewayRequest,
        principal: Principal | None,
        execute: ExecuteRequest,
        *,
        began: float,
        admitted: Admitted,
    ) -> Ran:
        execution_id = execute.context.execution_id
        started_at, answer, code = self._clock(), _NO_ANSWER, None
        with bind(execution_id=execution_id, tenant_id=execute.context.tenant_id):
            try:
                answer = self._runner.execute(execute)
                admitted.used(answer.receipt)
                response = guest_response(answer, self.max_body_bytes)
            except OrielError as error:
                response, code = problem(error, request.request_id), error.code
            elapsed = (time.perf_counter() - began) * 1000
            _log.info("execution", extra={"status": response.status, "code": code, "duration_ms": round(elapsed, 2)})
        entry = self._watch.entry(execute, answer, response.status, code, started_at)
        self._journal.record(entry, self._watch.fixture(execute, answer, code))
        if self._watch.traces is not None:
            self._watch.traces.finish(execute, answer, status=response.status, code=code, took_ms=elapsed)
        headers = (*response.headers, *receipt_headers(principal, execute, answer, elapsed))
        return Ran(replace(response, headers=headers), code)


def from_platform(call: PlatformCall, execute: ExecuteRequest) -> ExecuteRequest:
    """The same request as one of the platform's: its trigger, and headers that no client can send."""
    with_ = msgspec.structs.replace
    context = with_(execute.context, trigger=call.trigger, depth=call.depth, caused_by=call.caused_by)
    return with_(execute, context=context, http=with_(execute.http, headers=call.headers))


def execute_request(request: GatewayRequest, resolved: Resolved, decision: Decision) -> ExecuteRequest:
    """What the runner is asked to do.

    Raises:
        OrielError: `malformed_request`, for a header that cannot be passed on.
    """
    install, version = resolved.resolution.install, resolved.resolution.version
    return ExecuteRequest(
        context=ExecutionContext(
            request_id=request.request_id,
            execution_id=new_id("exe"),
            tenant_id=install.tenant_id,
            extension_id=install.extension_id,
            install_id=install.install_id,
            version_id=version.version_id,
            version=version.version,
            content_hash=version.content_hash,
            config=resolved.config,
        ),
        http=HttpRequest(
            method=decision.match.endpoint.method,  # of a HEAD that a GET endpoint answers, GET
            path=request.path,
            query=request.query,
            route=decision.match.route,
            params=decision.match.params,
            headers=request_headers(request.headers),
            **body_fields(request.body),
        ),
        limits=decision.limits,
        providers=decision.providers,
        egress=decision.egress,
        secrets=decision.secrets,
        user=decision.user,
        operations=decision.operations,
        acting_user=decision.acting_user,
        endpoints=decision.endpoints,
    )


def guest_response(answer: ExecuteResponse, max_body_bytes: int) -> GatewayResponse:
    """A guest's answer as the client gets it.

    Raises:
        OrielError: what ended the execution; `bad_response`, `output_too_large`.
    """
    if answer.error is not None:
        raise runner_error(answer.error.code, answer.error.message)
    if not 200 <= answer.status <= 599:
        raise OrielError("bad_response", f"The extension answered with the status {answer.status}.")
    headers = response_headers(answer.status, answer.headers)
    body = b"" if answer.status in _NO_BODY else answer.body()
    if len(body) > max_body_bytes:
        raise OrielError("output_too_large", f"The extension's answer has more than {max_body_bytes:,} bytes.")
    return GatewayResponse(status=answer.status, headers=headers, body=body)


def problem(error: OrielError, request_id: str) -> GatewayResponse:
    """An error as an answer."""
    headers = (("content-type", PROBLEM_MEDIA_TYPE), *error.headers().items())
    body = json.dumps(error.problem(request_id)).encode()
    return GatewayResponse(status=error.status, headers=headers, body=body, error=error)


def _with_bodies_of(limits: Limits, max_body_bytes: int) -> Limits:
    return msgspec.structs.replace(limits, max_response_bytes=min(limits.max_response_bytes, max_body_bytes))


def _without_body(answer: GatewayResponse) -> GatewayResponse:
    """The answer to HEAD: what GET answers, with the length and without the bytes."""
    length: Headers = () if answer.status in _NO_BODY else (("content-length", str(len(answer.body))),)
    return GatewayResponse(status=answer.status, headers=(*answer.headers, *length))
