"""The tables' migration as a Lambda function, where the store is PostgreSQL.

    {"RequestType": "Create"|"Update"|"Delete", …}   CloudFormation, when a deployment needs other tables
    {"task": "migrate"}                              an operator; answers {"before": …, "after": …}

Rules kept here:

- It connects as the role that owns the tables. No other function does.
- A database that was made a moment ago may not answer yet: it is asked again while there is time.
- Tables of a later revision are left as they are: a deployment that is rolled back does not fail on them.
- CloudFormation waits for an answer and gets one, whatever happened; deleting its resource deletes nothing.
- It is told the database's address when the tables are there, so that what needs the address comes after them.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from oriel import telemetry
from oriel.aws.custom_resource import answer, done, failed
from oriel.errors import OrielError
from oriel.settings import Settings
from oriel.store.errors import UnknownTables
from oriel.store.migrating import migrate_store

MARGIN_MS = 60_000  # what is left for the answer
PAUSE_SECONDS = 5.0
PHYSICAL_ID = "oriel-tables"
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
                return answer(event, done({}), PHYSICAL_ID)
            case {"RequestType": "Create" | "Update"}:
                return answer(event, self._deployed(event, context), PHYSICAL_ID)
        raise OrielError("malformed_request", "The event is none that this function knows.")

    def _deployed(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        address = event["ResourceProperties"]["Address"]
        try:
            return done({**self._done(context), "Address": address})
        except UnknownTables as unknown:
            if event["RequestType"] == "Create":
                return failed(unknown.detail)
            _log.warning("the tables stay as they are: %s", unknown.detail)
            return done({"Address": address})
        except OrielError as error:
            return failed(error.detail)
        except Exception as error:
            _log.exception("the tables were not migrated")
            return failed(f"{type(error).__name__}: see the function's log")

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


_settings = Settings.load()
telemetry.configure(_settings.log_level)
handler = Function(lambda: migrate_store(_settings.store_url))
