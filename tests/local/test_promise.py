"""The ten-second promise, once for real: processes, HTTP, four callers that do not stop."""

import threading
import time

from tests.guests import hostile
from tests.support.platform import client, publish_and_install

PROMISE = 10.0


def test_a_disabled_install_runs_no_more_however_hard_callers_hammer(platform):
    extension = publish_and_install(platform, hostile.HELLO, name="com.acme.promise")
    stop, answers, lock = threading.Event(), [], threading.Lock()

    def hammer():
        with client(platform) as caller:
            while not stop.is_set():
                began = time.monotonic()
                status = caller.call(extension, "/").status_code
                with lock:
                    answers.append((began, status))

    def statuses(since=0.0):
        with lock:
            return [status for began, status in answers if began >= since]

    def wait_for(condition):
        until = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.01)

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: statuses().count(200) >= 20)
        with client(platform) as admin:
            admin.api("PATCH", f"/installs/{extension}", json={"status": "disabled"})
        disabled = time.monotonic()
        wait_for(lambda: 403 in statuses(disabled))
        wait_for(lambda: len(statuses(time.monotonic() - 0.2)) >= 8 and 200 not in statuses(time.monotonic() - 0.2))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(statuses()) == {200, 403}
    ran_late = [began for began, status in answers if status == 200 and began > disabled + PROMISE]
    assert ran_late == []
