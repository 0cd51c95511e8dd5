"""The console in a real browser, on a real platform: what administrators and operators do with it."""

import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oriel.local import LocalPlatform
from tests.guests import hostile
from tests.support import platform as support
from tests.support.axe import violations
from tests.support.serving import Port
from tests.web.provider import CLIENT, Provider

pytestmark = pytest.mark.browser

CLAIMS = "com.acme.claims"
ASKS = [
    {"name": "storage.kv", "purpose": "Keeps the claims."},
    {"name": "http.fetch", "purpose": "Tells accounting.", "hosts": ["api.acme.com", "hooks.acme.com"]},
]
SETTINGS = {
    "type": "object",
    "properties": {
        "currency": {"type": "string", "title": "Currency", "pattern": "^[A-Z]{3}$", "default": "EUR"},
        "limit": {"type": "integer", "title": "Largest claim", "minimum": 1, "default": 2000},
        "own": {"type": "boolean", "title": "Own claims"},
    },
}
SMALL = {"width": 360, "height": 740}
LARGE = {"width": 1200, "height": 800}


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with support.running(tmp_path_factory.mktemp("platform"), cache_seconds=0.2) as up:
        support.publish(up, name=CLAIMS, version="1.0.0", title="Claims", capabilities=ASKS, settings=SETTINGS)
        yield up


@pytest.fixture
def installed(platform):
    """The extension, installed anew with one capability of two."""
    with support.client(platform) as admin:
        if any(one["extension_id"] == CLAIMS for one in admin.api("GET", "/installs")["items"]):
            admin.api("DELETE", f"/installs/{CLAIMS}")
            admin.api("POST", f"/installs/{CLAIMS}/delete")
        admin.install(CLAIMS, version="1.0.0", grants=[{"capability": "storage.kv"}])
    return CLAIMS


class Console:
    """A page signed in to the console."""

    def __init__(self, platform, page):
        self.platform, self.page = platform, page

    def sign_in(self, *roles, tenant="northwind"):
        minted = support.token(self.platform, *roles, tenant=tenant)
        self.page.goto(f"{self.platform.base_url}/console/#token={minted}")
        return self.at("/")

    def at(self, path):
        """Show a place, as links to it do; its main part, once it is there."""
        if self.path != path:
            follow = "(path) => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }"
            self.page.evaluate(follow, f"/console{path}")
        self.page.locator("main:not([aria-busy]) h1, main:not([aria-busy]) [role=alert]").first.wait_for()
        return self.page.locator("main")

    @property
    def path(self):
        return self.page.evaluate("location.pathname + location.search").removeprefix("/console")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).last.click()

    def said(self, text):
        self.page.locator("#toasts").get_by_text(text).wait_for()


@pytest.fixture
def console(platform, page):
    return Console(platform, page)


def install_of(platform):
    with support.client(platform) as admin:
        return admin.api("GET", f"/installs/{CLAIMS}")


def test_a_token_in_the_address_signs_in_and_is_gone_from_it(console):
    console.sign_in("admin")
    assert "token" not in console.page.url
    assert console.page.locator("aside").get_by_text("northwind").is_visible()
    console.at("/catalogue")
    console.page.reload()
    console.page.get_by_role("heading", name="Catalogue").wait_for()


def test_without_a_token_somebody_is_asked_for_one(console):
    console.page.goto(f"{console.platform.base_url}/console/usage")
    console.page.get_by_label("Token").fill(support.token(console.platform, "admin"))
    console.press("Sign in")
    console.page.get_by_role("heading", name="Usage").wait_for()


def test_a_token_that_is_refused_leads_back_to_the_sign_in(console):
    console.page.goto(f"{console.platform.base_url}/console/#token=e30.e30.e30")
    console.page.get_by_role("heading", name="Sign in").wait_for()


@pytest.fixture(scope="module")
def with_provider(tmp_path_factory):
    """A platform that believes an identity provider, and the provider."""
    folder = tmp_path_factory.mktemp("with_provider")
    provider, port = Provider(Ed25519PrivateKey.generate()), Port()
    provider.origin = port.origin
    keys = provider.write_keys(folder / "jwks.json")
    settings = support.local_settings(folder, oidc_issuer=port.origin, oidc_jwks=str(keys), console_client_id=CLIENT)
    with port.serve(provider.app()), LocalPlatform(settings) as platform:
        yield platform, provider


def test_the_identity_provider_signs_in_and_a_token_that_ends_is_renewed(with_provider, page):
    platform, provider = with_provider
    console = Console(platform, page)
    page.goto(f"{platform.base_url}/console/catalogue")
    page.get_by_role("button", name="Sign in with your organisation").click()
    page.get_by_role("heading", name="Catalogue").wait_for()
    assert (console.path, "code=" in page.url) == ("/catalogue", False)
    assert provider.grants == ["authorization_code", "refresh_token"]


def test_an_answer_of_the_provider_that_nobody_asked_for_signs_nobody_in(with_provider, page):
    platform, provider = with_provider
    before = list(provider.grants)
    page.goto(f"{platform.base_url}/console/?code=stolen&state=made-up")
    page.get_by_text("This sign-in was not begun here.").wait_for()
    assert provider.grants == before


def test_an_administrator_sees_what_is_asked_for_and_installs_less(console):
    with support.client(console.platform) as admin:
        if admin.api("GET", "/installs")["items"]:
            admin.api("DELETE", f"/installs/{CLAIMS}")
            admin.api("POST", f"/installs/{CLAIMS}/delete")
    console.sign_in("admin")
    main = console.at(f"/extensions/{CLAIMS}/install")
    assert main.get_by_text("Tells accounting.").is_visible()
    main.get_by_label("api.acme.com").uncheck()
    main.get_by_label("Largest claim").fill("500")
    console.press("Install")
    console.said("Claims is installed.")
    install = install_of(console.platform)
    granted = {grant["capability"]: grant["hosts"] for grant in install["grants"]}
    assert granted == {"storage.kv": [], "http.fetch": ["hooks.acme.com"]}
    assert install["config"]["limit"] == 500


def test_a_setting_that_does_not_fit_is_shown_at_its_field_and_loses_nothing(console, installed):
    console.sign_in("admin")
    main = console.at(f"/extensions/{installed}?tab=settings")
    main.get_by_label("Currency").fill("euro")
    main.get_by_label("Largest claim").fill("7")
    console.press("Save")
    main.locator("oriel-field[problem]").wait_for()
    assert main.locator("oriel-field[problem]").get_attribute("name") == "currency"
    assert main.get_by_label("Largest claim").input_value() == "7"
    main.get_by_label("Currency").fill("USD")
    console.press("Save")
    console.said("Saved.")
    assert install_of(console.platform)["config"] == {"currency": "USD", "limit": 7, "own": False}


def test_a_grant_is_switched_on_and_off(console, installed):
    console.sign_in("admin")
    main = console.at(f"/extensions/{installed}?tab=permissions")
    main.get_by_label("Keep its own records").uncheck()
    main.get_by_label("Send requests").check()
    console.press("Save")
    console.said("Saved.")
    assert [grant["capability"] for grant in install_of(console.platform)["grants"]] == ["http.fetch"]


def test_a_secret_goes_in_and_never_comes_out(console, installed):
    console.sign_in("admin")
    answers = []

    def note(answer):  # Playwright wants a function of Python's own
        answers.append(answer)

    console.page.on("response", note)
    main = console.at(f"/extensions/{installed}?tab=secrets")
    main.get_by_label("Name").fill("api_key")
    main.get_by_label("Value").fill("canary-4711")
    console.press("Set")
    console.said("api_key is set.")
    main.get_by_role("row", name="api_key").wait_for()
    assert not any("canary-4711" in answer.text() for answer in answers if "/api/v1" in answer.url)


def test_the_kill_switch_stops_it_for_the_whole_organisation(console, installed):
    console.sign_in("admin")
    console.at(f"/extensions/{installed}?tab=manage")
    console.press("Turn off")
    console.press("Turn off")
    console.said("It is off.")
    assert install_of(console.platform)["status"] == "disabled"


def test_an_upgrade_shows_what_it_changes_and_takes_only_what_is_consented_to(console, installed):
    more = [*ASKS, {"name": "user.read", "purpose": "Writes down who asked."}]
    support.publish(
        console.platform, name=CLAIMS, version="1.1.0", title="Claims", capabilities=more, settings=SETTINGS
    )
    console.sign_in("admin")
    main = console.at(f"/extensions/{installed}")
    main.get_by_role("link", name="Look at 1.1.0").click()
    main.get_by_role("heading", name="From 1.0.0 to 1.1.0").wait_for()
    assert main.locator(".changes").first.get_by_text("user.read").is_visible()
    assert main.get_by_label("Keep its own records").is_checked()
    assert not main.get_by_label("See the name").is_checked()
    console.press("Run 1.1.0")
    console.said("Claims runs 1.1.0 now.")
    install = install_of(console.platform)
    assert (install["version"], [grant["capability"] for grant in install["grants"]]) == ("1.1.0", ["storage.kv"])
    console.at(f"/extensions/{installed}?tab=manage")
    console.press("Go back to 1.0.0")
    console.press("Go back")
    console.said("It runs 1.0.0 again.")
    assert install_of(console.platform)["version"] == "1.0.0"


def test_what_was_uninstalled_can_be_restored(console, installed):
    console.sign_in("admin")
    main = console.at(f"/extensions/{installed}?tab=manage")
    console.press("Uninstall")
    console.page.get_by_label(f"Type {installed} to confirm").fill(installed)
    console.press("Uninstall")
    console.said("Claims is uninstalled.")
    main.get_by_role("button", name="Restore").click()
    console.said("It is restored")
    assert install_of(console.platform)["status"] == "disabled"


def test_what_runs_appears_by_itself_with_its_receipt(console, installed):
    console.sign_in("admin")
    main = console.at("/activity")
    headers = {"authorization": f"Bearer {support.token(console.platform)}"}
    url = f"{console.platform.base_url}/api/ext/{installed}/"
    execution = httpx.get(url, headers=headers, trust_env=False).headers["x-ext-execution-id"]
    row = main.locator(f"a[href$='{execution}']")
    row.wait_for()
    row.click()
    console.page.get_by_role("heading", name="Receipt").wait_for()
    assert console.page.locator("main dd").get_by_text(execution).is_visible()


def test_a_member_sees_no_place_that_is_not_theirs(console, installed):
    console.sign_in("member")
    places = console.page.locator("aside nav a").all_text_contents()
    assert places == ["Installed", "Catalogue"]
    assert console.at("/audit").get_by_role("alert").get_by_text("Not permitted").is_visible()


def test_another_tenant_sees_nothing_of_it(console, installed):
    console.sign_in("admin", tenant="contoso")
    assert console.page.get_by_text("Nothing is installed yet").is_visible()


def test_an_operator_yanks_and_restores_a_version(console):
    support.publish(console.platform, hostile.HELLO, name="com.acme.bad", version="1.0.0", title="Bad")
    console.sign_in("operator", "admin")
    console.at("/operate/extensions/com.acme.bad")
    console.press("Yank")
    console.press("Yank")
    console.said("1.0.0 is yanked.")
    with support.client(console.platform) as operator:
        assert operator.api("GET", "/extensions/com.acme.bad")["versions"][0]["status"] == "yanked"
    console.press("Restore")
    console.press("Restore")
    console.said("1.0.0 is ready.")


def test_back_leads_back_and_the_heading_has_the_focus(console, installed):
    console.sign_in("admin")
    console.page.get_by_role("link", name="Claims").click()
    console.page.get_by_role("heading", name="Claims").wait_for()
    assert console.page.evaluate("document.activeElement.textContent") == "Claims"
    console.page.go_back()
    console.page.get_by_role("heading", name="Installed", exact=True).wait_for()


def test_axe_finds_nothing_and_nothing_is_wider_than_its_screen(console, installed):
    console.sign_in("admin", "operator")
    places = [
        "/", "/catalogue", f"/extensions/{installed}", f"/extensions/{installed}?tab=permissions",
        f"/extensions/{installed}?tab=settings", f"/extensions/{installed}?tab=secrets",
        f"/extensions/{installed}?tab=manage", f"/extensions/{installed}/install",
        "/activity", "/usage", "/audit", "/operate",
    ]  # fmt: skip
    found, wide = {}, []
    for place in places:
        console.at(place)
        for size, scheme in ((SMALL, "light"), (LARGE, "dark")):
            console.page.set_viewport_size(size)
            console.page.emulate_media(color_scheme=scheme)
            if broken := violations(console.page):
                found[place, scheme] = broken
            if not console.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                wide.append((place, scheme))
    assert (found, wide) == ({}, []), json.dumps([*found.values()], indent=1)


def test_the_page_is_framed_by_nobody_and_runs_its_own_scripts_alone(platform):
    answer = httpx.get(f"{platform.base_url}/console/extensions/com.acme.claims", trust_env=False)
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-cache"
