"""The way into a standard HTTP component: `wasi:http/incoming-handler`."""

from typing import Any

from oriel.errors import OrielError
from runner.execution import Execution
from runner.host.bodies import to_bytes
from runner.wasi.messages import IncomingBody, IncomingRequest, OutgoingResponse, ResponseOutparam, lines_of

RESERVED = "invalid"  # RFC 6761: nothing is reachable under it, and no URL with it is mistaken for one that is


class Incoming:
    """One call of `handle`.

    The request's URL is `https://<extension id>.invalid/<path>`: an extension has no place of its own on the web.
    """

    __slots__ = ("_outparam", "arguments")

    def __init__(self, request: dict[str, Any], execution: Execution) -> None:
        self._outparam = ResponseOutparam()
        self.arguments = (_incoming(request, execution), self._outparam)

    def answer(self, _returned: None) -> dict[str, Any]:
        """`types.response`.

        Raises:
            OrielError: `bad_response`, where there is no answer, or only a part of one.
        """
        if self._outparam.answer is None:
            raise OrielError("bad_response", "The extension returned without an answer (response-outparam.set).")
        case, response = self._outparam.answer
        if case == "err":
            raise OrielError("bad_response", f"The extension answered with the error {response[0]}.")
        return _response(response)


def _incoming(request: dict[str, Any], execution: Execution) -> IncomingRequest:
    body = to_bytes(request["body"])
    pairs = [(header["name"], header["value"]) for header in request["headers"]]
    if body and not any(name == "content-length" for name, _ in pairs):
        pairs.append(("content-length", str(len(body))))
    return IncomingRequest(
        method=request["method"],
        target=f"{request['path']}?{request['query']}" if request["query"] else request["path"],
        authority=f"{execution.context.extension_id}.{RESERVED}",
        headers=lines_of(pairs),
        body=IncomingBody(body),
    )


def _response(response: OutgoingResponse) -> dict[str, Any]:
    body = response.body
    if body is not None and not body.is_finished:
        raise OrielError(
            "bad_response", "The extension returned before its answer was finished (outgoing-body.finish)."
        )
    data = b"" if body is None else bytes(body.data)
    return {
        "status": response.status,
        "headers": [{"name": name, "value": value.decode("latin-1")} for name, value in response.headers.lines],
        "body": ("bytes", data) if data else ("empty", None),
    }
