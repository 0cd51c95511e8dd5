"""What goes into the gateway's core and what comes out: HTTP without a framework.

Header names are lower case; repeats and order are kept. `path` and `query` are those of the wire.
"""

from typing import Annotated, Literal

from msgspec import DecodeError, Meta

from oriel.errors import OrielError
from oriel.messages import Message
from oriel.values import Discreet

Headers = tuple[tuple[str, str], ...]

SESSION_PATH = "/api/ext-session"
KEYS_HEADERS: Headers = (("cache-control", "public, max-age=300"), ("access-control-allow-origin", "*"))


class GatewayRequest(Discreet, frozen=True, kw_only=True):
    """A request to an extension. `path` is percent-encoded, below the extension, and starts with `/`."""

    request_id: str
    method: str
    extension_id: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name), None)

    def all_headers(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.headers if key == name)


class GatewayResponse(Discreet, frozen=True, kw_only=True):
    """`error` is why there is no answer of the guest's own."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    error: OrielError | None = None


class PlatformCall(Discreet, frozen=True, kw_only=True):
    """A call that nobody's token stands behind, but the platform's word: an event, or a schedule.

    `install_id` is the install that it is for; `depth` and `caused_by` are the event's.
    """

    request_id: str
    tenant_id: str
    extension_id: str
    install_id: str
    trigger: Literal["event", "schedule"]
    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""
    depth: int = 0
    caused_by: str | None = None


class SessionAsk(Message, frozen=True):
    """For which extension a session token is wanted."""

    extension_id: Annotated[str, Meta(min_length=1, max_length=200)]

    @classmethod
    def of(cls, body: bytes) -> "SessionAsk":
        """Read a request's body; `malformed_request`."""
        try:
            return cls.from_json(body)
        except DecodeError:
            raise OrielError("malformed_request", 'The body is not {"extension_id": "…"}.') from None


def target_of(raw_path: bytes) -> tuple[str, str]:
    """The extension and the path below it, of a request's raw path `/api/ext/<extension>[/<path>]`.

    Neither is decoded or checked further here.

    Raises:
        OrielError: `invalid_path`, where the prefix is not spelt out.
    """
    parts = raw_path.decode("latin-1").split("/", 4)
    if parts[:3] != ["", "api", "ext"] or len(parts) < 4:
        raise OrielError("invalid_path", "The path does not start with a plain '/api/ext/'.")
    return parts[3], f"/{parts[4]}" if len(parts) == 5 else "/"
