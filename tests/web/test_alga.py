"""UIs that speak the window messages of `alga`: what works, and what the option does not open."""

import pytest

pytestmark = pytest.mark.browser

# As existing UIs speak it; nothing of Oriel's is imported.
CHILD = """
window.got = [];
window.say = (type, payload = {}, more = {}) =>
  parent.postMessage({ alga: true, version: '1', type, payload, ...more }, '*');
addEventListener('message', ({ data }) => got.push(data));
window.until = async (holds) => {
  for (;;) { const found = got.find(holds); if (found) return found; await new Promise((done) => setTimeout(done, 5)); }
};
let next = 0;
window.call = async (route, method = 'GET', body) => {
  const request_id = `r${++next}`;
  say('apiproxy', { route, method, body: body && btoa(body) }, { request_id });
  const { payload } = await until((message) => message.request_id === request_id);
  return payload.error ?? JSON.parse(atob(payload.body));
};
"""
READY = CHILD + "say('ready'); say('ready'); window.boot = await until(({ type }) => type === 'bootstrap');"


@pytest.fixture
def show(stage, page):
    def show(script=READY, path="/strict-host", **options):
        ui = stage.publish(script=script)
        stage.open(page, path)
        page.evaluate("(options) => show(options)", {**ui, "alga": True, **options})
        return stage.frame(page)

    return show


def errors(page):
    return [detail for name, detail in page.evaluate("events") if name == "error"]


def test_a_ui_gets_its_bootstrap_once(show, page):
    frame = show(theme={"tokens": {"color-accent": "#0a7"}}, path="/strict-host")
    frame.wait_for_function("() => window.boot")
    boot = frame.evaluate("boot")
    assert (boot["alga"], boot["version"]) == (True, "1")
    assert boot["payload"] == {
        "session": {"token": "session-1", "expires_at": "2026-11-18T11:06:40.000Z"},
        "theme_tokens": {"color-accent": "#0a7"},
        "navigation": {"path": "/"},
    }
    assert frame.evaluate("got.filter(({ type }) => type === 'bootstrap').length") == 1


def test_calls_reach_the_handler_and_come_back(show, stage):
    frame = show()
    frame.wait_for_function("() => window.boot")
    assert frame.evaluate("call('/items?a=1', 'PUT', 'hallo')") == {"method": "PUT", "body": "hallo", "query": "a=1"}
    call = stage.calls[-1]
    assert call["path"] == "/api/ext/com.acme.reports/items"
    assert call["headers"]["authorization"] == "Bearer the-users-token"


def test_height_place_and_theme_go_both_ways(show, page):
    frame = show()
    frame.wait_for_function("() => window.boot")
    frame.evaluate("say('resize', { height: 321 }); say('navigate', { path: '/reports/7' })")
    page.wait_for_function("() => handle.path === '/reports/7' && frame.style.height === '321px'")
    page.evaluate("handle.setTheme({ tokens: { radius: '1px' } })")
    frame.wait_for_function("() => got.some(({ type, payload }) => type === 'theme' && payload.radius === '1px')")


def test_without_the_option_nothing_of_it_is_heard(page, stage):
    frame = stage.begin(page, stage.publish(script=CHILD + "say('ready'); say('ready'); window.tried = true;"))
    stage.tried(page, frame)
    assert not page.evaluate("handle.isReady")
    assert frame.evaluate("got") == []
    assert stage.calls == []


def test_a_page_that_does_not_confine_its_frames_gets_no_such_conversation(show, page, stage):
    frame = show(path="/host")
    assert errors(page) == ["frame_src_missing"]
    assert frame.evaluate("got") == []
    assert stage.calls == []


def test_a_route_out_of_the_extension_is_refused(show, stage):
    frame = show()
    frame.wait_for_function("() => window.boot")
    routes = ["/../secret", "/%2e%2e/secret", "/%252e%252e/secret", "//evil.example", "..\\secret", "/a;b", "/.env"]
    answers = frame.evaluate("(routes) => Promise.all(routes.map((route) => call(route)))", routes)
    assert [answer for answer in answers if "not allowed" not in answer] == []
    assert stage.paths() == ["/api/ext-session"]


def test_what_is_not_of_the_protocol_is_ignored_and_a_flood_is_cut_off(show, page, stage):
    frame = show()
    frame.wait_for_function("() => window.boot")
    frame.evaluate("""() => {
      for (const payload of [null, 1, {}, { route: 1 }, { route: '/a', method: {} }, { route: '/a', body: 7 },
        JSON.parse('{"__proto__": {"route": "/a"}}')]) say('apiproxy', payload, { request_id: 'x' });
      say('__proto__'); say('constructor'); say('resize', { height: '500' }); say('navigate', { path: '/../admin' });
      parent.postMessage({ version: '1', type: 'apiproxy', payload: { route: '/a' } }, '*');
      parent.postMessage({ type: 'request', id: 1, method: 'GET', path: '/a', headers: [], body: null }, '*');
    }""")
    assert frame.evaluate("call('/sentinel')")["method"] == "GET"
    assert stage.paths() == ["/api/ext-session", "/api/ext/com.acme.reports/sentinel"]
    assert page.evaluate("handle.path") == "/"
    frame.evaluate("for (let i = 0; i < 4000; i++) say('resize', { height: i })")
    page.wait_for_function("() => events.some(([, detail]) => detail === 'flooded')")


def test_calls_before_ready_are_not_heard(show, stage):
    frame = show(CHILD + "say('apiproxy', { route: '/early' }, { request_id: 'r' }); say('ready');")
    frame.wait_for_function("() => got.some(({ type }) => type === 'bootstrap')")
    assert stage.paths() == ["/api/ext-session"]


def test_another_version_is_refused(show, page):
    show(CHILD + "say('ready', {}, { version: '2' });")
    assert errors(page) == ["version_unsupported"]


def test_a_body_that_is_no_base64_is_an_error(show, stage):
    frame = show()
    frame.wait_for_function("() => window.boot")
    frame.evaluate("say('apiproxy', { route: '/a', method: 'POST', body: '%%%' }, { request_id: 'bad' })")
    frame.wait_for_function("() => got.some(({ request_id, payload }) => request_id === 'bad' && payload.error)")
    assert stage.paths() == ["/api/ext-session"]


def test_another_document_in_the_frame_gets_nothing_and_the_ui_is_loaded_anew(show, page, stage):
    """The frame goes to a neighbour's UI, which is ready at once; the host brings its own UI back."""
    neighbour = stage.publish(script=READY, extension_id="com.good.neighbour")
    frame = show(READY + "window.own = true;")
    frame.wait_for_function("() => window.boot")
    url = f"{neighbour['uiOrigin']}/ext-ui/{neighbour['extensionId']}/{neighbour['contentHash']}/index.html"
    frame.evaluate(f"location.href = '{url}'")
    page.wait_for_function("() => events.filter(([type]) => type === 'ready').length === 2")
    frame = stage.frame(page)
    frame.wait_for_function("() => window.own && window.boot")
    assert "com.acme.reports" in frame.url
    assert [name for name, _ in page.evaluate("events") if name in {"ready", "lost", "error"}] == [
        "ready",
        "lost",
        "ready",
    ]


def test_the_answer_of_a_handler_that_refuses_is_an_error(show):
    frame = show()
    frame.wait_for_function("() => window.boot")
    assert frame.evaluate("call('/refused')") == "The extension answered 422."
