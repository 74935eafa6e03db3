"""Which proxy, if any, a URL goes through: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY.

Asked here once, so that the offline verdict and the HTTP client cannot disagree.
"""

import ipaddress
from urllib.request import getproxies, proxy_bypass

from pytest_potmodels.transfer.urls import Origin, origin


def proxy_for(url: str) -> str | None:
    """The proxy's URL, or None for a direct connection."""
    target = origin(url)
    settings = getproxies()
    proxy = settings.get(target.scheme) or settings.get("all")
    if not proxy or _bypassed(target, settings.get("no", "")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _bypassed(target: Origin, no_proxy: str) -> bool:
    if proxy_bypass(target.host) or proxy_bypass(f"{target.host}:{target.port}"):
        return True
    return _in_networks(target.host, no_proxy)


def _in_networks(host: str, no_proxy: str) -> bool:
    """Whether an address is in a network such as 10.0.0.0/8; urllib compares names only."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    networks = (part.strip() for part in no_proxy.split(",") if "/" in part)
    return any(address in network for network in map(_network, networks) if network)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
