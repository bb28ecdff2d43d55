"""Code lists of people: kinds of names (HANDBOOK 6.2) and of facts, and roles in a record (HANDBOOK 6.13)."""

from __future__ import annotations

import enum

from hub.places.vocabulary import PLACE_ROLES as PLACE_ROLES
from hub.vehicles.vocabulary import VEHICLE_ROLES as VEHICLE_ROLES


class NameKind(enum.StrEnum):
    CURRENT = "current"
    BIRTH = "birth"
    MAIDEN = "maiden"
    ALIAS = "alias"
    NICKNAME = "nickname"
    STREET_NAME = "street_name"
    MARRIED = "married"
    DEED_POLL = "deed_poll"
    TRANSLITERATION = "transliteration"
    PREVIOUS = "previous"


NAME_KIND_LABELS = {
    NameKind.CURRENT: "Current name",
    NameKind.BIRTH: "Birth name",
    NameKind.MAIDEN: "Maiden name",
    NameKind.ALIAS: "Alias",
    NameKind.NICKNAME: "Nickname",
    NameKind.STREET_NAME: "Street name",
    NameKind.MARRIED: "Married name",
    NameKind.DEED_POLL: "Name by deed poll",
    NameKind.TRANSLITERATION: "Transliteration",
    NameKind.PREVIOUS: "Previous name",
}


class FactKind(enum.StrEnum):
    """What else is known about a person; more kinds come with the forms that ask for them."""

    DATE_OF_BIRTH = "date_of_birth"
    SEX = "sex"
    PHONE = "phone"
    EMAIL = "email"
    HOUSING_REF = "housing_ref"
    YOT_REF = "yot_ref"
    DESCRIPTION = "description"


FACT_KIND_LABELS = {
    FactKind.DATE_OF_BIRTH: "Date of birth",
    FactKind.SEX: "Sex",
    FactKind.PHONE: "Phone",
    FactKind.EMAIL: "Email",
    FactKind.HOUSING_REF: "Housing reference",
    FactKind.YOT_REF: "YOT reference",
    FactKind.DESCRIPTION: "Description",
}


class FactSource(enum.StrEnum):
    """From whom or what a name or fact is known."""

    PERSON = "person"
    FAMILY = "family"
    WITNESS = "witness"
    PROFESSIONAL = "professional"
    DOCUMENT = "document"
    SYSTEM = "system"
    OBSERVED = "observed"
    ANONYMOUS = "anonymous"
    NOT_RECORDED = "not_recorded"


FACT_SOURCE_LABELS = {
    FactSource.PERSON: "The person themselves",
    FactSource.FAMILY: "Family or household",
    FactSource.WITNESS: "A victim, witness or neighbour",
    FactSource.PROFESSIONAL: "A professional of a partner",
    FactSource.DOCUMENT: "A document that was seen",
    FactSource.SYSTEM: "Another system of the organisation",
    FactSource.OBSERVED: "Seen or heard by the worker",
    FactSource.ANONYMOUS: "Somebody who gave no name",
    FactSource.NOT_RECORDED: "Not recorded",
}


class InvolvementRole(enum.StrEnum):
    VICTIM = "victim"
    COMPLAINANT = "complainant"
    WITNESS = "witness"
    REPORTING_PERSON = "reporting_person"
    SUBJECT = "subject"
    SUSPECT = "suspect"
    OFFENDER_CONVICTED = "offender_convicted"
    RESPONDENT = "respondent"
    CHILD_AT_RISK = "child_at_risk"
    ADULT_AT_RISK = "adult_at_risk"
    MISSING_PERSON = "missing_person"
    FAMILY_MEMBER = "family_member"
    PARENT_CARER = "parent_carer"
    PROFESSIONAL = "professional"
    LANDLORD = "landlord"
    BUSINESS = "business"
    THIRD_PARTY = "third_party"


INVOLVEMENT_ROLE_LABELS = {
    InvolvementRole.VICTIM: "Victim",
    InvolvementRole.COMPLAINANT: "Complainant",
    InvolvementRole.WITNESS: "Witness",
    InvolvementRole.REPORTING_PERSON: "Person reporting",
    InvolvementRole.SUBJECT: "Subject of concern",
    InvolvementRole.SUSPECT: "Suspect",
    InvolvementRole.OFFENDER_CONVICTED: "Convicted person",
    InvolvementRole.RESPONDENT: "Respondent",
    InvolvementRole.CHILD_AT_RISK: "Child at risk",
    InvolvementRole.ADULT_AT_RISK: "Adult at risk",
    InvolvementRole.MISSING_PERSON: "Missing person",
    InvolvementRole.FAMILY_MEMBER: "Family member",
    InvolvementRole.PARENT_CARER: "Parent or carer",
    InvolvementRole.PROFESSIONAL: "Professional",
    InvolvementRole.LANDLORD: "Landlord",
    InvolvementRole.BUSINESS: "Business",
    InvolvementRole.THIRD_PARTY: "Third party",
}

# What is known of these people belongs to the victim section: a share of `people` alone doesn't show them.
VICTIM_SIDE = frozenset(
    {
        InvolvementRole.VICTIM,
        InvolvementRole.COMPLAINANT,
        InvolvementRole.WITNESS,
        InvolvementRole.REPORTING_PERSON,
    }
)
