"""Telling the publisher, by a queue, that a session was finalized.

An announcement that is lost costs time alone: the publisher looks at the whole work list every few minutes.
"""

import json
import logging

from oriel.aws import Again, persist
from oriel.aws.services import JsonClient, NoAnswer, Refused

_log = logging.getLogger(__name__)


class Announcer:
    """Puts sessions on the queue at `url`."""

    def __init__(self, client: JsonClient, url: str) -> None:
        self._client, self._url = client, url

    def announce(self, upload_id: str) -> None:
        """Announce a session; twice does no harm."""

        def attempt(_: bool) -> None:
            try:
                self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps({"upload_id": upload_id}))
            except NoAnswer as none:
                raise Again(str(none), ambiguous=True) from None
            except Refused as refused:
                raise Again(refused.code, ambiguous=False) from None

        try:
            persist(attempt)
        except Again as again:
            _log.error("an upload was not announced", extra={"upload_id": upload_id, "reason": again.reason})
