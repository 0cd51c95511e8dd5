"""Frames that really try: each test is an extension, or a neighbour of one, that means harm."""

import json

import pytest

pytestmark = pytest.mark.browser

# Speaks the protocol by hand, so that it can also speak it wrongly.
BY_HAND = """
window.got = [];
const take = () => location.hash.match(/^#oriel:([0-9a-f]+):/)?.[1];
window.nonce = take();
window.hello = (nonce, more = {}) =>
  parent.postMessage({ oriel: 'hello', nonce, versions: [1], document: location.pathname, ...more }, '*');
window.connect = (nonce = window.nonce) => new Promise((resolve) => {
  addEventListener('message', ({ data, ports }) => {
    if (data.oriel !== 'port') return;
    window.port = ports[0];
    port.onmessage = ({ data }) => { got.push(data); if (data.type === 'init') resolve(data); };
    port.postMessage({ type: 'accept', nonce });
  }, { once: true });
  hello(nonce);
});
window.ask = (path, more = {}) => new Promise((resolve) => {
  const id = 1 + got.length + Math.floor(Math.random() * 1e9);
  port.addEventListener('message', ({ data }) => { if (data.id === id) resolve(data.code ?? data.status); });
  port.postMessage({ type: 'request', id, method: 'GET', path, headers: [], body: null, ...more });
});
"""
KNOCK_BURST, KNOCKS_PER_SECOND = 6, 0.5  # as web/host/handshake.js has them


@pytest.fixture(scope="module")
def caller(raised, profile):
    """A frame that holds its port and uses it by hand: one for all tests that leave it as it is."""
    return raised.show(profile.new_page(), raised.publish(script=BY_HAND + "await connect();"))


def hasten(page):
    """What is waited for from now on is waited for a moment only."""
    page.evaluate("handle._handshake._options.timeoutMs = 400")


def is_ready(page):
    return page.evaluate("handle.isReady")


def test_a_forged_nonce_gets_no_port(stage, page):
    forged = "hello('0'.repeat(32)); hello(nonce.replace(/./, '')); hello('__proto__'); window.tried = true;"
    frame = stage.begin(page, stage.publish(script=BY_HAND + forged))
    stage.tried(page, frame)
    assert not is_ready(page)
    frame.evaluate("connect()")  # the true one is still good
    assert is_ready(page)


def test_a_port_is_inert_until_the_nonce_comes_back_over_it(stage, page):
    script = """
    addEventListener('message', ({ ports }) => {
      window.port = ports[0];
      port.onmessage = ({ data }) => got.push(data);
      port.postMessage({ type: 'accept', nonce: 'x' });
      port.postMessage({ type: 'request', id: 1, method: 'GET', path: '/a', headers: [], body: null });
      window.tried = true;
    });
    hello(nonce);
    """
    frame = stage.begin(page, stage.publish(script=BY_HAND + script))
    stage.tried(page, frame)
    page.wait_for_timeout(200)  # the port has a queue of its own
    assert not is_ready(page)
    assert frame.evaluate("got") == []
    assert stage.calls == []


def test_calls_before_the_handshake_are_not_heard(stage, page):
    script = """
    const call = { type: 'request', id: 1, method: 'GET', path: '/a', headers: [], body: null };
    parent.postMessage(call, '*');
    parent.postMessage({ oriel: 'request', ...call }, '*');
    await connect();
    """
    stage.show(page, stage.publish(script=BY_HAND + script))
    assert is_ready(page)
    assert stage.calls == []


def test_a_nonce_is_good_for_one_port(stage, page):
    frame = stage.show(page, stage.publish(script=BY_HAND + "await connect();"))
    frame.evaluate("addEventListener('message', () => { window.second = true; }); hello(nonce)")
    assert frame.evaluate("ask('/a')") == 200  # the port answers after the window would have
    assert frame.evaluate("window.second") is None
    assert frame.evaluate("got.filter(({ type }) => type === 'init').length") == 1


def test_another_window_cannot_speak_for_the_frame(stage, page):
    """The host page opens a second frame of another extension, which knows the first one's nonce and says hello."""
    victim = stage.publish(script=BY_HAND)
    thief = stage.publish(script=BY_HAND + "onhashchange = () => hello(nonce);", extension_id="com.evil.thief")
    stage.open(page)
    page.evaluate("(o) => { show(o, 'victim'); }", victim)
    frame = stage.frame(page, "#victim")
    frame.wait_for_function("() => window.nonce")
    nonce = frame.evaluate("nonce")
    page.evaluate("(o) => { window.first = handle; show(o, 'thief'); }", thief)
    other = stage.frame(page, "#thief")
    other.wait_for_function("() => window.nonce")
    other.evaluate(
        "(nonce) => { addEventListener('message', () => { window.got.push(1); }); hello(nonce); connect(nonce); "
        "window.tried = true; }",
        nonce,
    )
    stage.tried(page, other)
    assert other.evaluate("got") == []
    assert page.evaluate("first.isReady || handle.isReady") is False


def test_a_nested_frame_cannot_be_opened(stage, page):
    script = f"""
    import {{ oriel }} from '/oriel/guest.js'; await oriel.ready();
    for (const src of ['{stage.elsewhere}/', location.href, 'data:text/html,x', 'blob:null/x']) {{
      const nested = document.createElement('iframe'); nested.src = src; document.body.append(nested);
    }}
    window.violations = [];
    addEventListener('securitypolicyviolation', ({{ effectiveDirective }}) => violations.push(effectiveDirective));
    """
    frame = stage.show(page, stage.publish(script=script))
    frame.wait_for_function("() => violations.filter((name) => name === 'frame-src').length >= 3")


def test_a_srcdoc_frame_inside_cannot_run_or_speak_for_the_extension(stage, page):
    script = (
        BY_HAND
        + """
    const nested = document.createElement('iframe');
    const stolen = `{ oriel: 'hello', nonce: '${nonce}', versions: [1], document: '/' }`;
    nested.srcdoc = `<script>top.postMessage(${stolen}, '*')</script>`;
    nested.onload = () => { window.tried = true; };
    document.body.append(nested);
    """
    )
    stage.tried(page, stage.begin(page, stage.publish(script=script)))
    assert not is_ready(page)


def test_a_document_elsewhere_gets_nothing_after_the_frame_navigated_there(stage, page):
    frame = stage.show(page, stage.publish(script=BY_HAND + "await connect();"))
    hasten(page)
    frame.evaluate(f"location.href = '{stage.elsewhere}/'")
    page.wait_for_function("() => events.some(([type]) => type === 'lost')")
    page.wait_for_function("() => events.some(([, detail]) => detail === 'handshake_timeout')")
    assert not is_ready(page)
    assert stage.frame(page).title() == ""


def test_a_document_elsewhere_is_navigated_back_before_it_gets_a_nonce(stage, page):
    """It claims to be a document of the extension: the nonce goes to that URL, not to who asked."""
    ui = stage.publish(script=BY_HAND + "window.home = true;")
    frame = stage.begin(page, ui)
    frame.wait_for_function("() => window.home === true")
    claim = f"/ext-ui/{ui['extensionId']}/{ui['contentHash']}/index.html"
    frame.evaluate(f"location.href = '{stage.elsewhere}/'")
    frame.wait_for_url(f"{stage.elsewhere}/")
    stage.frame(page).evaluate(
        "(document) => parent.postMessage({ oriel: 'hello', nonce: '', versions: [1], document }, '*')", claim
    )
    page.wait_for_function("() => document.getElementById('frame').contentWindow !== null")
    stage.frame(page).wait_for_function("() => window.home === true")
    assert stage.frame(page).url.startswith(ui["uiOrigin"] + claim)


def test_a_product_with_frame_src_keeps_the_frame_at_the_ui_origin(stage, page):
    stage.open(page, "/strict-host")
    page.evaluate("(o) => show(o)", stage.publish(script=BY_HAND + "await connect();"))
    stage.frame(page).evaluate(f"location.href = '{stage.elsewhere}/?stolen'")
    page.wait_for_function("() => events.some(([type]) => type === 'lost')")
    assert "stolen" not in stage.frame(page).url or stage.frame(page).url.startswith("chrome-error:")


def test_another_extensions_ui_refuses_to_work_in_this_frame(stage, page):
    """The frame navigates itself to a neighbour's UI and gives it the nonce, to make it talk to its own handler."""
    neighbour = stage.publish(
        script="import { oriel } from '/oriel/guest.js'; oriel.ready().catch(({ code }) => { window.code = code; });",
        extension_id="com.good.neighbour",
    )
    url = f"{neighbour['uiOrigin']}/ext-ui/{neighbour['extensionId']}/{neighbour['contentHash']}/index.html"
    evil = stage.publish(script=f"location.href = '{url}' + location.hash;", extension_id="com.evil.thief")
    stage.open(page)
    page.evaluate("(o) => { show(o); }", evil)
    page.wait_for_function("() => events.some(([type]) => type === 'ready')")
    stage.frame(page).wait_for_function("() => window.code === 'wrong_host'")


def test_proto_and_malformed_messages_change_nothing(stage, page):
    script = """
    await connect();
    const bad = [null, 1, 'x', [], {}, { type: '__proto__' }, { type: 'constructor' }, { type: 'toString' },
      JSON.parse('{"__proto__": {"type": "resize", "height": 5000}}'),
      JSON.parse('{"type": "resize", "height": 10, "__proto__": {"polluted": true}}'),
      { type: 'resize', height: NaN }, { type: 'resize', height: -1 }, { type: 'resize', height: '500' },
      { type: 'resize', height: Infinity }, { type: 'navigate', path: {}, replace: false },
      { type: 'navigate', path: '/../admin', replace: true }, { type: 'navigate', path: '//evil', replace: true },
      { type: 'navigate', path: 'javascript:alert(1)//', replace: true },
      { type: 'request', id: '1', method: 'GET', path: '/a', headers: [], body: null },
      { type: 'request', id: 2, method: 'GET', path: '/a', headers: { length: 1 }, body: null },
      { type: 'request', id: 3, method: 'GET', path: '/a', headers: [['a']], body: null },
      { type: 'request', id: 4, method: 'GET', path: ['/a'], headers: [], body: null },
      { type: 'request', id: 5, method: 'GET', path: '/a', headers: [], body: 'text' },
      { type: 'toast', message: 'x', kind: '<b>' }, { type: 'toast', message: 'x'.repeat(501), kind: 'info' }];
    for (const message of bad) port.postMessage(message);
    """
    frame = stage.show(page, stage.publish(script=BY_HAND + script))
    assert frame.evaluate("ask('/sentinel')") == 200
    assert stage.paths() == ["/api/ext/com.acme.reports/sentinel"]
    assert page.evaluate("[{}.polluted, Object.prototype.type, handle.path]") == [None, None, "/"]
    told = [name for name, _ in page.evaluate("events")]
    assert told == ["ready", "resize"]


def test_a_flood_is_cut_off(stage, page):
    script = "await connect(); for (let i = 0; i < 4000; i++) port.postMessage({ type: 'resize', height: i });"
    stage.show(page, stage.publish(script=BY_HAND + script))
    page.wait_for_function("() => events.some(([, detail]) => detail === 'flooded')")
    assert not is_ready(page)


def test_knocking_by_the_thousand_is_answered_a_few_times(stage, page):
    script = """
    window.nonces = 0;
    onhashchange = () => { nonces += 1; };
    const knock = () => { for (let i = 0; i < 500; i++) hello(''); };
    addEventListener('load', () => setTimeout(knock, 50));
    let rounds = 0;
    const timer = setInterval(() => {
      knock();
      if ((rounds += 1) < 4) return;
      clearInterval(timer);
      window.tried = true;
    }, 100);
    """
    frame = stage.begin(page, stage.publish(script=BY_HAND + script))
    stage.tried(page, frame)
    answered, seconds = frame.evaluate("nonces"), page.evaluate("performance.now() / 1000")
    assert 1 <= answered <= KNOCK_BURST + KNOCKS_PER_SECOND * seconds


def test_calls_by_the_hundred_are_limited(stage, page):
    limits = {"perSecond": 1, "burst": 10, "concurrent": 2, "queued": 4}
    frame = stage.show(page, stage.publish(script=BY_HAND + "await connect();"), limits=limits)
    codes = frame.evaluate("Promise.all(Array.from({ length: 40 }, (_, i) => ask('/n/' + i)))")
    assert len(stage.calls) <= 10
    assert {"rate_limited", "overloaded"} <= set(codes)
    assert codes.count(200) == len(stage.calls)


@pytest.mark.parametrize(
    "path",
    [
        "/../secret",
        "/../../secret",
        "..",
        "/a/../../../secret",
        "/%2e%2e/secret",
        "/%2E%2E/secret",
        "/.%2e/secret",
        "/%252e%252e/secret",
        "/..%2fsecret",
        "/..%5csecret",
        "/..\\secret",
        "\\..\\secret",
        "/%c0%ae%c0%ae/secret",
        "/%e0%80%ae/secret",
        "/..;/secret",
        "/a;b/secret",
        "/\uff0e\uff0e/secret",
        "/a%00b",
        "/a\u0000b",
        "/a\tb",
        "/a\r\nb",
        "//evil.example/secret",
        "/a//b",
        "/.well-known/x",
        "/%2fsecret",
        "/a%2f..%2fsecret",
        "/" + "a" * 1025,
        "/" + "a/" * 100,
        "/a#b",
        "/a?x=\\",
        "/\ud800",
    ],
)
def test_the_proxy_refuses_the_path(caller, stage, path):
    assert caller.evaluate("(path) => ask(path)", path) == "invalid_path"
    assert stage.calls == []


@pytest.mark.parametrize("path", ["http://evil.example/secret", "javascript:alert(1)", "@evil.example", "?/../secret"])
def test_a_path_that_looks_like_a_url_stays_inside(caller, stage, path):
    caller.evaluate("(path) => ask(path)", path)
    assert all(called.startswith("/api/ext/com.acme.reports/") for called in stage.paths())


def test_a_redirect_is_not_followed(caller, stage):
    assert caller.evaluate("ask('/redirect')") == "unavailable"
    assert stage.paths() == ["/api/ext/com.acme.reports/redirect"]


def test_methods_and_headers_outside_the_list_do_not_pass(caller, stage):
    assert caller.evaluate("ask('/a', { method: 'CONNECT' })") == "method_not_allowed"
    assert caller.evaluate("ask('/a', { method: 'get' })") == "method_not_allowed"
    headers = [
        ["Authorization", "Bearer mine"],
        ["cookie", "a=b"],
        ["x-tenant-id", "t"],
        ["X-Ext-Ok", "1"],
        ["host", "x"],
    ]
    assert caller.evaluate("(headers) => ask('/a', { headers })", headers) == 200
    sent = stage.calls[0]["headers"]
    assert sent["authorization"] == "Bearer the-users-token"
    assert sent["x-ext-ok"] == "1"
    assert "cookie" not in sent
    assert "x-tenant-id" not in sent


def test_header_values_with_line_breaks_are_refused(caller, stage):
    code = caller.evaluate("ask('/a', { headers: [['x-ext-a', 'b\\r\\nauthorization: Bearer mine']] })")
    assert code == "malformed_request"
    assert stage.calls == []


def test_bodies_over_the_limits_are_refused_both_ways(stage, page):
    limits = {"requestBytes": 1000, "responseBytes": 1000}
    frame = stage.show(page, stage.publish(script=BY_HAND + "await connect();"), limits=limits)
    assert frame.evaluate("ask('/a', { method: 'POST', body: new ArrayBuffer(1001) })") == "body_too_large"
    assert stage.calls == []
    assert frame.evaluate("ask('/large')") == "output_too_large"


def test_set_cookie_and_inner_headers_do_not_come_back(caller, stage):
    assert caller.evaluate("ask('/a')") == 200
    names = caller.evaluate("got.findLast(({ type }) => type === 'response').headers.map(([name]) => name)")
    assert set(names) <= {"content-type", "x-ext-kind"}


def test_the_users_token_and_its_page_are_out_of_reach(caller):
    reach = """() => {
      const attempt = (act) => { try { return String(act()); } catch (error) { return error.name; } };
      return {
        dom: attempt(() => parent.document.title),
        token: attempt(() => parent.handle._proxy._getToken()),
        cookies: attempt(() => document.cookie),
        local: attempt(() => localStorage.length),
        session: attempt(() => sessionStorage.length),
        indexed: attempt(() => indexedDB.open('x').readyState),
        frameElement: attempt(() => frameElement === null),
        origin: self.origin,
      };
    }"""
    assert caller.evaluate(reach) == {
        "dom": "SecurityError",
        "token": "SecurityError",
        "cookies": "SecurityError",
        "local": "SecurityError",
        "session": "SecurityError",
        "indexed": "SecurityError",
        "frameElement": "true",
        "origin": "null",
    }


def test_the_top_window_cannot_be_navigated(caller, stage):
    attempt = "(url) => { try { top.location = url; } catch (error) { return error.name; } return 'no error'; }"
    assert caller.evaluate(attempt, f"{stage.elsewhere}/") == "SecurityError"
    assert caller.page.url == f"{stage.origin}/host"


def test_popups_modals_and_downloads_do_nothing(caller):
    before = list(caller.page.context.pages)
    assert caller.evaluate("[window.open('about:blank'), confirm('x'), prompt('x')]") == [None, False, None]
    caller.evaluate(
        "() => { const a = document.createElement('a'); a.href = 'about:blank'; a.target = '_blank'; a.click(); }"
    )
    assert caller.evaluate("ask('/a')") == 200
    assert caller.page.context.pages == before


def test_nothing_can_be_sent_out(caller, stage):
    attempts = """async (elsewhere) => {
      window.violated = new Set();
      addEventListener('securitypolicyviolation', ({ effectiveDirective }) => violated.add(effectiveDirective));
      const out = [];
      for (const url of [elsewhere, location.origin, new URL(location.href).origin])
        out.push(await fetch(url + '/x').then(() => 'sent', () => 'blocked'));
      navigator.sendBeacon(elsewhere + '/x');
      new Image().src = elsewhere + '/x';
      const form = document.createElement('form'); form.action = elsewhere; document.body.append(form); form.submit();
      try { new Worker('data:text/javascript,1'); } catch {}
      return out;
    }"""
    assert caller.evaluate(attempts, stage.elsewhere) == ["blocked"] * 3
    directives = ["connect-src", "form-action", "img-src", "worker-src"]
    caller.wait_for_function("(all) => all.every((one) => violated.has(one))", arg=directives)  # told in their own time


def test_inline_scripts_and_eval_do_not_run(stage, page):
    files = {
        "index.html": "<!doctype html><body onload='window.inline=1'><script>window.inline=1</script>"
        "<script type='module' src='app.js'></script>",
        "app.js": BY_HAND + "try { eval('window.inline = 1'); } catch { window.refused = true; } await connect();",
    }
    frame = stage.show(page, stage.publish(files))
    assert frame.evaluate("[window.inline, window.refused]") == [None, True]


def test_a_stranger_cannot_frame_a_ui(stage, page):
    ui = stage.publish(script=BY_HAND)
    url = f"{ui['uiOrigin']}/ext-ui/{ui['extensionId']}/{ui['contentHash']}/index.html"
    violations = []
    page.on("console", lambda message: violations.append(message.text))
    page.goto(f"{stage.elsewhere}/?frame={url}")
    page.wait_for_function("() => frames.length === 1")
    frame = page.query_selector("iframe").content_frame()
    frame.wait_for_load_state()
    assert frame.url.startswith("chrome-error:")
    assert any("frame-ancestors" in text for text in violations)


def test_a_ui_at_the_top_level_is_opaque_too(stage, page):
    ui = stage.publish(script="window.ran = true;")
    page.goto(f"{ui['uiOrigin']}/ext-ui/{ui['extensionId']}/{ui['contentHash']}/index.html")
    page.wait_for_function("() => window.ran === true")
    assert page.evaluate("self.origin") == "null"


def test_the_sandbox_is_set_whatever_the_iframe_came_with(stage, page):
    ui = stage.publish(script=BY_HAND + "await connect();")
    stage.open(page)
    page.evaluate(
        """(o) => {
      const iframe = document.createElement('iframe');
      iframe.id = 'loose'; iframe.setAttribute('sandbox', 'allow-same-origin allow-scripts allow-top-navigation');
      iframe.setAttribute('allow', 'camera *'); document.body.append(iframe);
      oriel.bootstrapIframe(iframe, { ...o, getToken: () => '' });
    }""",
        ui,
    )
    stage.frame(page, "#loose").wait_for_function("() => window.got?.length === 1")
    attributes = page.evaluate(
        "(({ sandbox, allow, referrerPolicy }) => [sandbox.value, allow, referrerPolicy])(loose)"
    )
    assert attributes == ["allow-scripts allow-forms", "", "no-referrer"]
    assert stage.frame(page, "#loose").evaluate("self.origin") == "null"


def test_a_port_passed_on_dies_with_the_document(stage, page):
    """The frame posts its port to the host's window, which takes none, and then leaves."""
    frame = stage.show(page, stage.publish(script=BY_HAND + "await connect();"))
    hasten(page)
    page.evaluate("addEventListener('message', ({ ports }) => { if (ports[0]) window.passed = ports[0]; })")
    frame.evaluate("parent.postMessage({ oriel: 'hello', nonce: '' }, '*', [port])")
    page.wait_for_function("() => window.passed")
    frame.evaluate(f"location.href = '{stage.elsewhere}/'")
    page.wait_for_function("() => events.some(([type]) => type === 'lost')")
    page.evaluate("passed.postMessage({type: 'request', id: 9, method: 'GET', path: '/a', headers: [], body: null})")
    page.wait_for_function("() => events.some(([, detail]) => detail === 'handshake_timeout')")
    assert stage.calls == []


def test_an_origin_that_the_child_chooses_changes_nothing(stage, page):
    """It names itself another parent and another API, in its URL, in its greeting and in its calls."""
    names = ("parentOrigin", "targetOrigin", "origin", "apiOrigin")
    script = f"{BY_HAND} window.chosen = {json.dumps(dict.fromkeys(names, stage.elsewhere))};"
    script = script.replace("hello(nonce);", "hello(nonce, window.chosen);")
    frame = stage.show(page, stage.publish(script=script + "await connect();"))
    assert is_ready(page)
    assert frame.evaluate("ask('/a', chosen)") == 200
    assert frame.evaluate("ask('/a?parentOrigin=' + encodeURIComponent(chosen.origin), chosen)") == 200
    assert set(stage.paths()) == {"/api/ext/com.acme.reports/a"}
    assert stage.elsewhere not in str(frame.evaluate("got"))


def test_a_frame_of_the_frames_own_neighbour_cannot_answer_for_the_host(stage, page):
    """The guest takes a port from its parent alone: a sibling that knows its window sends one in vain."""
    victim = stage.publish(
        script="import { oriel } from '/oriel/guest.js'; window.oriel = oriel; window.at = await oriel.ready();"
    )
    evil = stage.publish(
        script=BY_HAND
        + """
    await connect();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => got.push(['stolen', data]);
    parent.frames[0].postMessage({ oriel: 'port' }, '*', [port2]);
    """,
        extension_id="com.evil.thief",
    )
    stage.open(page)
    page.evaluate("(o) => show(o, 'victim')", victim)
    stage.frame(page, "#victim").wait_for_function("() => window.at")
    page.evaluate("(o) => show(o, 'thief')", evil)
    assert stage.frame(page, "#victim").evaluate("oriel.fetch('/a').then(({ status }) => status)") == 200
    assert stage.frame(page, "#thief").evaluate("got.filter(Array.isArray)") == []


def test_an_svg_opened_on_its_own_is_opaque_and_runs_nothing_inline(stage, page):
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>window.ran = true</script><text>x</text></svg>'
    ui = stage.publish({"index.html": "x", "icon.svg": svg})
    page.goto(f"{ui['uiOrigin']}/ext-ui/{ui['extensionId']}/{ui['contentHash']}/icon.svg")
    assert page.evaluate("[self.origin, window.ran ?? null]") == ["null", None]
