"""A client over a resolver of its own, and servers that end with the test."""

import pytest

from runner.egress.client import Egress
from runner.egress.model import Bounds, Deadline, EgressError, Outgoing, Policy
from tests.runner.egress.servers import LOOPBACK, Authority, Names, Server, http

HELLO = http(b"hello")


@pytest.fixture
def serve():
    servers = []

    def start(script=HELLO, tls=None):
        servers.append(Server(script if callable(script) else lambda _: script, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def names():
    names = Names()
    names.set("good.test", [LOOPBACK])
    return names


@pytest.fixture
def make_egress(names):
    made = []

    def make(**options):
        made.append(Egress(**{"allow_networks": ("127.0.0.0/8",), "resolver": names, **options}))
        return made[-1]

    yield make
    for egress in made:
        egress.close()


@pytest.fixture
def get(make_egress):
    """`get(url, hosts)` gives the answer, over one client or the one given as `egress`."""
    usual = make_egress()

    def send(url, hosts=None, *, method="GET", headers=(), body=b"", install="ins_1", secrets=None, **more):
        scheme, _, rest = url.partition("://")
        granted = (f"{scheme}://{rest.split('/')[0]}",) if hosts is None else hosts
        policy = Policy(install, granted, "Oriel/test (com.acme.x)", secrets)
        egress, seconds = more.pop("egress", usual), more.pop("seconds", 10)
        bounds = Bounds(Deadline.after(seconds), **more)
        return egress.fetch(Outgoing(method, url, tuple(headers), body), policy, bounds)

    return send


@pytest.fixture
def failure(get):
    """`failure(...)`: as `get`, and gives the case it failed with."""

    def send(*args, **kwargs):
        with pytest.raises(EgressError) as failed:
            get(*args, **kwargs)
        return failed.value.case

    return send


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority: `authority.server(names)` and `authority.client` are TLS contexts."""
    return Authority(tmp_path_factory.mktemp("tls"))
