"""What the forms of a file offer to this reader: kinds, markings, parts of the case and circles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.access.actor import Actor
from hub.access.models import Grant
from hub.access.queries import Right, may_add
from hub.access.vocabulary import AUDIENCE_LABELS, SECTION_LABELS, Audience, Marking, Section
from hub.attachments.forms import MAX_DESCRIPTION, OFFERED_AUDIENCES
from hub.attachments.vocabulary import DOCUMENT_KIND_LABELS, FILE_SECTIONS

EVERYONE = "Everyone who sees this part"


@dataclass(frozen=True)
class Choices:
    kinds: Sequence[tuple[str, str]]
    markings: Sequence[tuple[str, str]]
    sections: Sequence[tuple[str, str]]
    audiences: Sequence[tuple[str, str]]
    everyone: str = EVERYONE
    max_description: int = MAX_DESCRIPTION


def sections_to_add(right: Right, grants: list[Grant]) -> list[Section]:
    """The parts of the record to which the reader may add a file."""
    return [section for section in FILE_SECTIONS if may_add(right, grants, section)]


def details_choices(actor: Actor, sections: Sequence[Section]) -> Choices:
    return Choices(
        kinds=[(kind.value, label) for kind, label in DOCUMENT_KIND_LABELS.items()],
        markings=[(str(int(one)), one.label) for one in Marking if one <= actor.clearance],
        sections=[(one.value, SECTION_LABELS[one]) for one in sections],
        audiences=[
            (one.value, AUDIENCE_LABELS[one]) for one in OFFERED_AUDIENCES if one.value in actor.audiences
        ],
    )


def audience_in_words(audience: str | None) -> str:
    """Who may see a file, for people."""
    return AUDIENCE_LABELS[Audience(audience)] if audience else EVERYONE
