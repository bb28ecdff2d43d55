"""Hidden and absent answer alike (SECURITY Z6): status, size of the body, and the median time within 5 ms over 200 pairs.

The requests of a pair follow each other in one process, so that whatever else the machine does befalls both; still it runs
when nothing else of ours does.
"""

from __future__ import annotations

import gc
import re
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from hub.access.permissions import Role
from hub.access_requests.models import AccessRequest
from hub.access_requests.vocabulary import Urgency
from hub.core import clock
from hub.core.ids import new_id
from tests.agreements.drafting import drafted
from tests.attacks.records import Stage
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as

PAIRS, WARMING = 200, 10
WITHIN = 0.005
# A page tells the time, and is shorter at "10am" than a minute before.
TIME_OF_DAY = re.compile(rb"\b(\d{1,2}(:\d\d)?[ap]m|midday)\b")
ADDRESSES = {
    "case": ("/cases/{}", "case_id"),
    "case, a part of it": ("/cases/{}/log", "case_id"),
    "incident": ("/incidents/{}", "incident_id"),
    "person": ("/people/{}", "person_id"),
    "contributed": ("/contributed/{}", "entry_id"),
    "agreement": ("/agreements/{}", "agreement_id"),
    "request": ("/requests/{}", "request_id"),
    "hand-over": ("/hand-overs/{}", "hand_over_id"),
    "emergency": ("/emergencies/{}", "emergency_id"),
    "fact": ("/facts/{}", "grant_id"),
}


@pytest.fixture
def stage(site: Site, database: SimpleNamespace) -> Stage:
    return Stage(site, database.superuser)


@pytest.fixture
def hidden(stage: Stage, database: SimpleNamespace) -> dict[str, UUID]:
    """What there is, and is no business of the police's."""
    world = stage.site.world
    with stage.site.inside():
        act_as(world, "spoc")
        ids = {**stage.ids["foreign"], "agreement_id": drafted(world, "council", "charity")}
    request = {
        "id": new_id(), "created_at": clock.now(), "revision": 1, "reference": "NYJ-RQ-TESTED",
        "from_organisation_id": world.organisations["yjs"], "from_team_id": world.teams["yjs"],
        "requested_by": world.users["yot_worker"], "to_organisation_id": world.organisations["council"],
        "purpose": "safeguard_child", "urgency": next(iter(Urgency)).value, "sought": "Bo Ferndale", "wanted": "All", "reason": "Needed",
        "due_at": clock.now(), "state": "waiting", "answer": "",
    }  # fmt: skip
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.insert(AccessRequest.__table__).values(request))
    engine.dispose()
    return {**ids, "request_id": request["id"]}  # type: ignore[dict-item]


def compared(client: Client, ask: Callable[[Client, bool], Any]) -> tuple[set[tuple[int, int]], float]:
    """Statuses with sizes of all answers but for the time they tell, and the difference of the medians.

    `ask` is told whether the thing is there.
    """
    answers: set[tuple[int, int]] = set()
    times: dict[bool, list[float]] = {True: [], False: []}
    gc.collect()
    for number in range(PAIRS + WARMING):
        # each comes first in half of the pairs
        for there in (True, False) if number % 2 else (False, True):
            began = time.perf_counter()
            answer = ask(client, there)
            taken = time.perf_counter() - began
            answers.add((answer.status_code, len(TIME_OF_DAY.sub(b"", answer.get_data()))))
            if number >= WARMING:
                times[there].append(taken)
    return answers, abs(statistics.median(times[True]) - statistics.median(times[False]))


@pytest.mark.timing
def test_a_hidden_thing_answers_as_one_that_is_not_there(stage: Stage, hidden: dict[str, UUID]) -> None:
    faults = []
    client = stage.client(Role.SUPERVISOR)
    for thing, (pattern, name) in ADDRESSES.items():

        def ask(client: Client, there: bool, pattern: str = pattern, name: str = name) -> Any:
            return client.get(pattern.format(hidden[name] if there else new_id()))

        answers, apart = compared(client, ask)
        print(f"{thing}: {answers}, medians {apart * 1000:.2f} ms apart")
        if len(answers) != 1 or {status for status, _ in answers} != {404}:
            faults.append(f"{thing}: statuses and sizes {answers}")
        if apart > WITHIN:
            faults.append(f"{thing}: {apart * 1000:.1f} ms apart")
    assert not faults, "\n".join(faults)


@pytest.mark.timing
def test_an_emergency_tells_nothing_of_a_record_that_it_may_not_open(
    stage: Stage, database: SimpleNamespace
) -> None:
    stage.site.sql(
        database.superuser, "UPDATE record SET breakable = false WHERE id = :id", id=stage.ids["foreign"]["case_id"]
    )  # fmt: skip

    def ask(client: Client, there: bool) -> Any:
        reference = stage.references["foreign"] if there else "NBC-CS-ZZZZZZ"
        form = {"reference": reference, "reason": "Somebody is about to be hurt there", "minutes": "60"}
        return client.post("/emergency/open", form)

    answers, apart = compared(stage.client(Role.SUPERVISOR), ask)
    print(f"emergency: {answers}, medians {apart * 1000:.2f} ms apart")
    assert len(answers) == 1 and {status for status, _ in answers} <= {404, 422}, answers
    assert apart <= WITHIN, f"{apart * 1000:.1f} ms"
