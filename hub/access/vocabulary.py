"""The closed lists of the sharing rule (ACCESS section 2; purposes are HANDBOOK 14.2 `sharing_purpose`)."""

from __future__ import annotations

import enum


class Marking(enum.IntEnum):
    """Government security classifications in use here, in rising order."""

    OFFICIAL = 0
    OFFICIAL_SENSITIVE = 1

    @property
    def label(self) -> str:
        return "OFFICIAL" if self is Marking.OFFICIAL else "OFFICIAL-SENSITIVE"


class RecordKind(enum.StrEnum):
    CASE = "case"
    INCIDENT = "incident"


class Section(enum.StrEnum):
    """Parts of a record that a grant may name."""

    SUMMARY = "summary"
    PEOPLE = "people"
    VICTIM = "victim"
    CHRONOLOGY = "chronology"
    RISK = "risk"
    ENFORCEMENT = "enforcement"
    FILES = "files"
    TASKS = "tasks"
    MEETINGS = "meetings"
    SAFEGUARDING = "safeguarding"
    YOUTH_JUSTICE = "youth_justice"
    HEALTH = "health"


SECTION_LABELS = {
    Section.SUMMARY: "Summary",
    Section.PEOPLE: "People, places and vehicles",
    Section.VICTIM: "Victims and witnesses",
    Section.CHRONOLOGY: "Log",
    Section.RISK: "Risk",
    Section.ENFORCEMENT: "Enforcement",
    Section.FILES: "Files",
    Section.TASKS: "Tasks",
    Section.MEETINGS: "Meetings",
    Section.SAFEGUARDING: "Safeguarding",
    Section.YOUTH_JUSTICE: "Youth justice",
    Section.HEALTH: "Health",
}


class Audience(enum.StrEnum):
    """A narrower circle for one item inside its section."""

    SUPERVISOR_ONLY = "supervisor_only"
    VICTIM_SAFE = "victim_safe"
    POLICE_ONLY = "police_only"
    ORGANISATIONS = "organisations"
    PEOPLE = "people"


AUDIENCE_LABELS = {
    Audience.SUPERVISOR_ONLY: "Supervisors only",
    Audience.VICTIM_SAFE: "May be told to the victim",
    Audience.POLICE_ONLY: "Police only",
    Audience.ORGANISATIONS: "Named organisations only",
    Audience.PEOPLE: "Named people only",
}


class Purpose(enum.StrEnum):
    """What a user works for; a share for one purpose is invisible under another."""

    PREVENT_CRIME = "prevent_crime"
    DETECT_CRIME = "detect_crime"
    SAFEGUARD_CHILD = "safeguard_child"
    SAFEGUARD_ADULT = "safeguard_adult"
    PROTECT_PUBLIC = "protect_public"
    MANAGE_OFFENDER = "manage_offender"
    TENANCY = "tenancy"
    SUPPORT_VICTIM = "support_victim"
    LICENSING = "licensing"
    CASE_REVIEW = "case_review"
    SERIOUS_VIOLENCE = "serious_violence"
    PLANNING = "planning"


PURPOSE_LABELS = {
    Purpose.PREVENT_CRIME: "Prevent crime and disorder",
    Purpose.DETECT_CRIME: "Detect crime",
    Purpose.SAFEGUARD_CHILD: "Safeguard a child",
    Purpose.SAFEGUARD_ADULT: "Safeguard an adult",
    Purpose.PROTECT_PUBLIC: "Protect the public",
    Purpose.MANAGE_OFFENDER: "Manage an offender",
    Purpose.TENANCY: "Tenancy",
    Purpose.SUPPORT_VICTIM: "Support a victim",
    Purpose.LICENSING: "Licensing",
    Purpose.CASE_REVIEW: "Case review",
    Purpose.SERIOUS_VIOLENCE: "Serious violence duty",
    Purpose.PLANNING: "Planning",
}


class GrantState(enum.StrEnum):
    """pending → accepted or rejected; a revoked or expired one is an accepted one whose clock has run out."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
