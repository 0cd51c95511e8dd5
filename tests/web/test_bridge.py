"""An extension's UI and the product around it, in a real browser: what works."""

import pytest

from tests.support.waiting import eventually

pytestmark = pytest.mark.browser

HELLO = """
import { oriel } from '/oriel/guest.js';
window.oriel = oriel;
window.seen = [];
oriel.addEventListener('navigate', ({ detail }) => seen.push(detail.path));
await oriel.ready();
document.getElementById('out').textContent = 'ready';
"""
GUEST_WITH_MAIN = """<!doctype html><title>guest</title><body><p id="out"></p><main><button id="go">Go</button></main>
<script type="module" src="app.js"></script>"""


@pytest.fixture(scope="module")
def shown(raised, profile):
    """A frame for all tests that leave it as it is."""
    return raised.show(profile.new_page(), raised.publish(script=HELLO))


def test_a_frame_becomes_ready_and_knows_its_context_and_the_nonce_is_gone_from_its_url(stage, page):
    ui = stage.publish(script=HELLO)
    frame = stage.show(page, ui, version="1.2.0", locale="de", path="/reports/7?full=1")
    frame.wait_for_selector("text=ready")
    assert frame.evaluate("location.hash") == "#/reports/7?full=1"
    context = frame.evaluate("oriel.context")
    assert context == {
        "extensionId": ui["extensionId"],
        "contentHash": ui["contentHash"],
        "version": "1.2.0",
        "locale": "de",
        "theme": {},
        "path": "/reports/7?full=1",
        "hotkeys": [],
    }
    assert frame.evaluate("document.documentElement.lang") == "de"


def test_fetch_reaches_the_handler_with_the_users_token(shown, stage):
    answer = shown.evaluate("""async () => {
      const response = await oriel.fetch('/items/1?a=1&a=2', { method: 'PUT', body: 'hallo',
        headers: { 'x-ext-mode': 'fast', 'x-tenant': 'other' } });
      const headers = ['x-ext-kind', 'x-internal'].map((name) => response.headers.get(name));
      return [response.ok, await response.json(), ...headers];
    }""")
    assert answer == [True, {"method": "PUT", "body": "hallo", "query": "a=1&a=2"}, "echo", None]
    (call,) = stage.calls
    assert call["path"] == "/api/ext/com.acme.reports/items/1"
    assert call["headers"]["authorization"] == "Bearer the-users-token"
    assert call["headers"]["x-ext-mode"] == "fast"
    assert "x-tenant" not in call["headers"]
    assert call["headers"]["content-type"] == "text/plain;charset=UTF-8"


def test_an_answer_without_a_body_is_a_response(shown, stage):
    assert shown.evaluate("oriel.fetch('/empty').then((r) => [r.status, r.body])") == [204, None]


def test_an_expired_token_is_renewed_once(stage, page):
    ui = stage.publish(script=HELLO)
    stage.open(page)
    page.evaluate("(o) => show({...o, getToken: ({fresh}) => fresh ? 'fresh-token' : 'the-users-token'})", ui)
    frame = stage.frame(page)
    assert frame.evaluate("oriel.fetch('/expired').then((r) => r.status)") == 200
    assert [call["headers"]["authorization"] for call in stage.calls] == [
        "Bearer the-users-token",
        "Bearer fresh-token",
    ]


def test_abort_ends_the_call_as_fetch_would(shown, stage):
    name = shown.evaluate("""() => {
      const controller = new AbortController();
      const call = oriel.fetch('/items', { signal: controller.signal });
      controller.abort();
      return call.catch((error) => error.name);
    }""")
    assert name == "AbortError"


def test_abort_in_the_frame_ends_the_request_at_the_server(shown, stage):
    shown.evaluate("""() => {
      window.controller = new AbortController();
      window.call = oriel.fetch('/slow', { signal: controller.signal }).catch((error) => error.name);
    }""")
    eventually(lambda: stage.paths() == ["/api/ext/com.acme.reports/slow"])
    assert shown.evaluate("controller.abort() ?? call") == "AbortError"
    eventually(lambda: stage.paths()[-1].endswith("/slow/left"))


def test_a_call_that_takes_too_long_ends(stage, page):
    frame = stage.show(page, stage.publish(script=HELLO), limits={"timeoutMs": 100})
    assert frame.evaluate("oriel.fetch('/slow').catch((error) => error.code)") == "deadline_exceeded"


def test_a_session_token_is_minted_for_the_extension_and_kept_for_a_while(shown, stage):
    tokens = shown.evaluate("Promise.all([oriel.sessionToken(), oriel.sessionToken()])")
    assert tokens == ["session-1", "session-1"]
    (call,) = stage.calls
    assert (call["method"], call["path"], call["body"]) == (
        "POST",
        "/api/ext-session",
        b'{"extension_id":"com.acme.reports"}',
    )
    assert call["headers"]["authorization"] == "Bearer the-users-token"
    assert shown.evaluate("oriel.sessionToken({ fresh: true })") == "session-2"
    ask = "Promise.all(Array.from({ length: 8 }, () => oriel.sessionToken({ fresh: true }).catch(({ code }) => code)))"
    assert "rate_limited" in shown.evaluate(ask)


def test_a_key_that_the_product_wants_reaches_it_unless_the_app_uses_it(stage, page):
    frame = stage.show(page, stage.publish(script=HELLO), hotkeys=["Mod+k", "Escape", "/"])
    frame.evaluate("""() => {
      const box = document.createElement('input'); box.id = 'box'; document.body.append(box);
      box.addEventListener('keydown', (event) => { if (event.key === 'Escape') event.preventDefault(); });
    }""")
    frame.focus("#box")
    for key in ("/", "Escape", "x", "Control+k"):
        page.keyboard.press(key)
    frame.evaluate("box.blur()")
    page.keyboard.press("/")
    page.wait_for_function("() => events.filter(([type]) => type === 'hotkey').length === 2")
    assert [detail["key"] for name, detail in page.evaluate("events") if name == "hotkey"] == ["Mod+k", "/"]
    assert frame.evaluate("box.value") == "/x"


def test_the_focus_goes_into_the_frame_and_comes_back_after_a_question(stage, page):
    ui = stage.publish({"index.html": GUEST_WITH_MAIN, "app.js": HELLO})
    stage.open(page)
    page.evaluate("(o) => show({...o, onConfirm: () => ask()})", ui)
    frame = stage.frame(page)
    page.evaluate("""() => { window.ask = () => new Promise((resolve) => {
      const dialog = document.createElement('dialog'); dialog.innerHTML = '<button>OK</button>';
      dialog.addEventListener('close', () => { dialog.remove(); resolve(true); });
      document.body.append(dialog); dialog.showModal();
    }); }""")
    page.evaluate("handle.focus()")
    frame.wait_for_function("() => document.activeElement.tagName === 'MAIN'")
    page.keyboard.press("Tab")
    assert frame.evaluate("document.activeElement.id") == "go"
    frame.evaluate("() => { oriel.confirm('Sure?').then((value) => { window.said = value; }); }")
    page.wait_for_selector("dialog")
    page.keyboard.press("Escape")
    frame.wait_for_function("() => window.said === true && document.hasFocus() && document.activeElement.id === 'go'")


def test_navigation_by_the_app_is_told_once_and_by_the_host_reaches_the_app(stage, page):
    frame = stage.show(page, stage.publish(script=HELLO))
    frame.evaluate("oriel.navigate('/a b/ä')")
    page.wait_for_function("() => handle.path === '/a%20b/%C3%A4'")
    page.evaluate("handle.navigate('/c')")
    frame.wait_for_function("() => oriel.path === '/c' && location.hash === '#/c'")
    frame.evaluate("location.hash = '#/d'")
    page.wait_for_function("() => handle.path === '/d'")
    told = [detail for name, detail in page.evaluate("events") if name == "navigate"]
    assert told == [{"path": "/a%20b/%C3%A4", "replace": False}, {"path": "/d", "replace": True}]
    assert frame.evaluate("seen") == ["/a%20b/%C3%A4", "/c", "/d"]


def test_the_frame_follows_its_content_within_bounds(stage, page):
    frame = stage.show(page, stage.publish(script=HELLO), minHeight=100, maxHeight=500)
    height = "document.getElementById('frame').offsetHeight"
    page.wait_for_function(f"() => {height} >= 100")
    frame.evaluate("document.getElementById('out').style.height = '300px'")
    page.wait_for_function(f"() => {height} > 300 && {height} < 400")
    frame.evaluate("document.getElementById('out').style.height = '9000px'")
    page.wait_for_function(f"() => {height} === 504")  # and the default border of 2 px on either side


def test_the_theme_becomes_custom_properties(stage, page):
    theme = {"scheme": "dark", "tokens": {"color-accent": "rgb(1, 2, 3)", "bad name": "x"}}
    frame = stage.show(page, stage.publish(script=HELLO), theme=theme)
    read = "getComputedStyle(document.documentElement).getPropertyValue('--oriel-color-accent')"
    assert frame.evaluate(read) == "rgb(1, 2, 3)"
    assert frame.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.evaluate("handle.setTheme({ tokens: { radius: '1px' } })")
    frame.wait_for_function(f"() => {read} === ''")


def test_toast_and_confirm_are_the_hosts(stage, page):
    ui = stage.publish(script=HELLO)
    stage.open(page)
    page.evaluate("(o) => show({...o, onConfirm: (q) => { window.asked = q.title; return true; }})", ui)
    frame = stage.frame(page)
    assert frame.evaluate("oriel.confirm('Delete it?')") is True
    assert page.evaluate("asked") == "Delete it?"
    frame.evaluate("oriel.toast('Saved', 'success')")
    page.wait_for_function("() => events.some(([type, text]) => type === 'toast' && text === 'Saved')")


def test_without_a_host_dialog_every_question_is_answered_no(shown):
    assert shown.evaluate("oriel.confirm('Delete it?')") is False


def test_another_document_of_the_same_extension_is_handshaken_anew(stage, page):
    files = {
        "index.html": '<!doctype html><body><p id="out"></p><script type="module" src="app.js"></script>',
        "app.js": HELLO,
        "more/second.html": '<!doctype html><body><p id="out">2</p><script type="module" src="../app.js"></script>',
    }
    frame = stage.show(page, stage.publish(files))
    frame.evaluate("location.href = 'more/second.html'")
    page.wait_for_function("() => events.filter(([type]) => type === 'ready').length === 2")
    frame = stage.frame(page)
    frame.wait_for_selector("text=ready")
    assert frame.url.split("#")[0].endswith("/more/second.html")
    assert frame.evaluate("oriel.fetch('/after').then((r) => r.status)") == 200
    assert [name for name, _ in page.evaluate("events") if name in {"ready", "lost", "error"}] == [
        "ready",
        "lost",
        "ready",
    ]


def test_fonts_scripts_styles_and_images_of_its_own_reach_an_opaque_origin(stage, page):
    files = {
        "index.html": '<!doctype html><link rel="stylesheet" href="look.css"><p id="out">x</p><img src="dot.svg">'
        '<script type="module" src="app.js"></script>',
        "look.css": "@font-face { font-family: own; src: url(own.woff2); } #out { font-family: own; }",
        "dot.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>',
        "own.woff2": "no font, but bytes that CORS lets through",
        "part.js": "export const part = 'imported';",
        "app.js": f"""{HELLO} window.part = (await import('./part.js')).part;
            await document.fonts.load('1em own').catch(() => null); window.done = true;""",
    }
    finished = []
    page.on("requestfinished", lambda request: finished.append(request.url.rpartition("/")[2]))
    frame = stage.show(page, stage.publish(files))
    frame.wait_for_function("() => window.done && document.images[0].complete")
    assert {"look.css", "own.woff2", "part.js", "dot.svg"} <= set(finished)
    assert frame.evaluate("getComputedStyle(document.getElementById('out')).fontFamily") == "own"
    assert frame.evaluate("[part, document.images[0].naturalWidth]") == ["imported", 7]


def test_twenty_frames_on_one_page_work(stage, page):
    ui = stage.publish(script=HELLO + "window.answer = (await oriel.fetch('/n')).status;")
    stage.open(page)
    page.evaluate("(o) => Promise.all(Array.from({length: 20}, (_, i) => show(o, 'f' + i)))", ui)
    for number in range(20):
        stage.frame(page, f"#f{number}").wait_for_function("() => window.answer === 200")


def test_destroy_ends_calls_and_unloads_the_frame(stage, page):
    stage.show(page, stage.publish(script=HELLO))
    page.evaluate("handle.destroy()")
    page.wait_for_function("() => !handle.isReady && document.getElementById('frame').contentWindow.length === 0")
    page.wait_for_function("() => events.some(([type]) => type === 'lost')")
    page.wait_for_timeout(0)
    assert stage.frame(page).url in {"about:blank", ""}


def test_a_ui_without_the_library_fails_clearly(stage, page):
    stage.show(page, stage.publish(script="1"), handshakeTimeoutMs=300)
    assert ["error", "handshake_timeout"] in page.evaluate("events")


def test_a_guest_of_another_version_is_refused(stage, page):
    script = """
    const [, nonce] = location.hash.match(/^#oriel:([0-9a-f]+):/);
    addEventListener('message', ({ data }) => { window.told = data; });
    parent.postMessage({ oriel: 'hello', nonce, versions: [99], document: location.pathname }, '*');
    """
    frame = stage.show(page, stage.publish(script=script))
    assert ["error", "version_unsupported"] in page.evaluate("events")
    frame.wait_for_function("() => window.told?.oriel === 'refused' && window.told.versions[0] === 1")


def test_a_ui_opened_on_its_own_says_so(stage, page):
    ui = stage.publish(script=HELLO)
    page.goto(f"{ui['uiOrigin']}/ext-ui/{ui['extensionId']}/{ui['contentHash']}/index.html")
    page.wait_for_function("() => window.oriel !== undefined")
    assert page.evaluate("oriel.ready().catch((error) => error.code)") == "not_embedded"
