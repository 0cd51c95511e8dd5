"""Work that a Lambda function does when its answer is out.

A function is frozen when it has answered, unless an extension is still at work. A thread of the function's own
process is one (an internal extension): Lambda hands the answer to the caller and waits for it.

Rules kept here:

- It registers while the function starts; it takes part in no event but calls.
- Where there is no Lambda around, or it takes no more extensions, the work is done before the answer instead.

Source: AWS, "Using the Lambda Extensions API to create extensions".
"""

import http.client
import json
import logging
import os
import threading
from collections.abc import Callable

_API = "/2020-01-01/extension"
_log = logging.getLogger(__name__)


class Afterwards:
    """Calls `work` after each answer. Make one while the function starts.

    Args:
        work: raises nothing that matters; it must end by itself.
    """

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self._work = work
        self._answered = threading.Event()
        self._connection = self._registered(name)

    def answered(self) -> None:
        """The handler is about to return."""
        if self._connection is None:
            self._work()
        else:
            self._answered.set()

    def _registered(self, name: str) -> http.client.HTTPConnection | None:
        address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
        if not address:
            return None
        connection = http.client.HTTPConnection(address)
        headers = {"Lambda-Extension-Name": name, "Content-Type": "application/json"}
        try:
            connection.request("POST", f"{_API}/register", json.dumps({"events": ["INVOKE"]}), headers)
            answer = connection.getresponse()
            answer.read()
            identifier = answer.headers.get("Lambda-Extension-Identifier")
        except (OSError, http.client.HTTPException) as error:
            _log.warning("no extension: %s", error)
            return None
        if answer.status != 200 or identifier is None:
            _log.warning("no extension: status %d", answer.status)
            return None
        threading.Thread(target=self._follow, args=(connection, identifier), name="afterwards", daemon=True).start()
        return connection

    def _follow(self, connection: http.client.HTTPConnection, identifier: str) -> None:
        """Ask for the next call, wait for its answer, work; for as long as the function lives."""
        while True:
            connection.request("GET", f"{_API}/event/next", headers={"Lambda-Extension-Identifier": identifier})
            connection.getresponse().read()
            self._answered.wait()
            self._answered.clear()
            try:
                self._work()
            except Exception:  # a dead thread would hold up every later call
                _log.exception("what was left to do after an answer failed")
