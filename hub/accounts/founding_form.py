"""What an operator says of an organisation that joins a partnership, checked all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hub.accounts.founding import Founding, OrganisationForm, PartnershipForm
from hub.accounts.naming import MAX_NAME, is_email, is_name
from hub.core.errors import Invalid
from hub.core.text import clean

_CODE = re.compile(r"[A-Z0-9]{2,6}")


def parse_founding(given: Mapping[str, str | None]) -> Founding:
    """Names and the kind may be missing where the code names what is there already. Raises `Invalid` with all that is wrong."""
    errors: dict[str, str] = {}
    values = {name: clean(value) if value is not None else None for name, value in given.items()}
    codes = {whose: (values[f"{whose}_code"] or "").upper() for whose in ("partnership", "organisation")}
    for whose, code in codes.items():
        if not _CODE.fullmatch(code):
            errors[whose] = f"The code of the {whose} must be 2 to 6 capital letters and numbers"
    for field in ("partnership_name", "organisation_name", "administrator_name"):
        name = values[field]
        if name is not None and not is_name(name):
            whose = field.removesuffix("_name")
            errors[field] = f"Give the name of the {whose} in {MAX_NAME} characters or fewer"
    if values["organisation_name"] is not None and values["organisation_kind"] is None:
        errors["organisation_kind"] = "Give the kind of the organisation"
    email = (values["administrator_email"] or "").lower()
    if not is_email(email):
        errors["administrator_email"] = "Give an email address like name@example.org"
    if errors:
        raise Invalid("bad_founding", errors=errors)
    return Founding(
        PartnershipForm(codes["partnership"], values["partnership_name"]),
        OrganisationForm(codes["organisation"], values["organisation_name"], values["organisation_kind"]),
        (values["administrator_name"] or "", email),
    )
