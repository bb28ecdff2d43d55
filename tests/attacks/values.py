"""Hostile values: as they stand in an address, in a form, in a header, in a cookie."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from hub.web.identity import COOKIE

NUMBERS = ("revision", "marking", "max_marking")

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"

# as they stand in an address, percent-encoded: nothing between us and the application mends them
IN_ADDRESSES = {
    "nul": "%00",
    "nul inside": "a%00b",
    "surrogate": "%ED%A0%80",
    "broken utf-8": "%FF%FE",
    "line breaks": "a%0D%0ASet-Cookie:%20a=b",
    "markup": quote(SCRIPT),
    "statement": quote("' OR 1=1; DROP TABLE record --"),
    "template": quote("{{ 7*7 }}${7*7}%s%(a)s{0}"),
    "path": quote("../../../etc/passwd"),
    "number": "9" * 400,
    "negative": "-1",
    "not a number": "NaN",
    "a year too far": "9999-12-31",
    "brackets": quote("//[::1"),
    "10,000 characters": "x" * 10_000,
    "emoji and right-to-left": quote("🚲\u202e\u200b" * 20),
    "deep": base64.urlsafe_b64encode(b"[" * 6000).decode().rstrip("="),
    "a cursor at the end of time": base64.urlsafe_b64encode(
        b'["9999-12-31T23:59:59.999999-14:00","00000000-0000-0000-0000-000000000000"]'
    )
    .decode()
    .rstrip("="),
    "a cursor of numbers": base64.urlsafe_b64encode(b"[1e999,{}]").decode().rstrip("="),
}

# one of a kind is enough where every parameter of every page is tried
ALIKE = frozenset({"nul", "surrogate", "template", "path", "negative", "not a number", "statement"})

# as they are typed into every field of a form, and into its free texts with all else right
IN_FIELDS: dict[str, Any] = {
    "nul": "\0",
    "number": "9" * 400,
    "a large number": str(2**31),
    "a year too far": "9999",
    "other digits": "٣",
    "brackets": "//[::1",
    "30,000 characters": "y" * 30_000,
    "several": ["a", "b", "c"],
}

IN_TEXTS: dict[str, Any] = {
    "nul inside": "a\0b",
    "line breaks": "a\r\nSet-Cookie: a=b",
    "markup": SCRIPT,
    "statement and template": "' OR 1=1; DROP TABLE record -- {{ 7*7 }}${7*7}%s%(a)s{0}",
    "emoji and right-to-left": "🚲\u202e\u200b",
    "30,000 characters": "y" * 30_000,
}

TEXTS = frozenset(
    [
        "title",
        "summary",
        "restricted_reason",
        "reason",
        "text",
        "description",
        "told_by",
        "why",
        "given_names",
        "family_name",
        "known_as",
        "concerning",
        "wording",
        "street",
        "town",
        "ward",
        "frame_number",
        "make",
        "model",
        "colour",
        "marking_reason",
        "name",
        "job_title",
        "place-description",
        "place-street",
        "place-town",
        "place-ward",
        "reference",
        "email",
        "password",
        "again",
        "told",
        "capacity",
        "person_view",
        "value",
        "sought",
        "wanted",
        "answer",
        "note",
        "training-evidence",
        "vetting-evidence",
    ]
)

HEADERS = {
    "no kind": {"Accept": ""},
    "only json": {"Accept": "application/json"},
    "nonsense": {"Accept": "\x01/*;q=abc,;;q=1e999,*/*;q=nan"},
    "many": {"Accept": ",".join(f"a/b{n};q=0.{n}" for n in range(500))},
    "language": {"Accept-Language": "x" * 5000},
    "range": {"Range": "bytes=9-1,-,a-b"},
    "if-match": {"If-None-Match": '"\x01', "If-Modified-Since": "yesterday"},
    "host": {"Host": "evil.example"},
    "a broken host": {"Host": "[::1"},
    "a host of nonsense": {"Host": 'a b"<>'},
    "forwarded": {
        "X-Forwarded-For": "' OR 1=1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "x",
    },
    "agent": {"User-Agent": "ł\x01" * 3000},
    "authorization": {"Authorization": "Basic !!!"},
    "bearer": {"Authorization": "Digest a"},
    "method override": {"X-HTTP-Method-Override": "DELETE"},
    "length": {"Content-Length": "-1"},
    "a long length": {"Content-Length": "9" * 30},
    "no length": {"Content-Length": "abc"},
}

COOKIES = {
    "nothing": f"{COOKIE}=",
    "nul": f'{COOKIE}="\\000"',
    "nul inside": f'{COOKIE}="abc\\000def"',
    "octal": f'{COOKIE}="\\377\\355\\240\\200"',
    "long": f"{COOKIE}={'a' * 5000}",
    "bytes": f"{COOKIE}=\xff\xfe",
    "twice": f"{COOKIE}=a; {COOKIE}=b",
    "statement": f"{COOKIE}=' OR 1=1 --",
    "notes": "__Host-hub-notes=eyJhIjoxfQ.aaaa.bbbb",
    "notes of nonsense": "__Host-hub-notes=.....; =; ;;",
    "no name": "=x; ;",
}
