"""The promise: what is stopped runs nowhere ten seconds later, on every store, however hard a caller hammers.

A gateway over a real store, and a clock that the test moves: a call each half a second, the change in the middle.
Every execution has the time at which it began.
"""

from contextlib import ExitStack
from itertools import count

import pytest
from msgspec.structs import replace

from gateway.resolve import MAX_TTL
from oriel.identity.api_keys import TTL_SECONDS, new_key
from oriel.local.trust import LOOK_SECONDS, TrustFile
from oriel.signing import TrustBundle, generate_key
from oriel.store.policy_records import ApiKey, QuotaSetting
from oriel.store.records import AuditEntry, Bundle, Extension, Publisher, PublisherKey, Quarantine
from tests.store.conftest import BACKENDS, Backend
from tests.support.gateway import MANIFEST, NOW, Bench, Clock, Sink, grant, resolution

PROMISE = 10.0
STEP = 0.5
SIGNER = generate_key()
_numbers = count(1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "dynamodb"])
def store(request, tmp_path_factory):
    assert request.param in BACKENDS
    with ExitStack() as closing:
        backend = Backend(request.param, tmp_path_factory.mktemp("promise"), closing)
        backend.clock.now = NOW
        yield backend.open()


class Site:
    """One installed extension of a publisher of its own, and a gateway that a caller hammers."""

    def __init__(self, store, folder):
        number = next(_numbers)
        self.store, self.extension_id, self.publisher = store, f"com.p{number}.notes", f"com.p{number}"
        self.content_hash, self.machine = f"sha256:{number:064x}", new_key("acme")
        made = resolution(manifest=MANIFEST | {"name": self.extension_id, "publisher": self.publisher})
        own = {"extension_id": self.extension_id}
        signed = {"publisher": self.publisher, "signer_key_id": SIGNER.key_id, "content_hash": self.content_hash}
        self.version = replace(made.version, **own, **signed, version_id=f"ver_p{number}")
        self.install = replace(made.install, **own, install_id=f"ins_p{number}")
        self._write()
        self.trust_file = folder / "trust.pem"
        self.trust_file.write_text(trusted())
        self.ran = []

    def _write(self):
        self.store.put_publisher(Publisher(publisher=self.publisher, prefixes=(self.publisher,), created_at=NOW))
        key = PublisherKey(publisher=self.publisher, key_id=SIGNER.key_id, public_key_pem="PEM", not_before=0)
        self.store.put_publisher_key(key)
        extension = Extension(extension_id=self.extension_id, publisher=self.publisher, created_at=NOW)
        bundle = Bundle(content_hash=self.content_hash, size=1, component_digest="sha256:cc", created_at=NOW)
        self.store.create_version(extension, bundle, self.version)
        self.store.create_install(self.install)
        self.store.create_api_key(
            ApiKey(
                tenant_id="acme",
                key_id=self.machine.key_id,
                name="hammer",
                secret_hash=self.machine.secret_hash,
                permissions=("invoke:read",),
                created_by="ann",
                created_at=NOW,
                expires_at=NOW + 10**9,
            )
        )

    def hammer(self, change):
        """Call every `STEP` seconds; the change comes after a second. The times since then at which something ran."""
        seconds = Clock(100.0)
        trust = TrustFile(self.trust_file, TrustBundle.from_pem(trusted()), seconds)
        bench = Bench(store=self.store, sink=Sink(), seconds=seconds, trust=trust)
        began, changed = bench.seconds.now, None
        while changed is None or bench.seconds.now < changed + PROMISE + 2:
            if changed is None and bench.seconds.now >= began + 1:
                change(self)
                changed = bench.seconds.now
            before = len(bench.runner.asked)
            bench.call(extension_id=self.extension_id, token=f"Bearer {self.machine.token}")
            self.ran += [(bench.seconds.now - (changed or began + 1), ran) for ran in bench.runner.asked[before:]]
            bench.seconds.now += STEP
            bench.clock.now += int(STEP * 1000)
        bench.gateway.close()
        return [at for at, _ in self.ran]


def trusted(*lines):
    return "\n".join([*lines, SIGNER.public.to_pem()])


def change_install(site, **fields):
    site.store.replace_install(replace(site.install, revision=2, **fields))


def revoke_key(site):
    key = PublisherKey(publisher=site.publisher, key_id=SIGNER.key_id, public_key_pem="PEM", not_before=0)
    site.store.put_publisher_key(replace(key, revoked_at=NOW))


def revoke_publisher(site):
    revoked = Publisher(publisher=site.publisher, prefixes=(site.publisher,), created_at=NOW, revoked_at=NOW)
    site.store.put_publisher(revoked)


def revoke_in_the_trust_bundle(site):
    site.trust_file.write_text(trusted("Publisher: com.acme", "Revoked: 2020-01-01T00:00:00Z"))


def quarantine(site):
    where = {"content_hash": site.content_hash, "extension_id": site.extension_id}
    entry = AuditEntry(
        tenant_id=None, audit_id=f"aud_{site.publisher}", at=NOW, actor="p", action="quarantine.add", target="t"
    )
    site.store.put_quarantine(Quarantine(**where, deaths=3, reason="-", created_at=NOW), entry)


STOPS = {
    "disable": lambda site: change_install(site, status="disabled"),
    "uninstall": lambda site: site.store.delete_install("acme", site.extension_id),
    "yank": lambda site: site.store.set_version_status(site.extension_id, "1.0.0", "yanked"),
    "revoke the key": revoke_key,
    "revoke the publisher": revoke_publisher,
    "revoke in the trust bundle": revoke_in_the_trust_bundle,
    "break the trust bundle": lambda site: site.trust_file.write_text("Revoked: soon\n" + trusted()),
    "quarantine": quarantine,
    "revoke the caller's API key": lambda site: site.store.revoke_api_key("acme", site.machine.key_id, NOW),
}


@pytest.mark.parametrize("change", STOPS)
def test_what_is_stopped_runs_nowhere_after_the_promised_time(store, tmp_path, change):
    ran = Site(store, tmp_path).hammer(STOPS[change])
    assert len([at for at in ran if at < 0]) == 1 / STEP
    assert [at for at in ran if at >= PROMISE] == []
    assert max(ran) < max(MAX_TTL, TTL_SECONDS, LOOK_SECONDS)


def test_a_narrowed_grant_is_gone_after_the_promised_time(store, tmp_path):
    site = Site(store, tmp_path)
    site.hammer(lambda site: change_install(site, grants=(grant("storage.kv"),)))
    had = [at for at, ran in site.ran if {"http.fetch", "secrets.get", "user.read"} & ran.providers or ran.egress]
    assert len([at for at in had if at < 0]) == 1 / STEP
    assert max(had) < MAX_TTL < PROMISE
    assert len([at for at, _ in site.ran if at >= PROMISE]) == 2 / STEP


def test_a_lowered_quota_holds_after_the_promised_time(store, tmp_path):
    def forbid(site):
        values = {"concurrent": 0}
        site.store.put_quota(
            QuotaSetting(
                tenant_id="acme", extension_id=site.extension_id, values=values, updated_by="op", updated_at=NOW
            )
        )

    assert max(Site(store, tmp_path).hammer(forbid)) < MAX_TTL
