"""What a user may declare an interest in, and how they stand to it (FEATURES 38)."""

from __future__ import annotations

import enum


class InterestKind(enum.StrEnum):
    PERSON = "person"
    SURNAME = "surname"
    ADDRESS = "address"


KIND_LABELS = {
    InterestKind.PERSON: "A person",
    InterestKind.SURNAME: "Everyone of a surname",
    InterestKind.ADDRESS: "An address",
}


class Relation(enum.StrEnum):
    SELF = "self"
    FAMILY = "family"
    PARTNER = "partner"
    FRIEND = "friend"
    NEIGHBOUR = "neighbour"
    COLLEAGUE = "colleague"
    OTHER = "other"


RELATION_LABELS = {
    Relation.SELF: "Me",
    Relation.FAMILY: "Family",
    Relation.PARTNER: "Partner or former partner",
    Relation.FRIEND: "Friend",
    Relation.NEIGHBOUR: "Neighbour",
    Relation.COLLEAGUE: "Colleague",
    Relation.OTHER: "Other",
}
