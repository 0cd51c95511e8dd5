"""The tables' migration as a Lambda function, where the store is PostgreSQL.

    {"RequestType": "Create"|"Update"|"Delete", …}   CloudFormation, when a deployment needs other tables
    {"task": "migrate"}                              an operator; answers {"before": …, "after": …}

Rules kept here:

- It connects as the role that owns the tables. No other function does.
- A database that was made a moment ago may not answer yet: it is asked again while there is time.
- Tables of a later revision are left as they are: a deployment that is rolled back does not fail on them.
- CloudFormation waits for an answer and gets one, whatever happened; deleting its resource deletes nothing.
- It is told the database's address when the tables are there, so that what needs the address comes after them.

Source: AWS, "Custom resources" (request and response objects).
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from oriel import telemetry
from oriel.connections import Connections, NoAnswer
from oriel.errors import OrielError
from oriel.settings import Settings
from oriel.store.errors import UnknownTables
from oriel.store.migrating import migrate_store

MARGIN_MS = 60_000  # what is left for the answer
PAUSE_SECONDS = 5.0
ANSWER_SECONDS = 20.0
RESOURCE = "oriel-tables"
_log = logging.getLogger(__name__)


class Function:
    """The function's handler.

    Args:
        migrate: brings the tables up to date; gives the revisions before and after.
    """

    def __init__(
        self, migrate: Callable[[], tuple[str | None, str]], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._migrate, self._sleep = migrate, sleep

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        match event:
            case {"task": "migrate"}:
                return self._done(context)
            case {"RequestType": "Delete"}:
                return _answered(event, "SUCCESS", {})
            case {"RequestType": "Create" | "Update"}:
                return self._for_cloudformation(event, context)
        raise OrielError("malformed_request", "The event is none that this function knows.")

    def _for_cloudformation(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        address = event["ResourceProperties"]["Address"]
        try:
            return _answered(event, "SUCCESS", {**self._done(context), "Address": address})
        except UnknownTables as later:
            if event["RequestType"] == "Create":
                return _answered(event, "FAILED", {}, later.detail)
            _log.warning("the tables stay as they are: %s", later.detail)
            return _answered(event, "SUCCESS", {"Address": address})
        except OrielError as error:
            return _answered(event, "FAILED", {}, error.detail)
        except Exception as error:  # without an answer CloudFormation would wait for an hour
            _log.exception("the tables were not migrated")
            return _answered(event, "FAILED", {}, f"{type(error).__name__}: see the function's log")

    def _done(self, context: Any) -> dict[str, Any]:
        while True:
            try:
                before, after = self._migrate()
            except UnknownTables:
                raise
            except OrielError as error:
                if error.code != "unavailable" or context.get_remaining_time_in_millis() < MARGIN_MS:
                    raise
                _log.warning("the database is asked again: %s", error.detail)
                self._sleep(PAUSE_SECONDS)
            else:
                return {"before": before or "", "after": after}


def _answered(event: Mapping[str, Any], status: str, data: Mapping[str, Any], reason: str = "") -> dict[str, Any]:
    """Tell CloudFormation; what it was told."""
    said = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": RESOURCE,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(data),
    }
    url = urlsplit(str(event["ResponseURL"]))
    connections = Connections(f"{url.scheme}://{url.netloc}", read_seconds=ANSWER_SECONDS)
    body = json.dumps(said).encode()
    with connections.request("PUT", f"{url.path}?{url.query}", {"content-type": ""}, body) as answer:
        answer.read()
    if answer.status != 200:
        raise NoAnswer(f"CloudFormation's address answered {answer.status}")
    return said


_settings = Settings.load()
telemetry.configure(_settings.log_level)
handler = Function(lambda: migrate_store(_settings.store_url))
