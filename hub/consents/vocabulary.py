"""Who may consent and how a consent was given or withdrawn (HANDBOOK 3.6; FEATURES 42 and 47)."""

from __future__ import annotations

import enum


class GivenBy(enum.StrEnum):
    PERSON = "person"
    PARENT = "parent"
    ATTORNEY = "attorney"


GIVEN_BY_LABELS = {
    GivenBy.PERSON: "The person themselves",
    GivenBy.PARENT: "A parent or someone with parental responsibility",
    GivenBy.ATTORNEY: "An attorney or deputy for health and welfare",
}


class ConsentHow(enum.StrEnum):
    IN_PERSON = "in_person"
    PHONE = "phone"
    WRITING = "writing"
    FORM = "form"


HOW_LABELS = {
    ConsentHow.IN_PERSON: "Said in person",
    ConsentHow.PHONE: "Said on the phone",
    ConsentHow.WRITING: "In writing",
    ConsentHow.FORM: "On a signed form",
}
