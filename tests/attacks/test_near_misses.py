"""Everything about one record, asked for by those who nearly may: hidden and absent answer alike, and no word leaks."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.web.routes import DECLARED
from tests.attacks.arena import WORDS, Arena
from tests.attacks.checks import Tables, fault_of, told
from tests.attacks.conftest import Cast
from tests.attacks.forms import forms
from tests.attacks.walking import address_of, asker, rules

# routes about a case, an incident or a person; the rest of the map is about the reader's own things
ABOUT = (
    "case_id",
    "incident_id",
    "person_id",
    "entry_id",
    "grant_id",
    "consent_id",
    "request_id",
    "emergency_id",
    "hand_over_id",
    "interest_id",
    "exclusion_id",
    "erasure_id",
)
# same organisation and another team; partner without an accepted share; another partnership; the same police elsewhere
STRANGERS = ("housing_officer", "sergeant", "yot_worker", "east_officer", "sergeant_east", "outreach_worker")
READ_NO_CONTENT = ("auditor", "spoc")
# the share that waits for the police's answer is theirs to see, answer and not to end
RECIPIENTS = ("sergeant", "sergeant_east")
ENDING = (
    "sharing.answer",
    *(f"{kind}_sharing.{act}" for kind in ("case", "incident") for act in ("end", "change")),
)
# what a stranger has a part in himself: the request is the sergeant's, as are the hand-overs to us; another is to the YJS
PARTS = {
    "sergeant": (
        *ENDING,
        "access_requests.show",
        "access_requests.answer",
        "access_requests.withdraw",
        "hand_overs.accept",
        "hand_overs.refuse",
    ),
    "sergeant_east": ENDING,
    "yot_worker": ("hand_overs.one", "hand_overs.withdraw"),
}
_OWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|nonce=\"[^\"]*\"|\d{1,2}:\d\d[ap]m|\d{4}-\d\d-\d\dT[\d:.+]+"
)


def record_rules(arena: Arena, method: str) -> list[Any]:
    return [
        rule
        for rule in rules(arena, method)
        if any(name in ABOUT for name in rule.arguments) and not DECLARED[rule.endpoint].streams
    ]


def ask(arena: Arena, cast: Cast, who: str, method: str, rule: Any, **ids: Any) -> Any:
    address = address_of(arena, rule, **ids)
    if method == "GET":
        return cast(who).get(address)
    return cast(who).post(address, forms(arena)[rule.endpoint][1])


def words_in(answer: Any) -> list[str]:
    page = answer.get_data(as_text=True)
    return [word for word in WORDS if word.lower() in page.lower()]


def like(answer: Any) -> tuple[int, str]:
    """The answer without what is fresh in each: ids, tokens, the time."""
    return answer.status_code, _OWN.sub("", answer.get_data(as_text=True))


@pytest.mark.parametrize("who", STRANGERS)
def test_to_a_stranger_a_hidden_record_is_one_that_is_not_there(
    arena: Arena, cast: Cast, tables: Tables, who: str
) -> None:
    faults: list[str] = []
    before = tables.now()
    for method in ("GET", "POST"):
        for rule in record_rules(arena, method):
            if rule.endpoint in PARTS.get(who, ()):
                continue
            absent = dict.fromkeys((name for name in rule.arguments if name in ABOUT), uuid4())
            hidden = ask(arena, cast, who, method, rule)
            nothing = ask(arena, cast, who, method, rule, **absent)
            if hidden.status_code not in (403, 404) or fault_of(hidden):
                faults.append(f"{method} {rule.endpoint}: {hidden.status_code} {fault_of(hidden)}")
            if words_in(hidden) or arena.mine.reference in hidden.get_data(as_text=True):
                faults.append(f"{method} {rule.endpoint}: leaks {words_in(hidden)}")
            if like(hidden) != like(nothing):
                faults.append(
                    f"{method} {rule.endpoint}: hidden {hidden.status_code}, absent {nothing.status_code}"
                )
    assert not faults, told(faults)
    assert tables.now() == before


@pytest.mark.parametrize("who", READ_NO_CONTENT)
def test_those_who_read_no_content_read_none_by_address(
    arena: Arena, cast: Cast, tables: Tables, who: str
) -> None:
    before, faults = tables.now(), []
    for method in ("GET", "POST"):
        for rule in record_rules(arena, method):
            answer = ask(arena, cast, who, method, rule)
            if answer.status_code not in (403, 404) or words_in(answer):
                faults.append(f"{method} {rule.endpoint}: {answer.status_code} {words_in(answer)}")
    assert not faults, told(faults)
    assert tables.now() == before


def test_the_lead_team_is_let_in_everywhere(arena: Arena, cast: Cast) -> None:
    """Or the refusals above would prove nothing."""
    refused = [
        f"{rule.endpoint}: {answer.status_code}"
        for rule in record_rules(arena, "GET")
        # an own contribution to another's record hangs not on this case, and what is in a file is in no store here
        if not rule.endpoint.startswith(("sharing.contributed", "case_files.download", "case_previews."))
        for answer in [ask(arena, cast, asker(rule.endpoint), "GET", rule)]
        if answer.status_code != 200
    ]
    assert refused == []


def test_what_hangs_on_one_record_is_not_found_under_another(
    arena: Arena, cast: Cast, tables: Tables
) -> None:
    before, faults, tried = tables.now(), [], 0
    others: dict[str, UUID | None] = {
        "involvement_id": arena.second.involvement_id,
        "grant_id": arena.second.grant_id,
        "attachment_id": arena.second.attachment_id,
        "consent_id": arena.second.consent_id,
        "person_id": arena.second.person_id,
    }
    for method in ("GET", "POST"):
        for rule in record_rules(arena, method):
            for name in rule.arguments & set(others):
                if not rule.arguments & {"case_id", "incident_id"}:
                    continue
                tried += 1
                who = asker(rule.endpoint)
                other = (
                    arena.second.of_incident().get(name) if "incident_id" in rule.arguments else others[name]
                )
                answer = ask(arena, cast, who, method, rule, **{name: other})
                if answer.status_code != 404 or words_in(answer):
                    faults.append(f"{method} {rule.endpoint} {name}: {answer.status_code} {words_in(answer)}")
    assert not faults, told(faults)
    assert tried >= 5
    assert tables.now() == before
    assert (
        cast("officer").get(f"/cases/{arena.mine.case_id}/log?corrects={arena.second.entry_id}").status_code
        == 404
    )
    correction = {**forms(arena)["case_log.add"][1], "corrects_id": str(arena.second.entry_id)}
    answer = cast("officer").post(f"/cases/{arena.mine.case_id}/log", correction)
    assert answer.status_code in (404, 409, 422) and not set(words_in(answer)) & {WORDS[1]}
    assert tables.now() == before


def test_a_reader_who_may_only_read_changes_nothing(arena: Arena, cast: Cast, tables: Tables) -> None:
    before, faults = tables.now(), []
    for rule in record_rules(arena, "POST"):
        answer = ask(arena, cast, "reader", "POST", rule)
        if answer.status_code != 403:
            faults.append(f"{rule.endpoint}: {answer.status_code}")
    assert not faults, told(faults)
    assert tables.now() == before


@pytest.mark.parametrize("who", [*(one for one in STRANGERS if one not in RECIPIENTS), *READ_NO_CONTENT])
def test_no_list_count_or_search_tells_a_stranger_that_it_exists(arena: Arena, cast: Cast, who: str) -> None:
    addresses = [
        "/",
        "/cases",
        "/cases?title=Qzwhite",
        "/incidents",
        "/incidents?where=Qzwhite",
        "/people",
        "/shared",
        "/notifications",
        *(f"/search?q={words}" for words in ("Qzwhite", "Bo Qzwhite", arena.mine.reference, "Qzwhitealias")),
    ]
    for address in addresses:
        page = cast(who).get(address, follow_redirects=True).get_data(as_text=True)
        told_back = html.unescape(page).count(address.partition("=")[2]) if "=" in address else 0
        shown = re.findall(
            r"Qzwhite (?:title|summary|entry|lane|car|description|teller|reason)|Qzblack|Qzgreen", page
        )
        assert shown == [] and told_back <= 5, (address, shown, told_back)
        # the log names records by reference, to an auditor of their owner
        if who != "auditor" and "search" not in address:
            assert arena.mine.reference not in page, address


def test_a_proposed_share_tells_its_recipient_the_reference_and_the_reason_only(
    arena: Arena, cast: Cast
) -> None:
    page = cast("sergeant").get("/shared").get_data(as_text=True)
    assert arena.mine.reference in page and "Qzwhite reason" in page
    assert not re.search(r"Qzwhite (title|summary|entry|lane|car|description)|Qzwhitealias|Bo Qzwhite", page)
    assert cast("sergeant").get(f"/cases/{arena.mine.case_id}").status_code == 404


def test_rights_go_with_the_session_and_with_the_account(arena: Arena, cast: Cast, database: Any) -> None:
    officer = cast("officer")
    address = f"/cases/{arena.mine.case_id}"
    assert officer.get(address).status_code == 200
    arena.site.sql(
        database.superuser,
        "UPDATE app_user SET disabled_at = now() WHERE id = :id",
        id=arena.site.world.users["officer"],
    )
    answer = officer.get(address)
    assert answer.status_code == 302 and "/sign-in" in answer.location and not words_in(answer)
    assert officer.post(f"{address}/log", {"text": "late", "kind": "visit"}).status_code in (400, 401)
