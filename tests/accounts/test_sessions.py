"""Sessions: recognised by the token alone, ended at once."""

from __future__ import annotations

from hub.access.actor import RequestFacts
from hub.accounts import sessions
from hub.extensions import db
from tests.fixtures.world import World, act_as


def test_a_token_is_recognised_until_it_is_ended(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    visit = sessions.identify(actor.token, RequestFacts(), False)
    assert visit is not None and visit.actor is not None and visit.actor.name == "Amara Okafor"
    sessions.end(visit.session_id)
    db.session.commit()
    again = sessions.identify(actor.token, RequestFacts(), False)
    assert again is None
    assert sessions.identify("not-a-token", RequestFacts(), False) is None
