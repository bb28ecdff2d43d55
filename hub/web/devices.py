"""What a request tells of the device and the network it comes from, cut down to what a person recognises as their own."""

from __future__ import annotations

import ipaddress
import re

OTHER = "other"
# the first that is found counts: most browsers also name those that they descend from
BROWSERS = (
    ("edge", r"Edg(e|A|iOS)?/", "Edge"),
    ("samsung", r"SamsungBrowser/", "Samsung Internet"),
    ("firefox", r"Firefox/|FxiOS/", "Firefox"),
    ("chrome", r"Chrom(e|ium)/|CriOS/", "Chrome"),
    ("safari", r"Safari/", "Safari"),
)
SYSTEMS = (
    ("ios", r"iPhone|iPad", "iPhone or iPad"),
    ("android", r"Android", "Android"),
    ("chromeos", r"CrOS", "Chromebook"),
    ("windows", r"Windows", "Windows"),
    ("macos", r"Macintosh|Mac OS X", "Mac"),
    ("linux", r"Linux|X11", "Linux"),
)
_BROWSER_WORDS = {code: words for code, _, words in BROWSERS} | {OTHER: "Another browser"}
_SYSTEM_WORDS = {code: words for code, _, words in SYSTEMS} | {OTHER: "another device"}
# of an address: what a household or an office shares
PREFIX = {4: 24, 6: 48}


def device_of(user_agent: str) -> str:
    """A code such as `firefox.windows`: families only, no version and nothing of what was sent."""
    given = user_agent[:1000]
    browser = next((code for code, known, _ in BROWSERS if re.search(known, given)), OTHER)
    system = next((code for code, known, _ in SYSTEMS if re.search(known, given)), OTHER)
    return f"{browser}.{system}"


def device_in_words(code: str | None) -> str:
    browser, _, system = (code or "").partition(".")
    if browser not in _BROWSER_WORDS or system not in _SYSTEM_WORDS:
        return "Not known"
    return f"{_BROWSER_WORDS[browser]} on {_SYSTEM_WORDS[system]}"


def network_of(address: str | None) -> str | None:
    """The network of an address, such as `192.0.2.0/24`; None for what is no address."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    kept = mapped or ip
    return str(ipaddress.ip_network((kept, PREFIX[kept.version]), strict=False))
