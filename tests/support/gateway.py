"""A gateway over parts that live in memory behind the real Protocols, and the records it reads."""

import json
import threading
import time
from itertools import count

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from gateway.admission import Admission
from gateway.core import Gateway
from gateway.cors import Cors
from gateway.journal import Journal
from gateway.messages import GatewayRequest
from gateway.repeats import Repeats
from gateway.resolve import Resolver
from oriel.contract import ExecuteResponse, Receipt
from oriel.identity import ApiKeys, Authenticator, KeySet, TokenVerifier
from oriel.manifest import Manifest
from oriel.store import StoreUnavailable
from oriel.store.leases import fresh, taken
from oriel.store.records import Grant, Install, Resolution, StoredSecret, Version

NOW = 1_795_000_000_000
EXTENSION = "com.acme.notes"
ORIGIN = "https://app.example"
MANIFEST = {
    "manifest_version": 2,
    "name": EXTENSION,
    "title": "Notes",
    "publisher": "com.acme",
    "version": "1.0.0",
    "runtime": "wasm@1",
    "capabilities": [
        {"name": "storage.kv", "purpose": "Keeps notes."},
        {"name": "http.fetch", "purpose": "Sends notes.", "hosts": ["api.acme.com", "*.acme.net"]},
        {"name": "user.read", "purpose": "Signs notes."},
        {"name": "secrets.get", "purpose": "Knows its key."},
    ],
    "api": {
        "endpoints": [
            {"method": "GET", "path": "/"},
            {"method": "GET", "path": "/notes/:id"},
            {"method": "POST", "path": "/notes"},
            {"method": "PUT", "path": "/notes/:id"},
            {"method": "DELETE", "path": "/notes", "roles": ["admin"]},
        ]
    },
}


_numbers = count(1)


def grant(capability, *hosts, **fields):
    return Grant(capability=capability, hosts=hosts, granted_by="ann", granted_at=NOW, **fields)


ALL_GRANTS = (
    grant("storage.kv"),
    grant("http.fetch", "api.acme.com"),
    grant("user.read"),
    grant("secrets.get"),
)


def resolution(tenant_id="acme", manifest=None, **fields):
    """An enabled install of `com.acme.notes` with all grants; `fields` change install, version or resolution."""
    install = Install(
        tenant_id=tenant_id,
        extension_id=EXTENSION,
        install_id=f"ins_{tenant_id}",
        version="1.0.0",
        status=fields.pop("status", "enabled"),
        grants=fields.pop("grants", ALL_GRANTS),
        config=fields.pop("config", {}),
        limits=fields.pop("limits", {}),
        installed_by="ann",
        created_at=NOW,
        updated_at=NOW,
    )
    version = Version(
        extension_id=EXTENSION,
        version="1.0.0",
        version_id=fields.pop("version_id", f"ver_{next(_numbers)}"),
        content_hash="sha256:" + "0" * 64,
        component_digest="sha256:" + "1" * 64,
        manifest=Manifest.parse(manifest or MANIFEST).to_json(),
        publisher="com.acme",
        signer_key_id="sha256:" + "2" * 64,
        published_by="ann",
        created_at=NOW,
        status=fields.pop("version_status", "ready"),
    )
    return Resolution(install=install, version=version, **fields)


def secret(name, *hosts, tenant_id="acme", **fields):
    return StoredSecret(
        tenant_id=tenant_id,
        install_id=f"ins_{tenant_id}",
        name=name,
        key_id="key_1",
        nonce=b"n" * 12,
        ciphertext=b"sealed-" + name.encode(),
        hosts=hosts,
        updated_at=NOW,
        **fields,
    )


class Source:
    """Resolutions by tenant and extension; counts reads, and fails while `away`."""

    def __init__(self, *resolutions):
        self.found = {(found.install.tenant_id, found.install.extension_id): found for found in resolutions}
        self.reads = []
        self.away = False

    def put(self, found):
        self.found[found.install.tenant_id, found.install.extension_id] = found

    def change_install(self, **fields):
        for found in list(self.found.values()):
            self.put(replace(found, install=replace(found.install, **fields)))

    def resolve(self, tenant_id, extension_id):
        self.reads.append((tenant_id, extension_id))
        if self.away:
            raise StoreUnavailable
        return self.found.get((tenant_id, extension_id))


class Runner:
    """A runner that records what it is asked and answers as it is told: a response, an error, a function."""

    def __init__(self):
        self.asked = []
        self.reply = answer(200, b"ok", ("content-type", "text/plain"))
        self.closed = False

    def execute(self, request):
        self.asked.append(request)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply(request) if callable(self.reply) else self.reply

    def close(self):
        self.closed = True


class Sink:
    """An execution log; refuses while `away`."""

    def __init__(self):
        self.entries = []
        self.away = False
        self.refused = threading.Event()
        self.fixtures = []

    def record_executions(self, executions):
        if self.away:
            self.refused.set()
            raise StoreUnavailable
        self.entries += executions

    def put_fixture(self, fixture):
        self.fixtures.append(fixture)


class Leases:
    """Meters in memory, by the store's own rules; counts what it is asked, and refuses while `away`."""

    def __init__(self, clock):
        self.meters, self.asked, self.away, self.clock = {}, [], False, clock

    def take_leases(self, tenant_id, asks):
        self.asked.append((tenant_id, tuple(asks)))
        if self.away:
            raise StoreUnavailable
        leases = []
        for ask in asks:
            key, now = (tenant_id, ask.bucket), self.clock()
            self.meters[key], lease = taken(self.meters.get(key) or fresh(tenant_id, ask, now), ask, now)
            leases.append(lease)
        return tuple(leases)


class Repeated:
    """Requests that were made, in memory; refuses while `away`."""

    def __init__(self, clock):
        self.records, self.away, self.clock = {}, False, clock

    def claim_repeat(self, record):
        if self.away:
            raise StoreUnavailable
        known = self._live(record)
        if known is None:
            self.records[self._place(record)] = record
        return known

    def answer_repeat(self, record):
        return self._mine(record) and not self.records.update({self._place(record): record})

    def drop_repeat(self, record):
        return self._mine(record) and self.records.pop(self._place(record)) is not None

    def _mine(self, record):
        if self.away:
            raise StoreUnavailable
        known = self.records.get(self._place(record))
        return known is not None and known.claim == record.claim

    def _live(self, record):
        known = self.records.get(self._place(record))
        return known if known is not None and known.expires_at > self.clock() else None

    def _place(self, record):
        return record.tenant_id, record.install_id, record.key


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def answer(status=200, body=b"", *headers, **fields):
    return ExecuteResponse(
        status=status,
        headers=headers,
        body_bytes=body,
        receipt=Receipt(duration_ms=1.5),
        **fields,
    )


_KEY = Ed25519PrivateKey.generate()
_SET = json.dumps({"keys": [json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(_KEY.public_key()))]}).encode()


def bearer(tenant="acme", *roles, subject="ann", **claims):
    now = int(time.time())
    claims = {"iss": "idp", "aud": "oriel", "exp": now + 60, "sub": subject, "tenant": tenant} | claims
    claims["roles"] = list(roles or ("member",))
    return "Bearer " + jwt.encode({k: v for k, v in claims.items() if v is not None}, _KEY, algorithm="EdDSA")


class Bench:
    """A gateway with its parts at hand."""

    def __init__(self, *resolutions, store=None, sink=None, seconds=None, **settings):
        self.source = store or Source(*(resolutions or (resolution(),)))
        self.runner, self.sink = Runner(), sink or store or Sink()
        self.clock, self.seconds = Clock(NOW), seconds or Clock(100.0)
        self.journal = Journal(self.sink, retry_seconds=0.01)
        self.resolver = Resolver(self.source, clock=self.seconds)
        self.repeated = Repeated(self.clock)
        self.api_keys = store and ApiKeys(store, clock=self.seconds, now=self.clock)
        self.meters = store or Leases(self.clock)
        self.admission = Admission(self.meters, clock=self.seconds, background=False)
        verifier = TokenVerifier(KeySet(lambda: _SET), issuer="idp", audience="oriel")
        self.gateway = Gateway(
            authenticator=Authenticator(verifier, api_keys=self.api_keys),
            resolver=self.resolver,
            runner=self.runner,
            journal=self.journal,
            admission=self.admission,
            repeats=Repeats(store or self.repeated, clock=self.clock),
            cors=Cors([ORIGIN]),
            clock=self.clock,
            **settings,
        )

    def call(self, method="GET", path="/", *, token=None, headers=(), query="", body=b"", extension_id=EXTENSION):
        authorization = () if token == "" else (("authorization", token or bearer()),)
        request = GatewayRequest(
            request_id="req_1",
            method=method,
            extension_id=extension_id,
            path=path,
            query=query,
            headers=(*authorization, *headers),
            body=body,
        )
        return Answer(self.gateway.handle(request))

    @property
    def last(self):
        return self.runner.asked[-1]

    def logged(self):
        assert self.journal.flush(5)
        return self.sink.entries


class Answer:
    """An answer of the gateway, in the forms that tests compare."""

    def __init__(self, response):
        self.response, self.status, self.body = response, response.status, response.body

    def all(self, name):
        return [value for key, value in self.response.headers if key == name]

    def header(self, name):
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    @property
    def code(self):
        assert self.header("content-type") == "application/problem+json"
        return json.loads(self.body)["code"]

    @property
    def detail(self):
        return json.loads(self.body)["detail"]
