"""Which addresses a guest's request may reach, whatever the name was.

Rules kept here:

- IPv4: everything the IANA special-purpose registry does not call globally reachable is refused.
- IPv6: only 2000::/3 is reached at all, and of it neither documentation, protocol assignments, 6to4 nor Teredo.
- An address that carries an IPv4 address and is in use today (IPv4-mapped, NAT64) is judged by what it carries.
- Addresses of metadata services, and the port of the Lambda runtime API, are refused even where the operator has
  allowed the network around them. Apart from these, an allowed network is meant as it is written: 127.0.0.0/8 does
  not open the IPv6 forms of it.

Sources: the IANA IPv4 and IPv6 special-purpose address registries; RFC 6890, RFC 6052, RFC 8215.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, TypeAlias

from oriel.errors import Finding, InvalidInput

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_METADATA: Final = frozenset(
    {
        IPv4Address("169.254.169.254"),  # AWS, Azure, Google Cloud and others
        IPv4Address("169.254.170.2"),  # ECS task roles
        IPv4Address("169.254.170.23"),  # EKS pod identities
        IPv4Address("168.63.129.16"),  # the Azure host, at a public address
        IPv4Address("100.100.100.200"),  # Alibaba Cloud
        IPv4Address("192.0.0.192"),  # Oracle Cloud
        IPv6Address("fd00:ec2::254"),  # AWS
        IPv6Address("fd00:ec2::23"),  # EKS pod identities
        IPv6Address("fd20:ce::254"),  # Google Cloud
    }
)
_LAMBDA_RUNTIME_PORT: Final = 9001

_REFUSED_V4: Final = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared (carrier-grade NAT)"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_REFUSED_V6: Final = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b:1::/48", "local-use NAT64"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "protocol assignment"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressScreen:
    """The screen of one process. `allow_networks` (CIDR notation) are the operator's own that guests may reach.

    Raises:
        InvalidInput: `invalid_input`, where a network cannot be read.
    """

    def __init__(self, allow_networks: Iterable[str] = ()) -> None:
        self._allowed = tuple(_network(at, text) for at, text in enumerate(allow_networks))

    def refusal(self, address: Address, port: int) -> str | None:
        """What kind of address it is that may not be reached; None where it may. For the operator's eyes."""
        carried = _carried(address)
        if carried in _METADATA:
            return "metadata service"
        if carried.is_loopback and port == _LAMBDA_RUNTIME_PORT:
            return "Lambda runtime API"
        if any(address in network for network in self._allowed):
            return None
        return _kind(carried)


def _kind(address: Address) -> str | None:
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _REFUSED_V4 if address in network), None)
    known = next((kind for network, kind in _REFUSED_V6 if address in network), None)
    return known or (None if address in _GLOBAL_UNICAST else "reserved")


def _carried(address: Address) -> Address:
    """The IPv4 address that packets to an IPv4-mapped or NAT64 address end up at; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else address


def _network(at: int, text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise InvalidInput(
            "invalid_input", [Finding(f"allow_networks[{at}]", str(error))], subject="The egress configuration"
        ) from None
