"""Whether an organisation may let somebody new in: partners rely on its assurance, so it takes one that they accepted."""

from __future__ import annotations

from hub.access.actor import Actor
from hub.assurances.policy import Standing
from hub.assurances.queries import find_standing
from hub.core.errors import Conflict

NOT_ASSURED = {
    Standing.LAPSED: "Your organisation’s assurance has lapsed, so no new users can be invited. Answer it anew under "
    "Assurance; once a partner has accepted it, invite again.",
    Standing.MISSING: "No partner has accepted your organisation’s assurance yet, so no new users can be invited. Answer "
    "it under Assurance; once a partner has accepted it, invite again.",
}


def check_assured(actor: Actor) -> None:
    """Raises `Conflict` (not_assured) where the actor's organisation has no assurance that a partner has accepted."""
    standing = find_standing(actor)
    if standing.blocks:
        raise Conflict("not_assured", NOT_ASSURED[standing])
