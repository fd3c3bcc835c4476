"""Addresses of the staged outside world, all of them reserved for documentation: none belongs to anybody."""

from __future__ import annotations

from typing import Final

# RFC 5737 (192.0.2.0/24, 198.51.100.0/24) and RFC 3849 (2001:db8::/32).
SINK_4: Final = "198.51.100.1"
SITE_4: Final = "198.51.100.2"
SINK_6: Final = "2001:db8:51::1"
SITE_6: Final = "2001:db8:51::2"
FAR_4: Final = "192.0.2.1"
FAR_6: Final = "2001:db8:ffff::1"
PROXY_PORT: Final = 3128
TLS_PORT: Final = 443
DNS_PORT: Final = 53
FAR_NAME: Final = "canary.example.com"  # RFC 2606
SINK_LINK: Final = "sink0"
SITE_LINK: Final = "site0"


def bait() -> dict[str, str]:
    """Return the proxies that are held out to every process; a program that reads them goes to the sink."""
    proxy = f"http://{SINK_4}:{PROXY_PORT}"
    names = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
    return {name: proxy for one in names for name in (one, one.upper())} | {"no_proxy": "", "NO_PROXY": ""}
