"""What is refused before a byte goes out: hosts not granted, names that lead to where nobody may go."""

import ipaddress
import threading

import pytest

from runner.egress.model import Deadline, EgressError
from runner.egress.resolver import SystemResolver
from tests.runner.egress.servers import LOOPBACK, http

BAD = {
    "loopback": "127.0.0.1",
    "other loopback": "127.8.8.8",
    "unspecified": "0.0.0.0",
    "private": "10.0.0.1",
    "link-local": "169.254.7.7",
    "CGNAT": "100.64.0.1",
    "multicast": "224.0.0.1",
    "metadata": "169.254.169.254",
    "container credentials": "169.254.170.2",
    "IPv6 unspecified": "::",
    "IPv6 loopback": "::1",
    "IPv6 private": "fd00::1",
    "IPv6 link-local": "fe80::1",
    "IPv6 metadata": "fd00:ec2::254",
    "IPv4-mapped": "::ffff:127.0.0.1",
    "NAT64": "64:ff9b::7f00:1",
    "6to4": "2002:7f00:1::",
    "Teredo": "2001:0:7f00:1::",
}
PUBLIC = "93.184.215.14"


@pytest.fixture
def strict(make_egress):
    """A client of production: no private network is allowed."""
    return make_egress(allow_networks=())


@pytest.mark.parametrize("address", BAD.values(), ids=BAD.keys())
def test_a_name_that_resolves_to_a_bad_address_is_denied(failure, strict, names, address):
    names.set("bad.test", [address])
    assert failure("https://bad.test/", egress=strict) == "denied"


@pytest.mark.parametrize("address", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("first", [True, False], ids=["good first", "bad first"])
def test_a_name_that_resolves_to_a_good_and_a_bad_address_is_denied(failure, strict, names, address, first):
    names.set("mixed.test", [PUBLIC, address] if first else [address, PUBLIC])
    assert failure("https://mixed.test/", egress=strict) == "denied"


def test_one_bad_address_keeps_the_good_one_from_being_connected_to(failure, names, serve):
    server = serve()
    names.set("mixed.test", [LOOPBACK, "10.0.0.1"])
    assert failure(f"http://mixed.test:{server.port}/") == "denied"
    assert server.connections == 0


def test_the_lambda_runtime_api_is_denied_even_where_loopback_is_allowed(failure):
    assert failure("http://good.test:9001/2018-06-01/runtime/invocation/next") == "denied"


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_screened(get, names, serve):
    server = serve()
    names.set("rebind.test", [LOOPBACK], ["169.254.169.254"])
    assert get(f"http://rebind.test:{server.port}/").body == b"hello"
    assert names.asked == ["rebind.test"]


def test_a_name_that_changes_to_a_bad_address_is_denied_at_the_next_connection(get, failure, names, serve):
    server = serve(http(b"hello", connection="close"))
    names.set("rebind.test", [LOOPBACK], ["169.254.169.254"])
    get(f"http://rebind.test:{server.port}/")
    assert failure(f"http://rebind.test:{server.port}/") == "denied"
    assert server.connections == 1


def test_the_guest_does_not_learn_the_address(get, strict, names):
    names.set("inside.test", ["10.20.30.40"])
    with pytest.raises(EgressError) as refused:
        get("https://inside.test/", egress=strict)
    assert "10.20" not in refused.value.text
    assert "private" not in refused.value.text


def test_the_operator_learns_the_address(failure, strict, names, caplog):
    names.set("inside.test", ["10.20.30.40"])
    failure("https://inside.test/", egress=strict)
    assert [(record.address, record.kind) for record in caplog.records] == [("10.20.30.40", "private")]


def test_a_host_that_is_not_granted_is_denied_and_not_looked_up(failure, names):
    assert failure("https://good.test/", hosts=("other.test",)) == "denied"
    assert names.asked == []


def test_an_empty_list_of_hosts_grants_nothing(failure, names):
    assert failure("https://good.test/", hosts=()) == "denied"
    assert names.asked == []


def test_http_is_denied_where_the_grant_does_not_say_http(failure):
    assert failure("http://good.test/", hosts=("good.test", "*.test.example")) == "denied"


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]"])
def test_an_address_in_the_url_is_denied_even_where_somebody_granted_it(failure, host):
    assert failure(f"http://{host}/", hosts=(host, f"http://{host}")) == "denied"


def test_a_name_without_an_address_is_a_dns_failure(failure):
    assert failure("https://nowhere.test/") == "dns"


def test_a_name_with_an_empty_answer_is_a_dns_failure(failure, names):
    names.set("empty.test", [])
    assert failure("https://empty.test/") == "dns"


def test_a_port_that_nobody_listens_on_is_a_connect_failure(failure, serve):
    server = serve()
    server.stop_listening()
    assert failure(f"http://good.test:{server.port}/") == "connect"


def test_the_next_address_is_tried_where_the_first_does_not_answer(get, names, serve):
    server = serve()
    names.set("two.test", ["127.0.0.77", LOOPBACK])
    assert get(f"http://two.test:{server.port}/").body == b"hello"


def test_report_mode_records_what_a_grant_does_not_cover_and_lets_it_pass(get, make_egress, serve):
    server, seen = serve(), []
    egress = make_egress(mode="report", report=lambda policy, origin: seen.append((policy.install_id, str(origin))))
    url = f"http://good.test:{server.port}/"
    assert get(url, hosts=(), egress=egress).body == b"hello"
    assert get(url, egress=egress).body == b"hello"
    assert seen == [("ins_1", f"http://good.test:{server.port}")]


def test_report_mode_writes_to_the_log_by_itself(get, make_egress, serve, caplog):
    server = serve()
    get(f"http://good.test:{server.port}/", hosts=(), egress=make_egress(mode="report"))
    assert [record.origin for record in caplog.records] == [f"http://good.test:{server.port}"]


def test_report_mode_does_not_relax_the_screen_of_addresses(failure, make_egress, names):
    names.set("bad.test", ["169.254.169.254"])
    assert failure("http://bad.test/", hosts=(), egress=make_egress(mode="report")) == "denied"


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
def test_proxy_variables_in_the_environment_are_not_followed(get, serve, monkeypatch, variable):
    server, proxy = serve(), serve()
    monkeypatch.setenv(variable, f"http://{LOOPBACK}:{proxy.port}")
    assert get(f"http://good.test:{server.port}/").body == b"hello"
    assert proxy.connections == 0


def test_a_netrc_file_is_not_read(get, serve, monkeypatch, tmp_path):
    server = serve()
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine good.test login user password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    get(f"http://good.test:{server.port}/")
    assert b"authorization" not in server.requests[0]


def test_cookies_are_not_kept(get, serve):
    server = serve(http(set_cookie="session=1; Path=/"))
    for _ in range(2):
        get(f"http://good.test:{server.port}/")
    assert b"cookie" not in server.requests[1]


def test_the_systems_resolver_gives_addresses():
    found = SystemResolver().resolve("localhost", 80, 5.0)
    assert all(address.is_loopback for address in found)
    assert found


def test_the_systems_resolver_tells_what_has_no_address():
    with pytest.raises(EgressError) as failed:
        SystemResolver().resolve("a" * 64 + ".invalid", 80, 5.0)
    assert failed.value.case == "dns"


def test_a_lookup_that_hangs_costs_no_more_than_its_time(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr("runner.egress.resolver.socket.getaddrinfo", lambda *_args, **_more: over.wait() and [])
    resolver = SystemResolver(max_lookups=1)
    with pytest.raises(EgressError) as first:
        resolver.resolve("slow.test", 443, 0.05)
    with pytest.raises(EgressError) as second:
        resolver.resolve("slow.test", 443, 0.05)
    assert (first.value.case, second.value.case) == ("timeout", "timeout")
    over.set()
    assert resolver.resolve("slow.test", 443, 5.0) == ()


def test_a_resolver_that_fails_oddly_gives_its_place_back(monkeypatch):
    def fail(*_args, **_more):
        raise UnicodeError("label too long")

    resolver = SystemResolver(max_lookups=1)
    monkeypatch.setattr("runner.egress.resolver.socket.getaddrinfo", fail)
    for _ in range(3):
        with pytest.raises(EgressError) as failed:
            resolver.resolve("odd.test", 443, 5.0)
        assert failed.value.case == "dns"


def test_a_deadline_that_has_passed_is_a_timeout():
    with pytest.raises(EgressError) as failed:
        Deadline.after(0).remaining()
    assert failed.value.case == "timeout"


def test_a_scoped_answer_of_the_resolver_is_refused(failure, names):
    names.answers["scoped.test"] = [[ipaddress.ip_address("fe80::1%1")]]
    assert failure("https://scoped.test/") == "denied"
