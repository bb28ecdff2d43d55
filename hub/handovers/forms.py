"""An offer to hand a case over as it is typed, and the answers to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.access.models import CONSENT_BASES
from hub.access.vocabulary import Purpose, Section
from hub.agreements.vocabulary import DEPERSONALISED_ONLY, GATEWAYS, LAWFUL_BASES
from hub.core.errors import Invalid
from hub.core.text import MAX_TEXT, clean
from hub.sharing.forms import parse_recipient

# what may stay behind with whoever wrote it; the summary is the case itself
STAYABLE = tuple(one for one in Section if one is not Section.SUMMARY)
# what a new lead may stand on: of its own, so never on depersonalised data or on somebody else's record of a consent
OWN_GATEWAYS = {key: words for key, words in GATEWAYS.items() if key not in DEPERSONALISED_ONLY}
OWN_BASES = {key: words for key, words in LAWFUL_BASES.items() if key not in CONSENT_BASES}


@dataclass(frozen=True)
class OfferForm:
    """To which team, for what, why, and which sections stay behind. Within one's own organisation everything goes."""

    to_organisation_id: UUID
    to_team_id: UUID
    reason: str
    purpose: Purpose | None = None
    agreement_id: UUID | None = None
    stays: tuple[Section, ...] = ()

    @property
    def goes(self) -> tuple[Section, ...]:
        return tuple(one for one in Section if one not in self.stays)


@dataclass(frozen=True)
class AcceptForm:
    """By which gateway and basis the new lead holds the case; empty within one organisation."""

    gateway: str = ""
    lawful_basis: str = ""
    note: str = ""


def parse_team(form: Mapping[str, Any], errors: dict[str, str]) -> tuple[UUID, UUID] | None:
    """`to` is `team:<organisation>:<team>`."""
    organisation, team, _ = parse_recipient(form, errors)
    if organisation is None or team is None:
        errors["to"] = "Choose the team that takes the case over"
        return None
    return organisation, team


def parse_offer(form: Mapping[str, Any]) -> OfferForm:
    """Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    to = parse_team(form, errors)
    purpose, agreement = _purpose(str(form.get("purpose", "")), errors)
    given = form.getlist("stays") if hasattr(form, "getlist") else form.get("stays", [])
    if set(given) - set(STAYABLE):
        errors["stays"] = "Choose parts from the list"
    reason = _text(form, "reason", errors, "Say why the case is handed over")
    if errors or to is None:
        raise Invalid("bad_offer", errors=errors)
    stays = tuple(one for one in STAYABLE if one.value in set(given))
    return OfferForm(*to, reason=reason, purpose=purpose, agreement_id=agreement, stays=stays)


def parse_acceptance(form: Mapping[str, Any], *, outside: bool) -> AcceptForm:
    """Raises `Invalid`. `outside`: it comes from another organisation, so that gateway and basis are restated."""
    errors: dict[str, str] = {}
    gateway, basis = str(form.get("gateway", "")), str(form.get("lawful_basis", ""))
    if outside and gateway not in OWN_GATEWAYS:
        errors["gateway"] = "Choose the legal gateway that your organisation stands on"
    if outside and basis not in OWN_BASES:
        errors["lawful_basis"] = "Choose the lawful basis that your organisation stands on"
    note = _text(form, "note", errors, "")
    if errors:
        raise Invalid("bad_acceptance", errors=errors)
    return AcceptForm(gateway if outside else "", basis if outside else "", note)


def parse_refusal(form: Mapping[str, Any]) -> str:
    """Why not. Raises `Invalid`."""
    errors: dict[str, str] = {}
    reason = _text(form, "reason", errors, "Say why your team does not take the case")
    if errors:
        raise Invalid("bad_refusal", errors=errors)
    return reason


def _purpose(text: str, errors: dict[str, str]) -> tuple[Purpose | None, UUID | None]:
    """`<purpose>:<agreement>`; nothing where nothing was chosen, as within one's own organisation."""
    given, _, agreement = text.partition(":")
    if not given:
        return None, None
    try:
        return Purpose(given), UUID(agreement)
    except ValueError:
        errors["purpose"] = "Choose a purpose from the list"
        return None, None


def _text(form: Mapping[str, Any], name: str, errors: dict[str, str], wanted: str) -> str:
    text = clean(str(form.get(name, "")))
    if not text and wanted:
        errors[name] = wanted
    elif len(text) > MAX_TEXT:
        errors[name] = f"This must be {MAX_TEXT:,} characters or fewer. You wrote {len(text):,}"
    return text
