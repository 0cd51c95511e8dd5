"""Every error Oriel answers with, in one catalogue.

Rules kept here:

- An error has a stable `code` from `CATALOGUE`; the code decides the HTTP status, the title and the hint.
- `detail` says what is wrong with *this* input, naming the field, the limit and the value's place.
- `hint` says how to mend it. Both are written for the person who made the request.
- Nothing of the inside leaves: an exception that is not an `OrielError` becomes `internal`, without its text.

    OrielError                  one failure, one code
    └── InvalidInput            several findings at once, each with the place it stands at

The HTTP form is RFC 9457 `application/problem+json`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

PROBLEM_MEDIA_TYPE = "application/problem+json"
ERROR_DOCS = "https://oriel.dev/errors/"
PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "stable; one of the catalogue"},
        "hint": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
"""The problem object as JSON Schema, for the OpenAPI descriptions."""


class ErrorKind(Struct, frozen=True):
    """What is the same for all errors of one code."""

    status: int
    title: str
    hint: str


def _kind(status: int, title: str, hint: str) -> ErrorKind:
    return ErrorKind(status, title, hint)


CATALOGUE: Mapping[str, ErrorKind] = {
    # 400: the request itself
    "malformed_request": _kind(400, "The request cannot be read", "Mend what the detail names and send it again."),
    "invalid_path": _kind(
        400, "The path is not allowed", "Send a normal path: no '..', no encoded slashes, no control characters."
    ),
    # 401 and 403: who asks
    "unauthenticated": _kind(401, "No valid credentials", "Send 'Authorization: Bearer <token>' with a valid token."),
    "token_expired": _kind(401, "The token has expired", "Get a new token from your identity provider."),
    "untrusted_caller": _kind(401, "The caller is not the gateway", "Only the gateway may call the runner."),
    "forbidden": _kind(403, "Not permitted", "Ask an administrator for the role that the detail names."),
    "tenant_mismatch": _kind(403, "Not your tenant", "Leave the tenant header out, or name the token's own tenant."),
    "origin_not_allowed": _kind(403, "This origin may not call", "Add the origin to ORIEL_HOST_ORIGINS."),
    # 404, 405, 409, 410
    "not_found": _kind(404, "There is no such thing", "Check the id; list what there is."),
    "extension_not_installed": _kind(404, "The extension is not installed", "Install it: oriel install EXTENSION."),
    "endpoint_not_found": _kind(
        404, "The extension declares no such endpoint", "Declare it in manifest.json under api.endpoints."
    ),
    "method_not_allowed": _kind(405, "The endpoint does not take this method", "Use a method that the detail names."),
    "conflict": _kind(409, "It has changed meanwhile", "Read it again and repeat the change."),
    "version_exists": _kind(
        409, "This version is published with other bytes", "Raise the version in manifest.json: versions never change."
    ),
    "request_in_progress": _kind(409, "The same request is being carried out", "Wait as long as retry-after says."),
    "answer_not_kept": _kind(
        409, "It was carried out, and its answer was too large to keep", "See what it did; do not send it again."
    ),
    "install_disabled": _kind(403, "The install is disabled", "Enable it: oriel enable EXTENSION."),
    "version_yanked": _kind(403, "The version was withdrawn", "Install another version."),
    "publisher_revoked": _kind(
        403, "The publisher or its signing key was revoked", "Install a version that is signed with a trusted key."
    ),
    "quarantined": _kind(
        403,
        "The version is quarantined: it ended the workers that ran it",
        "Install another version; an operator can lift it: oriel quarantine lift CONTENT_HASH.",
    ),
    # 413, 416, 422: what was sent
    "range_not_satisfiable": _kind(416, "There are no such bytes", "Ask for a range that starts inside the file."),
    "body_too_large": _kind(413, "The body is too large", "Send less, or in parts."),
    "bundle_too_large": _kind(413, "The bundle is too large", "Remove files from it, or shrink them."),
    "invalid_manifest": _kind(422, "The manifest is not valid", "Mend each finding; 'oriel pack' checks them all."),
    "invalid_bundle": _kind(422, "The bundle is not valid", "Pack it again with 'oriel pack'."),
    "invalid_component": _kind(422, "The component is not valid", "Build it again with 'oriel build'."),
    "build_failed": _kind(422, "The extension does not build", "Mend what the detail says and build again."),
    "toolchain_missing": _kind(422, "A build tool is missing", "Install the build tools: pip install 'oriel[build]'."),
    "invalid_config": _kind(
        422, "The configuration is not valid", "Mend each finding against the manifest's settings."
    ),
    "key_reused": _kind(
        422,
        "The idempotency key belongs to another request",
        "Take a new key for each request.",
    ),
    "invalid_schedule": _kind(
        422, "The schedule is not valid", "Mend each finding; 'oriel schedules preview CRON' shows when it would run."
    ),
    "event_loop": _kind(
        422, "Events bring each other about in a circle", "Do not emit what your own handler is called with."
    ),
    "invalid_input": _kind(422, "The input is not valid", "Mend each finding and send it again."),
    "hash_mismatch": _kind(422, "The bytes are not the announced ones", "Upload the file again."),
    "signature_missing": _kind(422, "The bundle is not signed", "Sign it: oriel sign BUNDLE --key KEY."),
    "signature_invalid": _kind(422, "The signature does not fit the bundle", "Sign this very bundle again."),
    "signature_untrusted": _kind(
        422, "The signing key is not trusted", "Ask the operator to register the key for this publisher."
    ),
    "consent_required": _kind(
        422, "Consent is missing", "Show the capabilities to an administrator and grant what is agreed to."
    ),
    # 429
    "rate_limited": _kind(429, "Too many requests", "Wait as long as retry-after says."),
    "overloaded": _kind(429, "Too many requests at once", "Wait as long as retry-after says."),
    "quota_exceeded": _kind(429, "The quota is used up", "Wait for the next window, or ask for a larger quota."),
    # 5xx
    "internal": _kind(500, "Something went wrong inside", "Give the request_id to the operator."),
    "guest_trap": _kind(502, "The extension crashed", "See the extension's log under the execution id."),
    "stack_overflow": _kind(502, "The extension ran out of stack", "Look for endless recursion in the handler."),
    "memory_limit": _kind(502, "The extension ran out of memory", "Use less memory, or ask for a higher limit."),
    "fuel_exhausted": _kind(502, "The extension used up its fuel", "Do less work in one request."),
    "host_budget_exceeded": _kind(502, "The extension used up its host calls", "Make fewer or smaller host calls."),
    "output_too_large": _kind(502, "The extension's answer is too large", "Answer with less, or in pages."),
    "bad_response": _kind(
        502, "The extension's answer is not valid", "Answer a status of 200 to 599 and plain headers."
    ),
    "worker_lost": _kind(
        502, "The worker that ran the extension ended", "Try again; a second failure is the extension's."
    ),
    "artifact_unavailable": _kind(503, "The compiled extension is not there yet", "Try again shortly."),
    "unavailable": _kind(503, "A part of the platform is not available", "Try again shortly."),
    "deadline_exceeded": _kind(504, "The extension took too long", "Do less work in one request."),
}


class Finding(Struct, frozen=True):
    """One thing wrong with an input: where it stands (`capabilities[2].purpose`) and what is wrong."""

    at: str
    message: str

    def __str__(self) -> str:
        return f"{self.at}: {self.message}" if self.at else self.message


class OrielError(Exception):
    """A failure that the caller is told about.

    Args:
        code: a key of `CATALOGUE`; another one is a programming error and raises `KeyError`.
        detail: one sentence about this very case.
        hint: how to mend it, where the catalogue's own hint is not the best one.
        retry_after: seconds, for 429 and 503.
        extra: further members of the problem object; JSON values.
        headers: further HTTP headers, names in lower case.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        hint: str | None = None,
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = CATALOGUE[code]
        self.code = code
        self.detail = detail or self.kind.title
        self.hint = hint or self.kind.hint
        self.retry_after = retry_after
        self.extra = dict(extra or {})
        self._headers = dict(headers or {})
        super().__init__(self.detail)

    @property
    def status(self) -> int:
        return self.kind.status

    def diagnostics(self) -> str:
        """What went wrong and how to mend it, for a person at a terminal."""
        return f"{self.detail}\n{self.hint}"

    def headers(self) -> dict[str, str]:
        """The HTTP headers that go with the problem object. `extra["allow"]`, a list of methods, becomes `allow`."""
        headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        if "allow" in self.extra:
            headers["allow"] = ", ".join(self.extra["allow"])
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return headers | self._headers

    def problem(self, request_id: str) -> dict[str, Any]:
        """The RFC 9457 object."""
        return {
            "type": f"{ERROR_DOCS}{self.code}",
            "title": self.kind.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "hint": self.hint,
            "request_id": request_id,
            **self.extra,
        }


class InvalidInput(OrielError):
    """An input with one or more findings, all reported at once."""

    def __init__(self, code: str, findings: Sequence[Finding], *, subject: str = "The input") -> None:
        self.findings = tuple(findings)
        count = "1 mistake" if len(self.findings) == 1 else f"{len(self.findings)} mistakes"
        listed = "; ".join(str(finding) for finding in self.findings)
        super().__init__(
            code,
            f"{subject} has {count}: {listed}",
            extra={"findings": [{"at": finding.at, "message": finding.message} for finding in self.findings]},
        )

    def diagnostics(self) -> str:
        lines = "\n".join(f"  - {finding}" for finding in self.findings)
        return f"{self.kind.title}:\n{lines}\n{self.hint}"


def problem_from(code: str, detail: str, status_hint: int | None = None) -> OrielError:
    """The error for a code that came over the wire; an unknown code becomes `internal`."""
    if code in CATALOGUE:
        return OrielError(code, detail)
    return OrielError("unavailable" if status_hint == 503 else "internal")
