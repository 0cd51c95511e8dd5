"""Which calls a runner takes, whatever way they come.

Rules kept here:

- A body is verified before it is parsed: the service token covers all of it.
- What the token says is believed; a body that says otherwise is refused.
"""

import msgspec

from oriel.contract import ExecuteRequest
from oriel.errors import Finding, InvalidInput
from oriel.identity import ServiceTokenVerifier
from oriel.messages import place_and_problem


def admitted(verifier: ServiceTokenVerifier, token: str, body: bytes) -> ExecuteRequest:
    """The execution that `body` asks for, if `token` was made for it.

    Raises:
        OrielError: `untrusted_caller`, `malformed_request`; `unavailable`, where no more tokens can be remembered.
    """
    claims = verifier.verify(token, body)
    try:
        asked = ExecuteRequest.from_json(body)
    except msgspec.DecodeError as error:
        finding = Finding(*place_and_problem(error))
        raise InvalidInput("malformed_request", [finding], subject="The body") from None
    claims.require_same(asked.context)
    return asked
