"""The form of a place: what is typed, checked and brought to one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.core.errors import Invalid
from hub.core.text import clean
from hub.places.postcodes import normal_postcode
from hub.places.vocabulary import PLACE_ROLES, PlaceKind

LIMIT = 200


@dataclass(frozen=True)
class PlaceForm:
    """A place and its role in the record. `description` is how people on the spot name it."""

    kind: PlaceKind
    description: str
    street: str = ""
    town: str = ""
    ward: str = ""
    postcode: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    lsoa_code: str | None = None
    role: str = "scene"


def parse_place(form: Mapping[str, str], *, prefix: str = "") -> PlaceForm:
    """All errors at once, under the names of the inputs. Raises `Invalid`."""
    errors: dict[str, str] = {}
    texts = {
        name: clean(form.get(f"{prefix}{name}", "")) for name in ("description", "street", "town", "ward")
    }
    for name, text in texts.items():
        if len(text) > LIMIT:
            errors[f"{prefix}{name}"] = f"Enter {LIMIT} characters or fewer"
    if not (texts["description"] or texts["street"]):
        errors[f"{prefix}description"] = "Enter the place: a name, a street or how people call it"
    kind = form.get(f"{prefix}kind", "")
    if kind not in set(PlaceKind):
        errors[f"{prefix}kind"] = "Select what kind of place it is"
    role = form.get(f"{prefix}role", "scene")
    if role not in PLACE_ROLES:
        errors[f"{prefix}role"] = "Select what the place has to do with this record"
    postcode = None
    try:
        postcode = normal_postcode(form.get(f"{prefix}postcode", ""))
    except Invalid as invalid:
        errors[f"{prefix}postcode"] = invalid.message
    if errors:
        raise Invalid("bad_place", errors=errors)
    return PlaceForm(
        PlaceKind(kind),
        description=texts["description"],
        street=texts["street"],
        town=texts["town"],
        ward=texts["ward"],
        postcode=postcode,
        role=role,
    )


def has_place(form: Mapping[str, str], *, prefix: str = "") -> bool:
    """Was anything of a place typed at all?"""
    names = ("description", "street", "town", "ward", "postcode")
    return any(form.get(f"{prefix}{name}", "").strip() for name in names)
