"""Every closed list that is part of the hub itself, with the names under which administrators look it up. None can be changed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app

from hub.access.permissions import ROLES
from hub.access.vocabulary import AUDIENCE_LABELS, PURPOSE_LABELS, SECTION_LABELS
from hub.access_requests.vocabulary import STATE_LABELS as REQUEST_STATE_LABELS
from hub.access_requests.vocabulary import URGENCY_LABELS
from hub.accounts.vocabulary import ORGANISATION_KIND_LABELS
from hub.agreements.vocabulary import CONDITIONS, GATEWAYS, LAWFUL_BASES
from hub.attachments.vocabulary import DOCUMENT_KIND_LABELS
from hub.cases.vocabulary import (
    CASE_KIND_LABELS,
    CASE_OUTCOME_LABELS,
    CASE_SOURCE_LABELS,
    CASE_STATUS_LABELS,
    CLOSURE_REASON_LABELS,
    PRIORITY_LABELS,
    RISK_LABELS,
    VICTIM_TOLD_LABELS,
)
from hub.chronology.vocabulary import ENTRY_KIND_LABELS, ENTRY_NATURE_LABELS
from hub.consents.vocabulary import GIVEN_BY_LABELS, HOW_LABELS
from hub.disclosures.vocabulary import RELEVANCE_LABELS, SENSITIVITY_LABELS
from hub.emergencies.vocabulary import OUTCOME_LABELS
from hub.incidents.vocabulary import INCIDENT_KIND_LABELS, INCIDENT_SOURCE_LABELS
from hub.interests.vocabulary import KIND_LABELS as INTEREST_KIND_LABELS
from hub.interests.vocabulary import RELATION_LABELS
from hub.people.vocabulary import (
    FACT_KIND_LABELS,
    FACT_SOURCE_LABELS,
    INVOLVEMENT_ROLE_LABELS,
    NAME_KIND_LABELS,
)
from hub.places.vocabulary import PLACE_KIND_LABELS, PLACE_ROLES
from hub.sharing.vocabulary import FACT_LABELS
from hub.vehicles.vocabulary import VEHICLE_KIND_LABELS, VEHICLE_ROLES


@dataclass(frozen=True)
class FixedList:
    """`labels` is code → label, in the order in which it is offered."""

    code: str
    title: str
    about: str
    labels: Mapping[str, str]


def fixed(code: str, title: str, about: str, labels: Mapping[Any, str]) -> FixedList:
    return FixedList(code, title, about, {str(key): label for key, label in labels.items()})


_ALL = (
    fixed("incident_type", "Incident types", "Incidents", INCIDENT_KIND_LABELS),
    fixed("incident_source", "Sources of incidents", "Incidents", INCIDENT_SOURCE_LABELS),
    fixed("case_type", "Case types", "Cases", CASE_KIND_LABELS),
    fixed("case_status", "States of a case", "Cases", CASE_STATUS_LABELS),
    fixed("case_source", "Sources of cases", "Cases", CASE_SOURCE_LABELS),
    fixed("priority", "Priority", "Cases", PRIORITY_LABELS),
    fixed("risk", "Risk", "Cases", RISK_LABELS),
    fixed("closure_reason", "Closure reasons", "Cases", CLOSURE_REASON_LABELS),
    fixed("case_outcome", "Outcomes of cases", "Cases", CASE_OUTCOME_LABELS),
    fixed("victim_told", "Whether the victim was told", "Cases", VICTIM_TOLD_LABELS),
    fixed("entry_type", "Kinds of entries", "The log of a record", ENTRY_KIND_LABELS),
    fixed("entry_nature", "Fact or assessment", "The log of a record", ENTRY_NATURE_LABELS),
    fixed("involvement_role", "Roles of people", "People", INVOLVEMENT_ROLE_LABELS),
    fixed("name_kind", "Kinds of names", "People", NAME_KIND_LABELS),
    fixed("fact_kind", "Facts about people", "People", FACT_KIND_LABELS),
    fixed("fact_source", "Sources of facts", "People", FACT_SOURCE_LABELS),
    fixed("place_kind", "Kinds of places", "Places and vehicles", PLACE_KIND_LABELS),
    fixed("place_role", "Roles of places", "Places and vehicles", PLACE_ROLES),
    fixed("vehicle_kind", "Kinds of vehicles", "Places and vehicles", VEHICLE_KIND_LABELS),
    fixed("vehicle_role", "Roles of vehicles", "Places and vehicles", VEHICLE_ROLES),
    fixed("document_type", "Kinds of files", "Files", DOCUMENT_KIND_LABELS),
    fixed("relevance", "Relevance for a disclosure", "Files", RELEVANCE_LABELS),
    fixed("sensitivity", "Sensitivity for a disclosure", "Files", SENSITIVITY_LABELS),
    fixed("sharing_purpose", "Purposes of sharing", "Sharing", PURPOSE_LABELS),
    fixed("section", "Sections of a record", "Sharing", SECTION_LABELS),
    fixed("audience", "Narrower audiences", "Sharing", AUDIENCE_LABELS),
    fixed("shared_fact", "Facts that are shared by themselves", "Sharing", FACT_LABELS),
    fixed("gateway", "Legal gateways", "Agreements", GATEWAYS),
    fixed("lawful_basis", "Lawful bases", "Agreements", LAWFUL_BASES),
    fixed("condition", "Conditions for special categories", "Agreements", CONDITIONS),
    fixed("consent_given_by", "Who gave a consent", "Consents", GIVEN_BY_LABELS),
    fixed("consent_how", "How a consent was given", "Consents", HOW_LABELS),
    fixed("request_urgency", "Urgency of requests", "Requests", URGENCY_LABELS),
    fixed("request_state", "States of requests", "Requests", REQUEST_STATE_LABELS),
    fixed("interest_kind", "Kinds of declared interests", "Declared interests", INTEREST_KIND_LABELS),
    fixed("relation", "Relations", "Declared interests", RELATION_LABELS),
    fixed("emergency_outcome", "Outcomes of emergency reviews", "Emergency access", OUTCOME_LABELS),
    fixed("organisation_kind", "Kinds of organisations", "Organisations", ORGANISATION_KIND_LABELS),
    fixed("role", "Roles", "Organisations", {role.value: known.label for role, known in ROLES.items()}),
)


def install(app: Flask, code: str, title: str, about: str, labels: Mapping[Any, str]) -> None:
    """A list of a package that stands above this one."""
    app.extensions.setdefault("hub_fixed_lists", []).append(fixed(code, title, about, labels))


def find_fixed_lists() -> dict[str, FixedList]:
    """All of them by code."""
    return {one.code: one for one in (*_ALL, *current_app.extensions.get("hub_fixed_lists", ()))}
