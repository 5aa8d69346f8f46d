"""Where messages may go: never to what only this machine, or its network, can reach.

A name is resolved at every attempt, all its addresses are judged, and the connection goes to
one of those that were: a name that answers differently a moment later changes nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx

MAX_URL_LENGTH = 2_000
FIRST_FREE_PORT, LAST_PORT = 1024, 65535
"""Below the first only the web's own ports are taken."""

_WEB_PORTS = frozenset({80, 443})
_INTERNET_V6 = ip_network("2000::/3")
_TRANSLATED = tuple(
    ip_network(text)
    for text in (
        "::ffff:0:0/96",  # IPv4-mapped
        "::/96",  # IPv4-compatible
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
    )
)
"""IPv6 that stands for an IPv4 address, which a gateway might reach from inside."""

_METADATA = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254")
)
"""Where clouds tell a machine its secrets."""

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a name and a port to addresses, best first; raises ``OSError`` if there is none."""


class TargetRefusedError(Exception):
    """The address is none that messages may be sent to; the text says why."""


def checked_url(url: str, *, private_allowed: bool) -> httpx.URL:
    """Return the address if it may be one, or raise ``TargetRefusedError``.

    Looks at the spelling only: what its name means is judged when it is used.
    """
    if len(url) > MAX_URL_LENGTH:
        message = f"The address is longer than {MAX_URL_LENGTH} characters."
        raise TargetRefusedError(message)
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        message = "This is not an address."
        raise TargetRefusedError(message) from error
    problem = _problem(parsed, private_allowed=private_allowed)
    if problem is not None:
        raise TargetRefusedError(problem)
    literal = _literal(parsed.host)
    if literal is not None:
        _refuse(literal, private_allowed=private_allowed)
    return parsed


async def checked_addresses(
    host: str, port: int, resolve: Resolve, *, private_allowed: bool
) -> list[str]:
    """Return the addresses of a host, each of which may be connected to.

    One that may not refuses them all: a name that points both outside and inside is a trap.
    """
    literal = _literal(host)
    found = [str(literal)] if literal else list(dict.fromkeys(await resolve(host, port)))
    for address in found:
        _refuse(ip_address(address.partition("%")[0]), private_allowed=private_allowed)
    return found


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system, off the event loop."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def port_of(url: httpx.URL) -> int:
    """Return the port that an address means."""
    if url.port is not None:
        return url.port
    return 443 if url.scheme == "https" else 80


def _problem(url: httpx.URL, *, private_allowed: bool) -> str | None:
    schemes = ("https", "http") if private_allowed else ("https",)
    if url.scheme not in schemes:
        return f"The address must begin with {' or '.join(f'{it}://' for it in schemes)}."
    if not url.host:
        return "The address names no host."
    if url.userinfo:
        return "The address must not hold a user name or password; the signature proves us."
    if url.fragment:
        return "The address must not have a fragment (#)."
    port = port_of(url)
    if port not in _WEB_PORTS and not FIRST_FREE_PORT <= port <= LAST_PORT:
        return f"Port {port} is not one that is used for this."
    return None


def _refuse(address: Address, *, private_allowed: bool) -> None:
    if is_forbidden(address, private_allowed=private_allowed):
        # Which one it is would tell strangers about the network inside.
        message = "The address leads to a private or reserved network."
        raise TargetRefusedError(message)


def is_forbidden(address: Address, *, private_allowed: bool = False) -> bool:
    """Return whether nothing may be sent to an IP address.

    Where private ones are allowed, still nothing goes to a cloud's metadata, to link-local
    addresses, or to many at once.
    """
    if address in _METADATA or address.is_multicast or address.is_unspecified:
        return True
    if address.is_link_local:
        return True
    if isinstance(address, IPv6Address):
        if any(address in network for network in _TRANSLATED) and not address.is_loopback:
            return True
        if not private_allowed and address not in _INTERNET_V6:
            return True
    return not private_allowed and not address.is_global


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None
