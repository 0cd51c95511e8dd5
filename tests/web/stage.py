"""A product with frames in it: two real origins, extensions made of strings, and an API that remembers its calls."""

import hashlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from oriel.blobs.files import FileBlobs
from oriel.local.ui_origin import create_ui_app
from oriel.ui import ui_blob_key
from oriel.web_library import WebLibrary
from tests.support.serving import Port

ACME = "com.acme.reports"
TOKEN = "the-users-token"
GUEST_PAGE = '<!doctype html><title>guest</title><body><p id="out"></p><script type="module" src="app.js"></script>'
HOST_PAGE = """<!doctype html><title>host</title><link rel="icon" href="data:,"><body><script type="module">
window.oriel = await import('/oriel/host.js');
window.events = [];
window.show = async (options, id = 'frame') => {
  const iframe = document.createElement('iframe');
  iframe.id = id;
  document.body.append(iframe);
  const handle = oriel.bootstrapIframe(iframe, { getToken: () => 'the-users-token', handshakeTimeoutMs: 30_000,
    onToast: (toast) => events.push(['toast', toast.message]), ...options });
  for (const type of ['ready', 'lost', 'error', 'navigate', 'resize', 'hotkey'])
    handle.addEventListener(type, (event) => events.push([type, event.detail?.code ?? event.detail]));
  window.handle = handle;
  await new Promise((settle) => { for (const type of ['ready', 'error']) handle.addEventListener(type, settle); });
};
document.documentElement.dataset.loaded = '';
</script>"""


@dataclass
class Stage:
    """What a test has at hand. `calls` are those that reached the API: method, raw path, query, headers, body."""

    origin: str
    ui_origin: str
    elsewhere: str
    blobs: FileBlobs
    calls: list = field(default_factory=list)

    def publish(self, files=None, *, script="", extension_id=ACME):
        """An extension's UI from `files`, or from the script of its one page; what `show()` needs to show it."""
        files = files or {"index.html": GUEST_PAGE, "app.js": script}
        digest = hashlib.sha256(repr((extension_id, sorted(files.items()))).encode()).hexdigest()
        for path, text in files.items():
            self.blobs.put_new(ui_blob_key(extension_id, digest, path), text.encode())
        return {"uiOrigin": self.ui_origin, "extensionId": extension_id, "contentHash": f"sha256:{digest}"}

    def open(self, page, path="/host"):
        """The host page, with the library loaded."""
        page.goto(self.origin + path)
        page.wait_for_function("() => 'loaded' in document.documentElement.dataset")

    def show(self, page, options, **more):
        """Show an extension and wait for it to be ready, or to fail; gives its frame."""
        self.open(page)
        page.evaluate("(options) => show(options)", {**options, **more})
        return self.frame(page)

    def begin(self, page, options, **more):
        """Show an extension that will not become ready; gives its frame at once."""
        self.open(page)
        page.evaluate("(options) => { show(options); }", {**options, **more})
        return self.frame(page)

    def tried(self, page, frame, done="() => window.tried"):
        """Wait until the frame has done what it is there for, and the host has heard all of it."""
        page.evaluate("""() => { window.heard = new Promise((settle) => {
          addEventListener('message', ({ data }) => { if (data === 'tried') settle(); });
        }); }""")
        frame.wait_for_function(done)
        frame.evaluate("parent.postMessage('tried', '*')")
        page.evaluate("heard")

    def frame(self, page, selector="#frame"):
        return page.query_selector(selector).content_frame()

    def paths(self):
        return [call["path"] for call in self.calls]


@contextmanager
def raised_stage(root):
    """A stage with its servers running."""
    product, ui, elsewhere = Port(), Port(), Port()
    stage = Stage(product.origin, ui.origin, elsewhere.origin, FileBlobs(root))
    with ExitStack() as running:
        running.enter_context(product.serve(_product(stage)))
        running.enter_context(ui.serve(create_ui_app(stage.blobs, ui_origin=ui.origin, host_origins=[product.origin])))
        running.enter_context(elsewhere.serve(_elsewhere()))
        yield stage


async def _recorded(stage, request):
    path = request.scope["raw_path"].decode()
    call = {"method": request.method, "path": path, "query": request.url.query, "headers": dict(request.headers)}
    stage.calls.append({**call, "body": await request.body()})
    return stage.calls[-1]


async def _echo(_stage, request, call):
    headers = {"x-ext-kind": "echo", "x-internal": "no", "set-cookie": "a=b"}
    return JSONResponse({"method": call["method"], "body": call["body"].decode(), "query": call["query"]}, 200, headers)


async def _session(stage, _request, _call):
    return JSONResponse({"token": f"session-{len(stage.calls)}", "expires_at": 1_795_000_000_000})


async def _slow(stage, request, call):
    """Answers nothing; tells when the caller has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    stage.calls.append({**call, "path": f"{call['path']}/left"})
    return Response()


async def _expired(stage, request, call):
    if call["headers"]["authorization"] == f"Bearer {TOKEN}":
        return JSONResponse({"code": "token_expired"}, 401)
    return await _echo(stage, request, call)


def _always(make):
    async def answer(_stage, _request, _call):
        return make()

    return answer


ANSWERS = {
    "ext-session": _session,
    "slow": _slow,
    "expired": _expired,
    "redirect": _always(lambda: RedirectResponse("/secret")),
    "large": _always(lambda: PlainTextResponse("x" * 200_000)),
    "refused": _always(lambda: JSONResponse({"code": "invalid"}, 422)),
    "empty": _always(lambda: Response(status_code=204)),
}


def _product(stage):
    library = WebLibrary("host")

    async def api(request: Request) -> Response:
        call = await _recorded(stage, request)
        answer = ANSWERS.get(call["path"].rpartition("/")[2], _echo)
        return await answer(stage, request, call)

    async def file(request: Request) -> Response:
        return library.respond(request, request.path_params["name"])

    async def host(_request: Request) -> Response:
        return HTMLResponse(HOST_PAGE)

    async def strict_host(_request: Request) -> Response:
        return HTMLResponse(HOST_PAGE, headers={"content-security-policy": f"frame-src {stage.ui_origin}"})

    routes = [
        Route("/host", host),
        Route("/strict-host", strict_host),
        Route("/oriel/{name:path}", file),
        Route("/{rest:path}", api, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
    ]
    return Starlette(routes=routes)


def _elsewhere():
    """Somebody else's site: it frames what it is told to, and greets whoever frames it as a guest would."""
    page = """<!doctype html><body><script>
    const framed = new URLSearchParams(location.search).get('frame');
    if (framed) { const frame = document.createElement('iframe'); frame.src = framed; document.body.append(frame); }
    addEventListener('message', ({ ports }) => { if (ports.length) document.title = 'got a port'; });
    setInterval(() => parent.postMessage({ oriel: 'hello', nonce: '', versions: [1], document: '/' }, '*'), 50);
    </script>"""

    async def answer(_request: Request) -> Response:
        return HTMLResponse(page)

    return Starlette(routes=[Route("/{rest:path}", answer)])
