"""Secret references: `{{secret:NAME}}` in the value of an outgoing header.

Rules kept here:

- The host fills a reference in for the origins that secret is bound to, and only there; anywhere else the request
  is `denied` before a name is resolved. A secret bound to nothing goes nowhere.
- The guest never sees the value: where a server sends it back, the very bytes are replaced, in headers and body.
  A server that sends it back in another form (base64, escaped, in pieces) is not seen through: a tenant binds a
  secret to hosts it trusts with it.
- References in the URL, the body and header names are left as they are written.
"""

import re
from typing import Final

from msgspec.structs import replace

from oriel.errors import OrielError
from runner.egress.messages import require_value
from runner.egress.model import Answer, EgressError, Header, SecretSource
from runner.egress.urls import Origin

REDACTED: Final = "[secret]"
SHORTEST_REDACTED: Final = 4  # replacing a shorter value would mostly replace, and so tell, something else
_MARK: Final = "{{secret:"
_REFERENCE = re.compile(r"\{\{secret:([^{}]{1,128})\}\}")


class References:
    """The secrets of one fetch: fills them in and knows what to take out again."""

    def __init__(self, source: SecretSource | None) -> None:
        self._source = source
        self._values: dict[str, str] = {}

    def fill(self, headers: tuple[Header, ...], origin: Origin) -> tuple[Header, ...]:
        """The headers with every reference replaced by its value.

        Raises:
            EgressError: `denied` where a secret may not go to `origin`, `invalid-request` where there is none of
                that name or the reference cannot be read.
        """
        return tuple((name, self._filled(name, value, origin)) for name, value in headers)

    def redact(self, answer: Answer) -> Answer:
        """The answer without any value that was filled in."""
        body = answer.body
        for value in self._redacted():
            body = body.replace(value.encode("latin-1"), REDACTED.encode())
        headers = tuple((self.redact_text(name), self.redact_text(value)) for name, value in answer.headers)
        if body != answer.body:
            headers = tuple(header for header in headers if header[0] != "content-length")
        return replace(answer, headers=headers, body=body, url=self.redact_text(answer.url))

    def redact_text(self, text: str) -> str:
        """The text without the values, in their own case or in lower case as hosts and header names are written."""
        for value in self._redacted():
            text = text.replace(value, REDACTED).replace(value.lower(), REDACTED)
        return text

    def _redacted(self) -> list[str]:
        """Longer values first, so that none leaves a tail."""
        return sorted((v for v in self._values.values() if len(v) >= SHORTEST_REDACTED), key=len, reverse=True)

    def _filled(self, header: str, text: str, origin: Origin) -> str:
        if _MARK not in text:
            return text
        if _MARK in _REFERENCE.sub("", text):
            raise EgressError("invalid-request", f"The header {header} holds a reference that cannot be read.")
        filled = _REFERENCE.sub(lambda match: self._value(match[1], header, origin), text)
        return filled.strip(" \t")

    def _value(self, name: str, header: str, origin: Origin) -> str:
        if self._source is None:
            raise EgressError("denied", "The tenant has not granted secrets.get.")
        hosts = self._source.hosts(name)
        if hosts is None:
            raise EgressError("invalid-request", f"There is no secret '{name}' to refer to.")
        if not origin.covered_by(hosts):
            raise EgressError("denied", f"The secret '{name}' is not bound to {origin}.")
        try:
            value = self._source.value(name)
        except OrielError:
            raise EgressError("denied", f"The secret '{name}' cannot be opened now.") from None
        require_value(header, value)
        self._values[name] = value
        return value


def headers_with_references(headers: tuple[Header, ...]) -> frozenset[str]:
    """The names of the headers that hold a reference."""
    return frozenset(name for name, value in headers if _MARK in value)
