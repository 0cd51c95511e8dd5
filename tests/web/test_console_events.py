"""Events and schedules in the console: what happened and who was told, what runs by itself and when."""

import json
import time

import pytest

from tests.guests import hostile
from tests.support import platform as support
from tests.support.axe import violations
from tests.web.test_console import SMALL, Console

pytestmark = pytest.mark.browser

TOLD = {
    "api": {"endpoints": [{"method": "POST", "path": "/on-order", "internal": True}]},
    "capabilities": [{"name": "events.subscribe", "purpose": "Counts orders."}],
    "events": [{"topic": "order.*", "path": "/on-order", "filter": {"currency": ["EUR"]}}],
    "schedules": [{"name": "digest", "cron": "0 8 * * *", "path": "/on-order"}],
}
GRANTS = [{"capability": "events.subscribe"}]


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with support.running(tmp_path_factory.mktemp("platform"), cache_seconds=0.2) as up:
        support.publish_and_install(up, hostile.HELLO, name="com.acme.told", grants=GRANTS, **TOLD)
        support.publish_and_install(up, hostile.status(404), name="com.acme.refuses", grants=GRANTS, **TOLD)
        yield up


@pytest.fixture
def console(platform, page):
    shown = Console(platform, page)
    shown.sign_in("admin", "product")
    return shown


def until(console, seen):
    """Load the page anew until it shows what is waited for; what stands there now may be about to be redrawn."""
    deadline = time.monotonic() + 60
    while True:
        console.page.reload()
        console.at(console.path)
        if seen():
            return
        assert time.monotonic() < deadline


def emit(console):
    with support.client(console.platform, "product") as product:
        body = {"topic": "order.paid", "data": {"currency": "EUR", "n": 7}}
        return product.api("POST", "/events", json=body)["event_id"]


def test_what_happened_who_was_told_and_what_is_sent_again(console):
    event_id = emit(console)
    main = console.at(f"/events/{event_id}")
    assert main.get_by_text('"n": 7').is_visible()
    for word in ("delivered", "dead"):
        until(console, main.get_by_text(word, exact=True).is_visible)
    main = console.at("/events")
    assert main.get_by_role("link", name="order.paid").first.is_visible()
    assert main.get_by_text('{"currency":["EUR"]}').first.is_visible()
    console.press("Send again")
    console.said("On its way again.")
    until(console, main.get_by_text("Not delivered").is_visible)
    console.press("Send all again")
    console.said("On its way again.")


def test_a_schedule_is_run_paused_and_given_other_times(console):
    main = console.at("/schedules")
    main.get_by_role("link", name="digest").first.click()
    console.page.get_by_role("heading", name="Next runs").wait_for()
    assert main.locator("ol li").count() == 5
    console.press("Run now")
    until(console, main.get_by_text("succeeded").or_(main.get_by_text("failed")).first.is_visible)
    console.press("Pause")
    console.said("It pauses.")
    console.page.get_by_role("button", name="Resume").wait_for()
    main.get_by_label("Minute, hour, day, month, weekday").fill("* * * * *")
    main.get_by_label("Time zone").fill("Mars/Olympus")
    console.press("Save")
    console.said("is not a time zone")
    main.get_by_label("Time zone").fill("Europe/Berlin")
    main.get_by_label("Minute, hour, day, month, weekday").fill("30 6 * * mon-fri")
    console.press("Look")
    main.get_by_text("It would run").wait_for()
    console.press("Save")
    console.said("It runs at other times now.")
    until(console, main.get_by_text("30 6 * * mon-fri").first.is_visible)


def test_axe_finds_nothing_on_a_small_screen(console):
    console.page.set_viewport_size(SMALL)
    with support.client(console.platform) as admin:
        schedule = admin.listing("/schedules")[0]
    found = {}
    for place in ("/events", f"/events/{emit(console)}", "/schedules", f"/schedules/{schedule['schedule_id']}"):
        console.at(place)
        if broken := violations(console.page):
            found[place] = broken
        assert console.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
    assert found == {}, json.dumps(found, indent=1)
