import ipaddress

import pytest

from oriel.errors import InvalidInput
from runner.egress.addresses import AddressScreen

REFUSED = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.0.0.1": "private",
    "100.64.0.1": "shared (carrier-grade NAT)",
    "100.127.255.255": "shared (carrier-grade NAT)",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "169.254.1.1": "link-local",
    "169.254.169.254": "metadata service",
    "169.254.170.2": "metadata service",
    "168.63.129.16": "metadata service",
    "100.100.100.200": "metadata service",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.8": "reserved",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4 relay",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmarking",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::7f00:1": "IPv4-compatible",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:10.0.0.1": "private",
    "::ffff:169.254.169.254": "metadata service",
    "::ffff:0:7f00:1": "reserved",
    "64:ff9b::127.0.0.1": "loopback",
    "64:ff9b::a9fe:a9fe": "metadata service",
    "64:ff9b::10.0.0.1": "private",
    "64:ff9b:1::8.8.8.8": "local-use NAT64",
    "100::1": "reserved",
    "2001::1": "Teredo",
    "2001:0:4136:e378:8000:63bf:80ff:fffe": "Teredo",
    "2001:2::1": "protocol assignment",
    "2001:20::1": "protocol assignment",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4",
    "2002:a9fe:a9fe::1": "6to4",
    "3fff::1": "documentation",
    "4000::1": "reserved",
    "5f00::1": "reserved",
    "fc00::1": "private",
    "fd00:ec2::254": "metadata service",
    "fd12:3456::1": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
}
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "169.253.1.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::200e",
    "64:ff9b::8.8.8.8",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize(("address", "kind"), REFUSED.items())
def test_an_address_that_is_not_public_is_refused(address, kind):
    assert AddressScreen().refusal(ipaddress.ip_address(address), 443) == kind


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_reached(address):
    assert AddressScreen().refusal(ipaddress.ip_address(address), 443) is None


def test_an_allowed_network_may_be_reached_and_its_neighbour_not():
    screen = AddressScreen(["10.1.0.0/16", "fd12::/16"])
    assert screen.refusal(ipaddress.ip_address("10.1.2.3"), 443) is None
    assert screen.refusal(ipaddress.ip_address("fd12::1"), 443) is None
    assert screen.refusal(ipaddress.ip_address("10.2.0.1"), 443) == "private"
    assert screen.refusal(ipaddress.ip_address("fd13::1"), 443) == "private"


def test_loopback_is_reached_only_where_the_operator_allows_it():
    assert AddressScreen(["10.0.0.0/8"]).refusal(ipaddress.ip_address("127.0.0.1"), 80) == "loopback"
    assert AddressScreen(["127.0.0.0/8"]).refusal(ipaddress.ip_address("127.0.0.1"), 80) is None


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]
)
def test_a_metadata_address_is_refused_whatever_is_allowed(address):
    everything = AddressScreen(["0.0.0.0/0", "::/0"])
    assert everything.refusal(ipaddress.ip_address(address), 80) == "metadata service"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_the_lambda_runtime_port_is_refused_whatever_is_allowed(address):
    everything = AddressScreen(["0.0.0.0/0", "::/0"])
    assert everything.refusal(ipaddress.ip_address(address), 9001) == "Lambda runtime API"


@pytest.mark.parametrize("network", ["", "all", "10.0.0.1/8", "10.0.0.0/33", "example.com"])
def test_a_network_that_cannot_be_read_stops_the_start(network):
    with pytest.raises(InvalidInput) as refused:
        AddressScreen(["10.0.0.0/8", network])
    assert refused.value.findings[0].at == "allow_networks[1]"


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "::7f00:1", "2002:7f00:1::"])
def test_an_allowed_network_does_not_open_other_forms_of_its_addresses(address):
    assert AddressScreen(["127.0.0.0/8"]).refusal(ipaddress.ip_address(address), 80) is not None
