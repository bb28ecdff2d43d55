"""The lawful bases that a share may name, in plain words; consent last, for it is rarely right (HANDBOOK 3.3, 3.6)."""

from __future__ import annotations

from hub.access.models import CONSENT_BASES

PART_3 = ("p3_task", "p3_consent")
# what a sharer may rest on instead of the agreement's own, in the order in which they are offered
_UK_GDPR = ("art6_1e", "art6_1c", "art6_1d", "art6_1a")

BASIS_WORDS = {
    "art6_1e": ("It is part of our public task", "UK GDPR Art 6(1)(e)"),
    "art6_1c": ("The law obliges us to share it (statutory duty)", "UK GDPR Art 6(1)(c)"),
    "art6_1d": ("Somebody’s life is at stake (vital interests)", "UK GDPR Art 6(1)(d)"),
    "art6_1f": ("We or they have a legitimate interest", "UK GDPR Art 6(1)(f)"),
    "art6_1ea": ("It is a recognised legitimate interest", "UK GDPR Art 6(1)(ea)"),
    "art6_1b": ("The tenancy contract needs it", "UK GDPR Art 6(1)(b)"),
    "p3_task": ("It is necessary for a law enforcement task", "Data Protection Act 2018 s.35(2)(b)"),
    "p3_consent": ("The person consents", "Data Protection Act 2018 s.35(2)(a)"),
    "art6_1a": ("The person consents", "UK GDPR Art 6(1)(a)"),
}


def bases_beside(agreed: str) -> tuple[str, ...]:
    """The agreement's own basis first, then those of the same regime that a share may rest on instead, consent last."""
    regime = PART_3 if agreed in PART_3 else _UK_GDPR
    return tuple(sorted({agreed, *regime}, key=lambda one: (needs_consent(one), one != agreed, one)))


def needs_consent(basis: str) -> bool:
    """Does a share on this basis rest on a recorded consent?"""
    return basis in CONSENT_BASES
