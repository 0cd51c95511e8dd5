"""The guest library put where browsers load it, `/oriel/guest.js` of the UI origin, by each deployment that changes it.

CloudFormation calls this function as a custom resource (`GuestLibrary` in template.yaml): a deployment waits for it,
and fails, with the reason in its events, where it does. Nobody has to remember it.

    {"RequestType": "Create" | "Update" | "Delete", "ResponseURL": …, …}      answered by a PUT to that URL

Rules kept here:

- It is always answered, or the deployment would wait for its whole time (`oriel.aws.custom_resource`).
- Modules first, then what imports them: no browser gets a new `guest.js` with old modules.
- Nothing is taken away: the stack's end leaves the bucket, and a former library's files disturb nobody.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from oriel import telemetry
from oriel.aws import Again, persist
from oriel.aws.bucket import bucket_client
from oriel.aws.custom_resource import answer, done, failed
from oriel.aws.services import Client
from oriel.aws.settings import target_of_setting
from oriel.connections import NoAnswer
from oriel.settings import Settings
from oriel.ui import LIBRARY, object_headers
from oriel.web_files import library_files

PHYSICAL_ID = "oriel-guest-library"  # the same for ever: an update replaces nothing

_log = logging.getLogger(__name__)


class NotStored(Exception):
    """S3 did not take a file."""


class Function:
    """The function's handler.

    Args:
        put: stores bytes under a key of the UI bucket, in place of what is there.
    """

    def __init__(self, put: Callable[[str, bytes], None]) -> None:
        self._put = put

    def __call__(self, event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
        try:
            names = () if event["RequestType"] == "Delete" else self._deposit()
            said = done({"Files": len(names)})
        except Exception as error:
            _log.exception("the guest library is not in place")
            said = failed(f"The guest library is not in place: {error}")
        return answer(event, said, PHYSICAL_ID)

    def _deposit(self) -> tuple[str, ...]:
        files = tuple(library_files("guest"))
        for name, path in files:
            self._put(f"{LIBRARY}/{name}", path.read_bytes())
        return tuple(name for name, _ in files)


def put_object(client: Client, folder: str, key: str, data: bytes) -> None:
    """Store an object with the headers that browsers get with it.

    Raises:
        NotStored
    """

    def attempt(_: bool) -> None:
        headers = client.signed("PUT", folder + key, headers=object_headers(key), body=data)
        try:
            with client.connections.request("PUT", folder + key, headers, data) as answer:
                said = answer.read().decode(errors="replace")
        except NoAnswer as none:
            raise Again(str(none), ambiguous=False) from None
        if answer.status in {429, 500, 502, 503}:
            raise Again(f"S3 answered {answer.status}", ambiguous=False)
        if answer.status != 200:
            raise NotStored(f"S3 answered {answer.status} for {key}: {said[:300]}")

    try:
        persist(attempt)
    except Again as again:
        raise NotStored(f"{key}: {again.reason}") from None


_settings = Settings.load()
telemetry.configure(_settings.log_level)
handler = Function(partial(put_object, *bucket_client(target_of_setting(_settings, "ui_blobs", "s3"))))
