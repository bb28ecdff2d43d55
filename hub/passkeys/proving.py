"""What a browser is asked for, and whether what came back is true: the one door to the library `webauthn` (SECURITY N1, N2).

User verification is required each time: a passkey is both factors at once, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hub.accounts import ceremonies
from hub.core.errors import Invalid
from hub.passkeys.party import Party

NAME = "Partner hub"
TIMEOUT_MS = int(ceremonies.LASTS.total_seconds() * 1000)
MOST_CHARACTERS = 64 * 1024
# the most that the standard allows
MOST_ID_BYTES = 1023
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    # Windows Hello has nothing else
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
# We ask for no attestation and believe none; some devices send one that they signed themselves all the same.
FORMATS = (AttestationFormat.NONE, AttestationFormat.PACKED)
# what the library lets through of input that only looks like a passkey's
BROKEN = (
    WebAuthnException,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True)
class Made:
    """A new passkey, as the device made it. `device_bound` is its own word: no attestation stands behind it."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    device_bound: bool


@dataclass(frozen=True)
class Given:
    """An answer to a challenge, read and not yet believed."""

    credential: AuthenticationCredential

    @property
    def credential_id(self) -> bytes:
        return self.credential.raw_id

    @property
    def user_handle(self) -> bytes | None:
        return self.credential.response.user_handle


class Untrue(Exception):
    """What was signed is not what was asked for, or not by the key that it names."""


def ask_for_new(
    party: Party, challenge: bytes, *, user: tuple[bytes, str, str], known: Sequence[bytes]
) -> str:
    """Options of `navigator.credentials.create` as JSON. `user`: handle, e-mail, name; `known`: ids not to make again."""
    handle, email, name = user
    return options_to_json(
        generate_registration_options(
            rp_id=party.id,
            rp_name=NAME,
            user_id=handle,
            user_name=email,
            user_display_name=name,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
            supported_pub_key_algs=ALGORITHMS,
        )
    )


def ask_for_proof(party: Party, challenge: bytes, *, known: Sequence[bytes] = ()) -> str:
    """Options of `navigator.credentials.get` as JSON. Without `known` the device shows which it has."""
    return options_to_json(
        generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def check_new(party: Party, challenge: bytes, text: str) -> Made:
    """The passkey that a browser made for this challenge; `Untrue` for anything else."""
    try:
        credential = parse_registration_credential_json(_of_size(text))
        _check_frame(credential.response.client_data_json)
        found = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
        # a key that can never verify anything would only be found out at the door
        decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
    except BROKEN as error:
        raise Untrue from error
    if found.fmt not in FORMATS or len(found.credential_id) > MOST_ID_BYTES:
        raise Untrue
    return Made(
        credential_id=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        device_bound=found.credential_device_type is CredentialDeviceType.SINGLE_DEVICE,
    )


def read_proof(text: str) -> Given:
    """`Untrue` for what is no answer to a challenge at all."""
    try:
        return Given(parse_authentication_credential_json(_of_size(text)))
    except BROKEN as error:
        raise Untrue from error


def check_proof(
    party: Party, challenge: bytes, given: Given, *, public_key: bytes, device_bound: bool
) -> int:
    """How often the device signed, as it says; `Untrue` unless this key signed this challenge here, with its user verified.

    Whether it counts back is for the caller to ask, after the signature: the library asks before, so that anybody who knows
    an id could have passed for a copy.
    """
    try:
        _check_frame(given.credential.response.client_data_json)
        found = verify_authentication_response(
            credential=given.credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except BROKEN as error:
        raise Untrue from error
    if device_bound is not (found.credential_device_type is CredentialDeviceType.SINGLE_DEVICE):
        # it never changes over a passkey's life
        raise Untrue
    return found.new_sign_count


def _check_frame(client_data: bytes) -> None:
    """A page of ours is never inside another's."""
    if parse_client_data_json(client_data).cross_origin:
        raise Untrue


def _of_size(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise Invalid("too_large", "What the browser sent is too large for a passkey.")
    return text
