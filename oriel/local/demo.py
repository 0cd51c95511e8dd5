"""The demo: the examples built, published, installed for two tenants and called, through the public surface only.

`make demo` keeps its data in `.oriel`, shows where to look and stays up. `make demo-check` does the same on free ports
with data of its own, stops the platform, starts it again to see that everything is still there, and says yes or no.

Rules kept here: everything goes through the HTTP API, as anybody else would do it; every step can be repeated, so
that a demo that was interrupted goes on; what is printed is what came back.
"""

import hashlib
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct, structs
from starlette.types import ASGIApp

from oriel import signing
from oriel.build import build
from oriel.bundle import pack
from oriel.client import PlatformClient
from oriel.errors import OrielError
from oriel.local.demo_happening import run, tell
from oriel.local.platform import LocalPlatform
from oriel.local.tokens import mint_token
from oriel.settings import Settings

PUBLISHER = "com.acme"
TENANTS = ("northwind", "contoso")
RECEIPT_SECONDS = 30.0
OPERATIONS = json.dumps({"orders.list": {"url": "/operations/orders", "description": "The tenant's orders"}})
EXAMPLES = Path(__file__).parents[2] / "examples"

Note = Callable[[str], None]


class Example(Struct, frozen=True):
    """A packed example, and how `demo.json` beside its manifest shows it.

    Attributes:
        settings: by tenant.
        calls: made one after the other.
        events, runs: then the product emits these, and these schedules are run.
        then: calls that show what came of it.
    """

    extension_id: str
    version: str
    bundle: bytes
    asks: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Mapping[str, Any]]
    calls: tuple[Mapping[str, Any], ...]
    events: tuple[Mapping[str, Any], ...] = ()
    runs: tuple[str, ...] = ()
    then: tuple[Mapping[str, Any], ...] = ()


def run_demo(settings: Settings, note: Note) -> None:
    """Show everything and stay up until the process is told to stop."""
    note("[bold]Building the examples[/]")
    examples = build_examples(note)
    with LocalPlatform(_for_the_product(settings), product=_host_product) as platform:
        _publish_and_install(platform, examples, note)
        for example in examples:
            _show_calls(platform, example, note)
            if example.then:
                _show_happening(platform, example, note)
        note(
            f"\n[bold green]Oriel is up.[/] Look here:\n"
            f"  the product      {platform.base_url}/   (sign in as Ada, then open an extension from the menu)\n"
            f"  an API call      oriel call {examples[0].extension_id} {examples[0].calls[0]['path']}\n"
            f"  what it did      oriel executions\n"
            f"  what happened    oriel events list, oriel schedules list\n"
            f"  what it asks for oriel show {examples[0].extension_id}\n"
            f"Ctrl-C stops it; the data stay in {settings.data_dir}."
        )
        platform.wait()


def run_demo_check(settings: Settings, note: Note) -> bool:
    """Do everything once on free ports, print what came back, and say whether all of it was right."""
    note("[bold]Building the examples[/]")
    examples = build_examples(note)
    with tempfile.TemporaryDirectory(prefix="oriel-demo-") as folder:
        own = _for_the_product(settings)
        own = structs.replace(own, data_dir=Path(folder) / "data", port=0, ui_port=0)
        with LocalPlatform(own, product=_host_product) as platform:
            _publish_and_install(platform, examples, note)
            results = [_show_calls(platform, example, note) for example in examples]
            results += [_show_happening(platform, example, note) for example in examples if example.then]
            results += [_show_page(platform, example, note) for example in examples]
            results.append(_show_refusals(platform, examples[0], note))
        note("[bold]Stopped. Starting again on the same data[/]")
        with LocalPlatform(own, product=_host_product) as platform:
            results += [_still_there(platform, example, note) for example in examples]
    note("[bold green]All good[/]" if all(results) else "[bold red]Something is wrong, see above[/]")
    return all(results)


# building


def build_examples(note: Note) -> tuple[Example, ...]:
    """Build and pack every example; one whose sources have not changed since comes from the build's cache."""
    if not EXAMPLES.is_dir():
        raise OrielError(
            "not_found", f"There are no examples at {EXAMPLES}.", hint="Run the demo in a checkout of the repository."
        )
    projects = sorted(path.parent for path in EXAMPLES.glob("*/manifest.json"))
    return tuple(_example(project, note) for project in projects)


def _example(project: Path, note: Note) -> Example:
    manifest = json.loads((project / "manifest.json").read_text(encoding="utf-8"))
    build(project, progress=lambda line: note(f"  {manifest['name']}: {line}"))
    bundle = pack(project).data
    show = json.loads((project / "demo.json").read_text(encoding="utf-8"))
    note(f"  {manifest['name']} {manifest['version']}: {len(bundle):,} bytes")
    return Example(
        extension_id=manifest["name"],
        version=manifest["version"],
        bundle=bundle,
        asks=tuple(ask if isinstance(ask, dict) else {"name": ask} for ask in manifest["capabilities"]),
        settings=show.get("settings", {}),
        calls=tuple(show["calls"]),
        events=tuple(show.get("events", ())),
        runs=tuple(show.get("runs", ())),
        then=tuple(show.get("then", ())),
    )


# publishing and installing


def _publish_and_install(platform: LocalPlatform, examples: tuple[Example, ...], note: Note) -> None:
    note(f"[bold]Publishing as {PUBLISHER}[/]")
    key = _publisher_key(platform.settings.data_dir / "demo" / "acme-key.pem")
    with _client(platform, tenant=None, roles=("publisher", "operator")) as client:
        client.api("POST", "/publishers", json={"publisher": PUBLISHER, "prefixes": [PUBLISHER]})
        client.api("POST", f"/publishers/{PUBLISHER}/keys", json={"public_key_pem": key.public.to_pem()})
        for example in examples:
            began = time.monotonic()
            client.publish(example.bundle, _envelope(example, key), lambda state: note(f"    {state}"))
            note(f"  {example.extension_id} {example.version} is ready after {time.monotonic() - began:.1f} s")
    note(f"[bold]Installing for {' and '.join(TENANTS)}[/]")
    for tenant in TENANTS:
        with _client(platform, tenant=tenant, roles=("admin",)) as client:
            for example in examples:
                _install(client, tenant, example)
                note(f"  {tenant}: {example.extension_id}")


def _install(client: PlatformClient, tenant: str, example: Example) -> None:
    grants = [{"capability": ask["name"].removeprefix("cap:"), "hosts": ask.get("hosts", [])} for ask in example.asks]
    client.install(example.extension_id, version=example.version, grants=grants, config=example.settings.get(tenant))


def _publisher_key(path: Path) -> signing.SigningKey:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(signing.generate_key("ed25519").to_pem(), encoding="ascii")
    return signing.SigningKey.from_pem(path.read_text(encoding="ascii"))


def _envelope(example: Example, key: signing.SigningKey) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(example.bundle).hexdigest()}"
    signed = signing.sign_bundle(digest, key, name=example.extension_id, version=example.version, publisher=PUBLISHER)
    envelope: dict[str, Any] = json.loads(signed)
    return envelope


# looking


def _show_calls(platform: LocalPlatform, example: Example, note: Note) -> bool:
    """Make the example's calls; where it has been called before, those that only read."""
    note(f"[bold]Calling {example.extension_id}[/]")
    right = True
    with _client(platform, tenant=TENANTS[0], roles=("admin",)) as client:
        again = client.api("GET", "/executions", params={"extension_id": example.extension_id, "limit": 1})["items"]
        for call in example.calls:
            if again and "body" in call:
                continue
            answer = _call(client, example, call)
            good = answer.status_code == call.get("status", 200)
            right &= good
            mark = "[green]✓[/]" if good else "[red]✗[/]"
            body = f" {_shown(json.dumps(call['body']))}" if "body" in call else ""
            note(f"  {mark} {call.get('method', 'GET')} /api/ext/{example.extension_id}{call['path']}{body}")
            note(f"      → {answer.status_code} {_shown(answer.text)}")
            receipt = _receipt(client, answer)
            right &= receipt is not None
            note(f"      receipt {_shown(json.dumps(receipt))}")
    return right


def _show_happening(platform: LocalPlatform, example: Example, note: Note) -> bool:
    """The product tells what has happened, schedules are run ahead of their time, and this is what came of it."""
    note(f"[bold]Events and schedules of {example.extension_id}[/]")
    with _client(platform, tenant=TENANTS[0], roles=("admin", "product")) as client:
        results = [tell(client, event, note) for event in example.events]
        results += [run(client, example.extension_id, name, note) for name in example.runs]
        right = all(results)
        for call in example.then:
            answer = _call(client, example, call)
            right &= answer.status_code == 200
            note(f"  {'[green]✓[/]' if answer.status_code == 200 else '[red]✗[/]'} GET {call['path']}")
            note(f"      → {answer.status_code} {_shown(answer.text)}")
    return right


def _call(client: PlatformClient, example: Example, call: Mapping[str, Any]) -> httpx.Response:
    body = json.dumps(call["body"]).encode() if "body" in call else b""
    headers = [("content-type", "application/json")] if body else []
    return client.call(example.extension_id, call["path"], method=call.get("method", "GET"), body=body, headers=headers)


def _receipt(client: PlatformClient, answer: httpx.Response) -> dict[str, Any] | None:
    """The receipt is written off the request path: it is there a moment later."""
    execution_id = answer.headers.get("x-ext-execution-id", "")
    until = time.monotonic() + RECEIPT_SECONDS
    while time.monotonic() < until:
        try:
            receipt: dict[str, Any] = client.api("GET", f"/executions/{execution_id}")["receipt"]
        except OrielError as error:
            if error.code != "not_found":
                raise
            time.sleep(0.05)
        else:
            return receipt
    return None


def _show_page(platform: LocalPlatform, example: Example, note: Note) -> bool:
    """The UI's entry, as a frame would load it."""
    with _client(platform, tenant=TENANTS[0], roles=("member",)) as client:
        items = [item for item in client.api("GET", "/menu")["items"] if item["extension_id"] == example.extension_id]
    if not items:
        note(f"  [red]✗[/] {example.extension_id} is not in the menu")
        return False
    entry = items[0]["entry"].removeprefix("ui/")
    url = f"{platform.ui_base_url}/ext-ui/{example.extension_id}/{items[0]['content_hash']}/{entry}"
    answer = httpx.get(url, trust_env=False)
    good = answer.status_code == 200 and "immutable" in answer.headers.get("cache-control", "")
    note(f"  {'[green]✓[/]' if good else '[red]✗[/]'} GET {url} → {answer.status_code}, {len(answer.content):,} bytes")
    return good


def _show_refusals(platform: LocalPlatform, example: Example, note: Note) -> bool:
    """What must not work, does not."""
    path = f"/api/ext/{example.extension_id}{example.calls[0]['path']}"
    with _client(platform, tenant="stranger", roles=("admin",)) as stranger:
        foreign = stranger.send("GET", path)
    with PlatformClient(platform.base_url, "") as nobody:
        unknown = nobody.send("GET", path)
    with _client(platform, tenant=TENANTS[0], roles=("admin",)) as client:
        undeclared = client.call(example.extension_id, "/nowhere/declared")
    seen = {"another tenant": foreign, "no token": unknown, "an undeclared endpoint": undeclared}
    wanted = {"another tenant": 404, "no token": 401, "an undeclared endpoint": 404}
    note("[bold]Refusals[/]")
    for what, answer in seen.items():
        mark = "[green]✓[/]" if answer.status_code == wanted[what] else "[red]✗[/]"
        note(f"  {mark} {what}: {answer.status_code} {answer.json().get('code')}")
    return all(answer.status_code == wanted[what] for what, answer in seen.items())


def _still_there(platform: LocalPlatform, example: Example, note: Note) -> bool:
    """The first answer after a start, with yesterday's data."""
    call = next(call for call in example.calls if call.get("method", "GET") == "GET")
    with _client(platform, tenant=TENANTS[0], roles=("admin",)) as client:
        began = time.perf_counter()
        answer = _call(client, example, call)
        took = (time.perf_counter() - began) * 1000
        executions = client.api("GET", "/executions", params={"extension_id": example.extension_id})["items"]
    good = answer.status_code == call.get("status", 200) and bool(executions)
    mark = "[green]✓[/]" if good else "[red]✗[/]"
    note(f"  {mark} {example.extension_id}: first answer {answer.status_code} in {took:.0f} ms, its log is there")
    return good


def _shown(text: str, limit: int = 200) -> str:
    """One line of at most `limit` characters, without console markup."""
    flat = " ".join(text.split()).replace("[", r"\[")
    return flat if len(flat) <= limit else f"{flat[:limit]}…"


@contextmanager
def _client(platform: LocalPlatform, *, tenant: str | None, roles: tuple[str, ...]) -> Iterator[PlatformClient]:
    token = mint_token(
        platform.keyring.issuer_key, subject="ada", name="Ada Lindqvist", tenant=tenant, roles=roles, lifetime=600
    )
    with PlatformClient(platform.base_url, token) as client:
        yield client


def _for_the_product(settings: Settings) -> Settings:
    """The settings for the example product: its operations and its sign-in, where the operator has set none."""
    return structs.replace(
        settings,
        host_operations=settings.host_operations or OPERATIONS,
        console_token_url=settings.console_token_url or "/session/token",
    )


def _host_product(platform: LocalPlatform) -> ASGIApp:
    """The example product, loaded from its file: examples are not part of the package."""
    path = EXAMPLES / "host-product" / "server.py"
    spec = importlib.util.spec_from_file_location("oriel_example_host_product", path)
    if spec is None or spec.loader is None:
        raise OrielError("not_found", f"There is no host product at {path}.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: ASGIApp = module.create_app(
        platform.keyring.issuer_key,
        ui_origin=platform.ui_base_url,
        oriel_keys=f"{platform.base_url}/.well-known/jwks.json",
    )
    return app
