"""What an identity provider may be set to accept, and why the hub may refuse what one says (SECURITY N9)."""

from __future__ import annotations

import enum

# Signatures by a key pair only: with a shared secret or none at all, whoever knows the public key could write a token.
ALGORITHMS = {
    "RS256": "RS256 (RSA)",
    "PS256": "PS256 (RSA-PSS)",
    "ES256": "ES256 (elliptic curve)",
    "EdDSA": "EdDSA (Ed25519)",
}

# Which of RFC 8176's words stand for a second factor. `mfa` says so itself; `otp` and `hwk` are things somebody has, which
# providers ask for beside a password or unlock with a finger or PIN. `swk` (a key in software, which can be copied) is to be
# chosen on purpose. Not offered: `fpt`, `face` and `pin`, which may have unlocked nothing but the screen; `sms` and `tel`,
# which the hub takes nowhere (N4); `pwd`, which is the first factor.
AMR = {
    "mfa": "mfa: the provider says that several factors were used",
    "otp": "otp: a one-time code from an app or a token",
    "hwk": "hwk: a key in hardware, such as a security key",
    "swk": "swk: a key in software, such as a synced passkey",
}
DEFAULT_AMR = ("mfa", "otp", "hwk")
# factors that reach somebody by a phone number; where they are named, `mfa` alone is not enough
BY_PHONE = frozenset({"sms", "tel"})


class Why(enum.StrEnum):
    """Why a sign-in through a provider was refused: the fact of the event, and the sentence for the user."""

    STATE = "provider_state"
    OVER = "provider_over"
    MIXED_UP = "provider_mixed_up"
    DECLINED = "provider_declined"
    UNREACHABLE = "provider_unreachable"
    CODE = "provider_code"
    NO_TOKEN = "provider_no_token"
    ALGORITHM = "provider_algorithm"
    KEY = "provider_key"
    SIGNATURE = "provider_signature"
    ISSUER = "provider_issuer"
    AUDIENCE = "provider_audience"
    NONCE = "provider_nonce"
    EXPIRED = "provider_expired"
    FUTURE = "provider_future"
    SUBJECT = "provider_subject"
    CLAIMS = "provider_claims"
    TOO_OLD = "provider_too_old"
    ONE_FACTOR = "provider_one_factor"
    STRANGER = "provider_stranger"
    OTHER_PERSON = "provider_other_person"
    CLOSED = "provider_closed"
    ENDED = "provider_ended"
    LOGOUT = "provider_logout"


_WRONG = "What your organisation’s sign-in service told us did not pass our checks, so we did not rely on it."
SENTENCES = {
    Why.STATE: "This sign-in was not begun in this browser, or another one was begun after it. Start again.",
    Why.OVER: "This took longer than five minutes, was done already, or you were signed out meanwhile. Start again.",
    Why.DECLINED: "Your organisation’s sign-in service ended the sign-in. Start again, or ask your IT service desk.",
    Why.UNREACHABLE: "Your organisation’s sign-in service does not answer just now. Try again in a few minutes.",
    Why.TOO_OLD: "Your organisation’s sign-in service did not ask who you are recently enough, or does not say when it did.",
    Why.ONE_FACTOR: "Your organisation’s sign-in service did not tell us that you used a second factor, such as a code or "
    "a security key. The hub needs one.",
    Why.STRANGER: "Your organisation’s sign-in worked, but it is not linked to an account of the hub. Sign in as you did "
    "before and link it under Your account, or use the link of your invitation. Without an account, ask the "
    "administrator (SPOC) of your organisation.",
    Why.OTHER_PERSON: "You signed in at your organisation as somebody else than the person whose account this is.",
    Why.CLOSED: "This account of the hub cannot be used. Ask the administrator (SPOC) of your organisation.",
    Why.ENDED: "Your organisation’s sign-in service is not connected to the hub any more.",
}


def sentence(why: Why) -> str:
    return SENTENCES.get(why, _WRONG)
