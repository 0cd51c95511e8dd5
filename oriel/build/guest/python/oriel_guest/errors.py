"""What can go wrong, as exceptions.

    Problem                 what an extension answers with on purpose
    HostError               what a host function answered instead of a value
    ├── Denied              the tenant has not granted the capability, or not for this host
    ├── Conflict            the record has changed meanwhile
    ├── Invalid             an argument is not valid
    ├── LimitExceeded       a limit of size, number or budget
    ├── Unavailable         the host cannot do it now, or there is nobody to ask about
    ├── ReferenceOnly       the secret may be referred to but not read
    ├── FetchFailed         the other server could not be reached or did not answer properly
    └── OperationFailed     the product refused an operation, or failed

An exception that a handler lets through becomes an answer: a `Problem` its own, a `HostError` its `status`, anything
else a 500 whose traceback is in the log.
"""

from collections.abc import Mapping
from typing import Any


class Problem(Exception):
    """An RFC 9457 answer: `raise Problem(404, "There is no such note.")`.

    Args:
        status: 400 to 599.
        detail: one sentence for the person who asked.
        code: a stable name for programs, `over_limit`.
        extra: further members of the problem object; JSON values.
    """

    def __init__(self, status: int, detail: str, code: str | None = None, **extra: Any) -> None:
        self.status, self.detail, self.code, self.extra = status, detail, code, extra
        super().__init__(detail)


class HostError(Exception):
    """A host function's refusal.

    Attributes:
        kind: the case of the interface's `error` variant, `limit-exceeded`.
        detail: the host's own sentence.
        status: what a handler that lets it through answers with.
    """

    status = 500

    def __init__(self, kind: str, detail: str) -> None:
        self.kind, self.detail = kind, detail
        super().__init__(f"{kind}: {detail}")


class Denied(HostError):
    status = 403


class Conflict(HostError):
    status = 409


class Invalid(HostError):
    pass


class LimitExceeded(HostError):
    pass


class Unavailable(HostError):
    status = 503


class ReferenceOnly(HostError):
    pass


class FetchFailed(HostError):
    """`kind` is `dns`, `connect`, `tls`, `timeout` or `protocol`."""

    status = 502


class OperationFailed(HostError):
    """What the product itself answered: its HTTP status, and the code of its problem object, empty without one."""

    status = 502

    def __init__(self, detail: str, product_status: int, code: str) -> None:
        super().__init__("host-error", detail)
        self.product_status, self.code = product_status, code


_BY_KIND: Mapping[str, type[HostError]] = {
    "denied": Denied,
    "conflict": Conflict,
    "invalid": Invalid,
    "invalid-request": Invalid,
    "invalid-input": Invalid,
    "unknown-operation": Unavailable,
    "loop": LimitExceeded,
    "limit-exceeded": LimitExceeded,
    "too-large": LimitExceeded,
    "too-many-redirects": LimitExceeded,
    "budget-exceeded": LimitExceeded,
    "unavailable": Unavailable,
    "not-available": Unavailable,
    "reference-only": ReferenceOnly,
    "dns": FetchFailed,
    "connect": FetchFailed,
    "tls": FetchFailed,
    "timeout": FetchFailed,
    "protocol": FetchFailed,
}


def host_error(kind: str, payload: Any) -> HostError:
    """The exception for a case of an `error` variant; `HostError` itself for one that is not known.

    `payload` is the host's sentence; for `host-error` the record `host.failure`.
    """
    if kind == "host-error":
        return OperationFailed(payload.detail, payload.status, payload.code)
    detail: str = payload
    return _BY_KIND.get(kind, HostError)(kind, detail)
