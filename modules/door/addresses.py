"""Which network addresses are of the public internet."""

import ipaddress

__all__ = ["is_public"]

# IANA's registries of special-purpose addresses, and multicast.
SPECIAL_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
UNICAST_6 = ipaddress.IPv6Network("2000::/3")
# Teredo and 6to4 lead through relays to addresses of version 4; nothing that serves pictures has such a one.
SPECIAL_6 = tuple(
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
CARRIERS = tuple(ipaddress.IPv6Network(text) for text in ("::ffff:0:0/96", "64:ff9b::/96"))
"""IPv4-mapped, and NAT64: the last 32 bits are an address of version 4, which is the one that is reached."""


def is_public(address: str) -> bool:
    """Whether `address` (version 4 or 6, as text) is one of the public internet; what is none is not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if not any(parsed in carrier for carrier in CARRIERS):
            return parsed in UNICAST_6 and not any(parsed in special for special in SPECIAL_6)
        parsed = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    return not any(parsed in special for special in SPECIAL_4)
