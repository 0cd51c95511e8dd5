"""The thread that publishes what was finalized.

While there is nothing to publish it compiles what an upgrade of the engine left without native code, and keeps house.
"""

import logging
import threading
import time
from collections.abc import Callable

from oriel.errors import OrielError
from oriel.store.records import Upload
from registry.audits import Audits
from registry.collecting import Collector
from registry.compiling import Compiler
from registry.core import Registry
from registry.leaving import Leaving
from registry.publish import Publishing
from registry.rebuild import Rebuilding
from registry.resealing import Resealing
from registry.resigning import Resigning
from registry.rollouts import Rollouts
from registry.uploads import Uploads

IDLE_SECONDS = 5.0  # another process may have finalized a session
RETRY_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 60.0

_log = logging.getLogger(__name__)


class PublishWorker:
    """Drives `Publishing` over the store's work list.

    Use `run_pending` where something else keeps time (a queue, a schedule, a test), `start` and `stop` elsewhere.
    """

    def __init__(self, registry: Registry) -> None:
        limits = registry.limits
        self._registry = registry
        self._compiler = Compiler(
            memory_mb=limits.compile_memory_mb, seconds=limits.compile_seconds, fuel=limits.count_fuel
        )
        self._publishing = Publishing(registry, self._compiler)
        self._rebuilding = Rebuilding(registry, self._compiler)
        self._resigning = Resigning(registry, fuel=limits.count_fuel)
        self._uploads = Uploads(registry)
        self._resealing = Resealing(registry)
        self._audits = Audits(registry)
        self._collector = Collector(registry)
        self._leaving, self._rollouts = Leaving(registry), Rollouts(registry)
        self._woken, self._house_due = threading.Event(), threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def run_pending(self) -> bool:
        """Take every waiting session as far as it goes; whether all of them came to an end."""
        finished = [self.publish(upload) for upload in self._registry.store.pending_uploads()]
        return all(finished)

    def rebuild(self) -> bool:
        """Compile one component that has no native code for this engine, or sign one version's statements again that
        a former key signed; whether there is nothing left of either."""
        return not (self._rebuilding.step() or self._resigning.step())

    def keep_house(self) -> bool:
        """Seal anew what a rotation left, remove what nobody needs, leave checkpoints, move rollouts on."""
        self._resealing.step()
        self._registry.store.purge_expired()
        self._uploads.sweep_staging()
        self._audits.leave_checkpoints()
        self._leaving.delete_due()
        self._rollouts.step()
        self._collector.collect_daily()
        return True

    def start(self) -> None:
        """Work in a thread of its own until `stop`."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, name="oriel-publish", daemon=True)
        self._thread.start()

    def wake(self, _upload_id: str = "") -> None:
        """There is something to do. Safe from every thread."""
        self._woken.set()

    def tidy(self) -> None:
        """There is something to do for `keep_house`. Safe from every thread."""
        self._house_due.set()
        self._woken.set()

    def stop(self) -> None:
        """End the thread; a step that is cut short is repeated at the next start."""
        self._stopping.set()
        self._woken.set()
        while self._thread is not None and self._thread.is_alive():
            self._compiler.cancel()
            self._thread.join(0.1)

    def _work(self) -> None:
        housekeeping, rebuilt = 0.0, False
        while not self._stopping.is_set():
            self._woken.clear()
            finished = self._guarded(self.run_pending)
            if finished and not rebuilt:
                rebuilt = self._guarded(self.rebuild)
                continue
            if finished and (self._house_due.is_set() or time.monotonic() >= housekeeping):
                self._house_due.clear()
                housekeeping = time.monotonic() + HOUSEKEEPING_SECONDS
                finished = self._guarded(self.keep_house)
            self._woken.wait(IDLE_SECONDS if finished else RETRY_SECONDS)

    def _guarded(self, work: Callable[[], bool]) -> bool:
        """Whether the work was done; a failure of any kind leaves it for later."""
        try:
            return work()
        except OrielError as error:
            _log.warning("the publisher waits: %s", error.detail)
        except Exception:
            _log.exception("the publisher failed")
        return False

    def publish(self, upload: Upload) -> bool:
        """Take a session as far as it goes; whether it came to an end."""
        if self._stopping.is_set():
            return False
        try:
            finished = self._publishing.run(upload)
        except OrielError as error:
            _log.warning("upload %s waits in '%s': %s", upload.upload_id, upload.state, error.detail)
            return False
        except Exception:
            _log.exception("upload %s failed", upload.upload_id)
            return False
        _log.info("upload %s is %s", upload.upload_id, finished.state)
        return True
