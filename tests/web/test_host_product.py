"""The example product: its identity provider by HTTP, and its pages with real frames in a browser."""

import importlib.util
from contextlib import ExitStack
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from oriel.blobs.files import FileBlobs
from oriel.local.ui_origin import create_ui_app
from oriel.ui import ui_blob_key
from oriel.web_library import WebLibrary
from tests.support.axe import violations
from tests.support.browser import keep
from tests.support.serving import Port

SERVER = Path(__file__).parents[2] / "examples" / "host-product" / "server.py"
OWN = {"x-halden-request": "1"}
HEX = "a" * 64
UI = {
    "index.html": '<!doctype html><script type="module" src="app.js"></script><p id="at"></p><p id="answer"></p>',
    "app.js": """
    import { oriel } from '/oriel/guest.js';
    window.oriel = oriel;
    const at = document.getElementById('at');
    oriel.addEventListener('navigate', () => { at.textContent = `at ${oriel.path}`; });
    await oriel.ready();
    at.textContent = `at ${oriel.path}`;
    document.getElementById('answer').textContent = (await (await oriel.fetch('/whoami')).json()).sub;
    """,
}


class Product:
    """The product with an API beside it that believes its tokens and knows one extension, installed for Northwind."""

    def __init__(self, root):
        spec = importlib.util.spec_from_file_location("host_product", SERVER)
        self._module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._module)
        self._blobs = FileBlobs(root)
        self._key = Ed25519PrivateKey.generate()
        self._library = WebLibrary("host")
        for path, text in UI.items():
            self._blobs.put_new(ui_blob_key("com.acme.notes", HEX, path), text.encode())

    def app(self, ui_origin):
        product = self._module.create_app(self._key, ui_origin=ui_origin, issuer="urn:test", key_id="k1")
        routes = [
            Route("/api/v1/menu", self._menu),
            Route("/api/ext/com.acme.notes/whoami", self._whoami),
            Route("/oriel/{name:path}", self._file),
            Mount("/", product),
        ]
        return Starlette(routes=routes)

    def ui(self, ui_origin, origin):
        return create_ui_app(self._blobs, ui_origin=ui_origin, host_origins=[origin])

    def claims(self, token):
        return jwt.decode(token, self._key.public_key(), algorithms=["EdDSA"], audience="oriel", issuer="urn:test")

    async def _menu(self, request: Request) -> Response:
        named = [("com.acme.notes", f"sha256:{HEX}", "Notes"), ("com.acme.gone", "sha256:" + "b" * 64, "Gone")]
        shared = {"hook": "appMenu", "path": "/", "icon": None, "entry": "ui/index.html", "version": "1.0.0"}
        items = [{**shared, "extension_id": id_, "content_hash": hash_, "label": label, "title": label}
                 for id_, hash_, label in named]  # fmt: skip
        tenant = self._claims_of(request)["tenant"]
        return JSONResponse({"items": items if tenant == "northwind" else []})

    async def _whoami(self, request: Request) -> Response:
        return JSONResponse({"sub": self._claims_of(request)["sub"]})

    async def _file(self, request: Request) -> Response:
        return self._library.respond(request, request.path_params["name"])

    def _claims_of(self, request):
        return self.claims(request.headers["authorization"].removeprefix("Bearer "))


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    return Product(tmp_path_factory.mktemp("blobs"))


@pytest.fixture(scope="module")
def origin(product):
    front, ui = Port(), Port()
    with ExitStack() as running:
        running.enter_context(front.serve(product.app(ui.origin)))
        running.enter_context(ui.serve(product.ui(ui.origin, front.origin)))
        yield front.origin


@pytest.fixture
def client(origin):
    with httpx.Client(base_url=origin, trust_env=False) as client:
        yield client


def sign_in(client, user="ada"):
    return client.post("/session", json={"user": user}, headers=OWN)


def test_a_token_tells_who_for_which_customer_in_which_roles_for_five_minutes(client, product):
    assert sign_in(client).status_code == 204
    claims = product.claims(client.post("/session/token", headers=OWN).json()["token"])
    assert (claims["sub"], claims["tenant"], claims["roles"]) == ("ada", "northwind", ["admin", "member"])
    assert (claims["name"], claims["email"]) == ("Ada Lindqvist", "ada@northwind.example")
    assert 0 < claims["exp"] - claims["iat"] <= 300


def test_the_published_key_verifies_the_tokens(client):
    sign_in(client)
    token = client.post("/session/token", headers=OWN).json()["token"]
    published = jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks.json").json())
    key = published[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=["EdDSA"], audience="oriel")["sub"] == "ada"


@pytest.mark.parametrize(
    "headers", [{}, {**OWN, "sec-fetch-site": "cross-site"}, {**OWN, "sec-fetch-site": "same-site"}]
)
def test_another_sites_page_gets_no_token_and_signs_nobody_in(client, headers):
    sign_in(client)
    assert client.post("/session/token", headers=headers).status_code == 403
    assert client.post("/session", json={"user": "chen"}, headers=headers).status_code == 403


def test_without_a_session_there_is_no_token(client):
    assert client.post("/session/token", headers=OWN).status_code == 401
    client.cookies.set("halden-session", jwt.encode({"sub": "ada"}, "0" * 32, algorithm="HS256"))
    assert client.post("/session/token", headers=OWN).status_code == 401


def test_the_session_cookie_is_for_this_site_and_not_for_scripts(client):
    cookie = sign_in(client).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_pages_let_frames_go_to_the_ui_origin_only(client):
    policy = client.get("/").headers["content-security-policy"]
    assert "frame-src http://127.0.0.1:" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.fixture
def signed_in(page, origin):
    page.goto(origin)
    page.click("text=Ada Lindqvist")
    page.wait_for_selector("text=Latest orders")
    return page


def ui_of(page):
    return page.frame_locator("oriel-extension iframe")


@pytest.mark.browser
def test_an_extension_appears_in_the_menu_and_answers_as_the_user(signed_in):
    signed_in.click("nav >> text=Notes")
    ui_of(signed_in).locator("text=ada").wait_for()


@pytest.mark.browser
def test_a_deep_link_survives_reload_and_back_works(signed_in):
    signed_in.click("nav >> text=Notes")
    ui_of(signed_in).locator("text=ada").wait_for()
    frame = signed_in.query_selector("oriel-extension iframe").content_frame()
    frame.evaluate("oriel.navigate('/notes/7')")
    signed_in.wait_for_url("**/apps/com.acme.notes/notes/7")
    signed_in.reload()
    ui_of(signed_in).locator("text=at /notes/7").wait_for()
    signed_in.go_back()
    ui_of(signed_in).locator("text=at /").wait_for()
    signed_in.wait_for_url("**/apps/com.acme.notes/")


@pytest.mark.browser
def test_another_customer_does_not_see_the_extension(signed_in):
    signed_in.click("summary")
    signed_in.click("text=Mona Okafor")
    signed_in.wait_for_selector("text=Contoso Instruments, this month")
    assert signed_in.locator("nav >> text=Notes").count() == 0
    signed_in.goto(signed_in.url + "apps/com.acme.notes/")
    signed_in.wait_for_selector("text=This extension is not installed.")


@pytest.mark.browser
def test_a_question_is_asked_in_a_dialog_of_the_product_that_names_the_asker(signed_in):
    signed_in.click("nav >> text=Notes")
    ui_of(signed_in).locator("text=ada").wait_for()
    frame = signed_in.query_selector("oriel-extension iframe").content_frame()
    frame.evaluate(
        "() => { oriel.confirm({ title: 'Delete?', danger: true }).then((said) => { window.said = said; }); }"
    )
    signed_in.wait_for_selector("dialog >> text=Notes asks")
    assert signed_in.evaluate("document.activeElement.value") == "no"
    signed_in.keyboard.press("Escape")
    frame.wait_for_function("() => window.said === false")


@pytest.mark.browser
def test_a_key_leads_from_within_an_extension_to_the_menu(signed_in):
    signed_in.click("nav >> text=Notes")
    ui_of(signed_in).locator("text=ada").click()
    signed_in.keyboard.press("Control+k")
    signed_in.wait_for_function("() => document.activeElement.textContent.includes('Notes')")


@pytest.mark.browser
def test_the_theme_of_the_product_reaches_the_frame(signed_in):
    signed_in.click("nav >> text=Notes")
    ui_of(signed_in).locator("text=ada").wait_for()
    frame = signed_in.query_selector("oriel-extension iframe").content_frame()
    before = frame.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--oriel-color-accent')")
    signed_in.click("text=Light or dark")
    frame.wait_for_function(
        "(before) => getComputedStyle(document.documentElement).getPropertyValue('--oriel-color-accent') !== before",
        arg=before,
    )


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_products_pages_in_its_dialogs_and_cards(page, origin, scheme):
    page.emulate_media(color_scheme=scheme)
    found = {}

    def look(place):
        keep(page, "product", place, scheme)
        found[place] = violations(page)

    page.goto(origin)
    page.wait_for_selector("text=Who is working?")
    look("sign in")
    page.click("text=Ada Lindqvist")
    page.wait_for_selector("text=Latest orders")
    look("overview")
    page.click("nav >> text=Notes")
    ui_of(page).locator("text=ada").wait_for()
    frame = page.query_selector("oriel-extension iframe").content_frame()
    frame.evaluate("() => { oriel.toast('Saved', 'warning'); oriel.confirm({ title: 'Delete?', danger: true }); }")
    page.wait_for_selector("dialog >> text=Notes asks")
    look("dialog and toast")
    page.keyboard.press("Escape")
    page.goto(f"{origin}/apps/com.acme.unknown/")
    page.wait_for_selector("text=This extension cannot be shown")
    look("card")
    assert {place: broken for place, broken in found.items() if broken} == {}


@pytest.mark.browser
def test_an_extension_that_does_not_load_gets_a_card_with_a_way_to_try_again(signed_in):
    signed_in.clock.install()
    signed_in.click("nav >> text=Gone")
    signed_in.wait_for_selector("oriel-extension iframe", state="attached")
    signed_in.clock.fast_forward(11_000)
    signed_in.wait_for_selector("text=This extension cannot be shown")
    signed_in.click("text=Try again")
    signed_in.wait_for_selector("text=This extension cannot be shown", state="detached")
