"""The publisher as a Lambda function: fed by a queue, woken by a schedule.

    an SQS event                   each message names a session: it is taken as far as it goes
    {"task": "keep-house"}         the whole work list, native code for a new engine, housekeeping
    {"task": "rebuild"}            native code for this engine; {"remaining": …} says whether to ask again
    {"DeploymentId": …}            CodeDeploy asks before a new runner gets traffic: the same, and an answer to it

Rules kept here:

- A session that ends, well or badly, is done. One that waits for a store or a key goes back to the queue, which tries
  it a number of times and then puts it where an alarm sees it.
- Every step may be repeated: a message that comes twice, or too late, changes nothing.
- Compiling is done in a process of its own, with limits, without this function's environment; and no other process
  can read this one's.
"""

import ctypes
import json
import logging
from collections.abc import Mapping
from typing import Any

from oriel import telemetry
from oriel.aws import Target
from oriel.aws.services import JsonClient
from oriel.errors import OrielError
from oriel.settings import Settings
from registry.core import Registry
from registry.ledger import ledger
from registry.worker import PublishWorker

MARGIN_MS = 20_000  # what is begun with less than this left would be cut off
_PR_SET_DUMPABLE = 4

_log = logging.getLogger(__name__)


class Function:
    """The function's handler, over one worker."""

    def __init__(self, registry: Registry, compile_seconds: int, deployments: JsonClient) -> None:
        self._registry, self._deployments = registry, deployments
        self._worker = PublishWorker(registry)
        self._margin_ms = MARGIN_MS + 1000 * compile_seconds

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        match event:
            case {"Records": [*records]}:
                failed = [str(record["messageId"]) for record in records if not self._published(record)]
                return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
            case {"task": "rebuild"}:
                return {"remaining": self._rebuild(context)}
            case {"DeploymentId": str(deployment), "LifecycleEventHookExecutionId": str(hook)}:
                return self._before_traffic(deployment, hook, context)
            case {"task": "keep-house"}:
                finished = self._worker.run_pending()
                remaining = self._rebuild(context)
                self._worker.keep_house()
                return {"finished": finished, "remaining": remaining}
        raise OrielError("malformed_request", "The event is none that the publisher knows.")

    def _published(self, record: Mapping[str, Any]) -> bool:
        """Whether the message may go."""
        try:
            upload_id = str(json.loads(record["body"])["upload_id"])
        except (ValueError, KeyError, TypeError):
            _log.error("a message names no upload", extra={"message_id": record.get("messageId")})
            return False
        upload = self._registry.store.get_upload(upload_id)
        if upload is None or upload.state == "open":
            _log.warning("there is nothing to publish", extra={"upload_id": upload_id})
            return True
        return self._worker.publish(upload)

    def _before_traffic(self, deployment: str, hook: str, context: Any) -> dict[str, Any]:
        """Native code first. Where there is too much for one call, the deployment fails and the next one goes on."""
        status = "Failed" if self._rebuild(context) else "Succeeded"
        self._deployments.put_lifecycle_event_hook_execution_status(
            deploymentId=deployment, lifecycleEventHookExecutionId=hook, status=status
        )
        return {"status": status}

    def _rebuild(self, context: Any) -> bool:
        """Compile what has no native code for this engine, while there is time; whether there is more."""
        while context.get_remaining_time_in_millis() > self._margin_ms:
            if self._worker.rebuild():
                return False
        return True


ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # /proc of this process is closed to others of its user
_settings = Settings.load()
telemetry.configure(_settings.log_level)
_deployments = JsonClient("codedeploy", Target("codedeploy"))
handler = Function(ledger(_settings, signs=True), _settings.compile_seconds, _deployments)
