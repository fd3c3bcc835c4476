# ruff: noqa: INP001 - Ansible loads this file by its place
"""Which of the configured addresses lie outside the site. The product's own settings refuse them too, at start."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LOCAL_NAMES = (".local", ".internal", ".lan")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def off_site(values: Iterable[str]) -> list[str]:
    """Return the URLs, `host:port` pairs, addresses and networks that are neither private nor loopback."""
    return [value for value in values if not _is_on_site(str(value))]


def _is_on_site(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return _is_on_site_host(value)
    if isinstance(network, ipaddress.IPv6Network) and network.overlaps(_MAPPED):
        # `::ffff:8.8.8.8` is an IPv4 address in other clothes, and its whole range counts as private.
        inside = network.network_address.ipv4_mapped
        return inside is not None and _is_on_site(f"{inside}/{max(network.prefixlen - 96, 0)}")
    # A private supernet such as 0.0.0.0/0 would not be: every address of the range has to be private.
    return network.is_private or network.is_loopback or network.is_link_local


def _is_on_site_host(value: str) -> bool:
    try:
        host = urlsplit(value if "://" in value else f"//{value}").hostname or ""
        if host == "localhost" or host.endswith(_LOCAL_NAMES):
            return True
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Name the filters."""
        return {"off_site": off_site}
