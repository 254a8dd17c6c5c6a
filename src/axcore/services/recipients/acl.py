"""Where recipients may lead: anywhere but into the device itself.

A recipient is an address that a user enters and the device connects to, with the rights of the device. So that nobody
turns it against the device (server-side request forgery), an address is looked at after its name was resolved and again
when it is connected to, redirects, FTP data connections and the *Test* button included:

- an address of the device itself (loopback, unspecified, or any that a local interface has) with a port on which the
  device serves is refused; **loopback with another port is allowed**, because programs beside axcore are legitimate
  peers (a broker, a script, a proxy);
- addresses at which clouds hand out credentials, multicast and broadcast are refused;
- only http and https addresses exist for HTTP recipients; no scheme leads to files.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from .delivery import DeliveryError, RefusedError

METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "fd00:ec2::254")
)
"""Where cloud hosts tell their secrets to whoever asks from inside."""
SERVED = frozenset({22, 80, 443, 322, 554})
"""Ports that a device of this kind may serve on beside those it is configured for: SSH, web, RTSP."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Acl:
    """``own_ports`` tells the ports on which the device serves now; ``is_own`` whether an address is the device's."""

    def __init__(
        self, own_ports: Callable[[], Collection[int]], *, is_own: Callable[[Address], bool] | None = None
    ) -> None:
        self._own_ports = own_ports
        self._is_own = is_own or is_own_address

    def check(self, host: str, port: int) -> None:
        """RefusedError unless an IP address may be connected to. DeliveryError if it is none."""
        address = parse(host)
        if address in METADATA:
            raise RefusedError(f"{host} is the metadata service of a cloud, which no recipient may reach")
        if address.is_multicast or address == ipaddress.IPv4Address("255.255.255.255"):
            raise RefusedError(f"{host} is a multicast or broadcast address")
        if (port in SERVED or port in self._own_ports()) and self._is_own(address):
            raise RefusedError(f"{host} port {port} is this device itself, which no recipient may reach")

    def check_url(self, url: str) -> None:
        """RefusedError for an address that is neither http nor https."""
        scheme = urlsplit(url).scheme.lower()
        if scheme not in ("http", "https"):
            raise RefusedError(f"{scheme[:20] or 'an address without scheme'}: only http and https are allowed")


def parse(host: str) -> Address:
    """An IP address as it is connected to: what is wrapped in an IPv6 address (mapped, NAT64, 6to4) is unwrapped."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        raise DeliveryError(f"{host[:60]!r} is not an IP address") from None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address in _SIX_TO_FOUR:
            return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
        if int(address) >> 32 == 0 and int(address) > 1:  # IPv4-compatible, deprecated
            return ipaddress.IPv4Address(int(address))
    return address


def is_own_address(address: Address) -> bool:
    """Whether connecting to ``address`` ends in this device: the system lets only own addresses be bound."""
    if address.is_loopback or address.is_unspecified or (address.version == 4 and int(address) >> 24 == 0):
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    scopes = (0,) if address.version == 4 or not address.is_link_local else tuple(n for n, _ in socket.if_nameindex())
    for scope in scopes:
        where = (str(address), 0) if family == socket.AF_INET else (str(address), 0, 0, scope)
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.bind(where)
        except OSError:
            continue
        return True
    return False
