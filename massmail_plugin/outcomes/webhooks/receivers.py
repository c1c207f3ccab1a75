"""Where a webhook may lead: to public addresses of the internet alone, unless the host's settings name the place.

A name is looked up once, every address it has is checked, and the connection goes to one that was checked. Nobody
commits here.
"""

import ipaddress
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

from massmail_plugin.errors import BadRequest

LONGEST = 2_000
_PLAIN = re.compile(r"[\x21-\x7e]+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")


@dataclass(frozen=True)
class Receiver:
    """The parts of a webhook's address; `internal` where the settings allow it to be anywhere."""

    secure: bool
    host: str
    port: int
    path: str
    internal: bool

    @property
    def host_header(self) -> str:
        """As HTTP wants it: the port only where it is unusual."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


def receiver(url: str, internal_hosts: Collection[str]) -> Receiver:
    """Take an address apart. Raises BadRequest in words where it is none, or may not be used whatever it leads to."""
    if not _PLAIN.fullmatch(url) or len(url) > LONGEST:
        raise BadRequest("Enter the full address, such as https://crm.example.org/mail-outcomes, without blanks.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, _ascii(parts.hostname or "")
    except ValueError:
        raise BadRequest("This is no address of the web. Copy it from whoever receives the outcomes.") from None
    if parts.username is not None or parts.password is not None:
        raise BadRequest("Leave name and password out of the address: what is sent is signed.")
    if parts.fragment or not host or port == 0:
        raise BadRequest("Enter the full address, such as https://crm.example.org/mail-outcomes, without a # part.")
    internal = host in {name.strip().lower() for name in internal_hosts}
    if parts.scheme != "https" and not (parts.scheme == "http" and internal):
        raise BadRequest("The address must begin with https://: what is sent holds addresses of people.")
    secure = parts.scheme == "https"
    path = parts.path or "/"
    return Receiver(
        secure, host, port or (443 if secure else 80), f"{path}?{parts.query}" if parts.query else path, internal
    )


def _ascii(host: str) -> str:
    if host.isascii():
        return host.lower().rstrip(".")
    return idna.encode(host, uts46=True).decode()


def addresses(to: Receiver) -> list[tuple[int, str]]:
    """(family, IP address) of every place the name stands for, to be connected to as they are; asks DNS.

    Raises BadRequest where there is none, or one that is not public: then none of them is used.
    """
    try:
        found = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadRequest(f"The name {to.host} is not known.") from None
    places = list(dict.fromkeys((int(family), str(address[0])) for family, _, _, _, address in found))
    if not to.internal and not all(is_public(address) for _, address in places):
        raise BadRequest(
            f"{to.host} is not a public address. Places inside your own network must be named in "
            "MASSMAIL_WEBHOOK_INTERNAL_HOSTS."
        )
    return places


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also the IPv4 address that an IPv6 one may carry."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if ip.is_site_local or ip in _NAT64_LOCAL or (inner is not None and not is_public(str(inner))):
            return False
        if inner is not None:
            return True
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_loopback or ip.is_unspecified)
