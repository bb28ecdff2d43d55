"""Drafting, sending out and signing as administrators meet it; and the register as a file."""

from __future__ import annotations

import csv
import io
import re
from types import SimpleNamespace
from uuid import UUID

import pytest

from hub.agreements.vocabulary import CONDITIONS, GATEWAY_LIMITS, GATEWAYS, LAWFUL_BASES, NOT_CHOOSABLE
from hub.web.spreadsheets import safe_cell
from tests.agreements.drafting import acts_on, agreed, drafted, posted, sent, told
from tests.fixtures.site import Client, Site
from tests.fixtures.world import World, act_as


def made(client: Client, world: World, **changes: object) -> UUID:
    answer = client.post("/agreements/new", posted(world, **changes))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return UUID(answer.headers["Location"].rsplit("/", 1)[1])


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_an_agreement_goes_from_its_draft_into_force(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    spoc, police = site.as_user("spoc"), site.as_user("police_spoc")
    key = made(spoc, world)
    assert police.get(f"/agreements/{key}").status_code == 404
    draft = page(spoc, f"/agreements/{key}")
    for words in (
        "Only your organisation sees this draft",
        "Sam Reed, superintendent",
        "Summary, Log",
        "Health",
    ):
        assert words in draft

    assert "nobody can change them" in page(spoc, f"/agreements/{key}/send")
    assert spoc.post(f"/agreements/{key}/send").status_code == 303
    assert told(site, database, "agreement.created", key) == ["police_spoc"]
    assert "It waits for Northbrook Council and Northbrook Police to sign" in page(
        police, f"/agreements/{key}"
    )

    assert 'value="Sam Reed, superintendent"' in page(police, f"/agreements/{key}/sign")
    assert police.post(f"/agreements/{key}/sign", {"signatory": "Sam Reed, chief"}).status_code == 303
    assert told(site, database, "agreement.signed", key) == ["spoc"]
    assert spoc.post(f"/agreements/{key}/sign", {"signatory": "Ada Lane, chief executive"}).status_code == 303
    assert told(site, database, "agreement.signed", key) == ["police_spoc", "spoc"]
    signed = page(site.as_user("officer"), f"/agreements/{key}")
    for words in (
        "Records can be shared under it",
        "Sam Reed, chief",
        "Ola Brandt",
        "Sent out for signature",
        "In force",
    ):
        assert words in signed
    assert acts_on(site, database, key) == [
        "agreement.created",
        "agreement.sent",
        "agreement.signed",
        "agreement.signed",
    ]


def test_all_errors_are_told_at_once_and_what_was_typed_is_kept(site: Site, world: World) -> None:
    wrong = posted(
        world,
        **{
            "title": " ",
            "party-0": "nobody",
            "gateway-0": "cda_17a",
            "basis-0": "made_up",
            "sections": ["chronology"],
            "data_classes": "x" * 2001,
            "ends-year": "2001",
            "review-day": "31",
            "review-month": "2",
            "owner": "",
            "signatory-0": "Typed and kept",
        },
    )
    answer = site.as_user("spoc").post("/agreements/new", wrong)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for words in (
        "Enter a title",
        "Choose an organisation from the list",
        "s.17A (depersonalised only) cannot be chosen",
        "Choose a lawful basis from the list",
        "The summary is part of every share",
        "must be 2,000 characters or fewer",
        "There is no such day in that month",
        "Choose who owns the agreement",
    ):
        assert words in text, words
    assert 'value="Typed and kept"' in text and "x" * 2001 in text
    links = set(re.findall(r'href="#([a-z_0-9-]+)"', text)) - {"main", "main-content"}
    assert all(f'id="{one}"' in text for one in links), links


def test_the_order_of_the_days_is_checked(site: Site, world: World) -> None:
    spoc = site.as_user("spoc")
    early = spoc.post("/agreements/new", posted(world, **{"ends-year": "2001"}))
    assert "The end must be after the start" in early.get_data(as_text=True)
    late = spoc.post("/agreements/new", posted(world, **{"review-year": "2999"}))
    assert "between the start and the end" in late.get_data(as_text=True)


def test_lines_are_added_without_a_script_and_nothing_is_saved(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    spoc = site.as_user("spoc")
    before = site.sql(database.superuser, "SELECT count(*) FROM agreement")[0][0]
    for lines, field in (("parties", "party-3"), ("purposes", "gateway-1")):
        form = posted(world, go=lines, parties="3")
        assert f'name="{field}"' not in page(spoc, "/agreements/new")
        more = spoc.post("/agreements/new", form)
        assert more.status_code == 200
        assert f'name="{field}"' in more.get_data(as_text=True) and "Night-time economy" in more.get_data(
            as_text=True
        )
    for count in ("-1", "999999", "²", "1e3", ""):
        assert spoc.post("/agreements/new", posted(world, go="parties", parties=count)).status_code == 200
    assert site.sql(database.superuser, "SELECT count(*) FROM agreement")[0][0] == before


def test_a_draft_is_changed_and_what_is_sent_out_is_not(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    spoc = site.as_user("spoc")
    key = made(spoc, world)
    form = page(spoc, f"/agreements/{key}/edit")
    assert 'value="Sam Reed, superintendent"' in form and 'value="Night-time economy"' in form
    changed = posted(world, title="Late-night levy", **{"party-0": str(world.organisations["yjs"])})
    assert spoc.post(f"/agreements/{key}/edit", changed).status_code == 303
    shown = page(spoc, f"/agreements/{key}")
    assert "Late-night levy" in shown and "Northbrook Youth Justice Service" in shown
    assert "Northbrook Police" not in shown
    spoc.post(f"/agreements/{key}/send")
    assert spoc.get(f"/agreements/{key}/edit").status_code == 409
    refused = spoc.post(f"/agreements/{key}/edit", posted(world, title="Too late"))
    assert refused.status_code == 409 and "its terms stand" in refused.get_data(as_text=True)
    assert "Too late" not in page(spoc, f"/agreements/{key}")
    assert acts_on(site, database, key)[:2] == ["agreement.created", "agreement.changed"]


def test_a_new_draft_may_take_over_the_terms_of_one_that_ends(site: Site, world: World) -> None:
    spoc = site.as_user("spoc")
    form = page(spoc, f"/agreements/new?like={world.agreements['sharing']}")
    assert 'value="Northbrook sharing agreement"' in form
    assert f'value="{world.organisations["yjs"]}" selected' in form
    for other in ("nonsense", str(world.users["spoc"])):
        assert 'name="title" type="text" value=""' in page(spoc, f"/agreements/new?like={other}")
    theirs = page(site.as_user("charity_spoc"), f"/agreements/new?like={world.agreements['sharing']}")
    assert "Northbrook sharing agreement" not in theirs


def test_signing_asks_for_the_password_again(site: Site, world: World, database: SimpleNamespace) -> None:
    with site.inside():
        key = sent(world, "council", "police")
    police = site.as_user("police_spoc")
    site.sql(database.superuser, "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")
    for answer in (police.get(f"/agreements/{key}/sign"), police.post(f"/agreements/{key}/sign")):
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"/session/confirm?next=/agreements/{key}/sign"
    assert "agreement.signed" not in acts_on(site, database, key)


def test_a_signature_that_is_too_long_is_told(site: Site, world: World) -> None:
    with site.inside():
        key = sent(world, "council", "police")
    answer = site.as_user("spoc").post(f"/agreements/{key}/sign", {"signatory": "x" * 201})
    assert answer.status_code == 422 and "200 characters or fewer" in answer.get_data(as_text=True)


@pytest.mark.parametrize("act", ["suspend", "resume", "leave", "end"])
def test_what_is_asked_before_each_act(act: str, site: Site, world: World) -> None:
    with site.inside():
        key = agreed(world, "council", "police")
    spoc = site.as_user("spoc")
    if act == "resume":
        assert spoc.get(f"/agreements/{key}/resume").status_code == 409
        spoc.post(f"/agreements/{key}/suspend", {"why": "Breach"})
    asked = page(spoc, f"/agreements/{key}/{act}")
    assert "Northbrook Police" in asked and ("Why" in asked or act == "resume")
    assert f'href="/agreements/{key}/{act}"' in page(spoc, f"/agreements/{key}")
    assert f"/agreements/{key}/{act}" not in page(site.as_user("officer"), f"/agreements/{key}")
    assert site.as_user("officer").get(f"/agreements/{key}/{act}").status_code == 403
    if act != "resume":
        assert spoc.post(f"/agreements/{key}/{act}", {"why": ""}).status_code == 422
    assert spoc.post(f"/agreements/{key}/{act}", {"why": "No longer needed"}).status_code == 303
    after = page(spoc, f"/agreements/{key}")
    assert "No longer needed" in after or act == "resume"
    assert spoc.get(f"/agreements/{key}/{act}").status_code in (403, 409)


def test_the_form_lists_every_gateway_with_its_limits_and_consent_last(site: Site) -> None:
    form = page(site.as_user("spoc"), "/agreements/new")
    assert set(GATEWAYS) == set(GATEWAY_LIMITS) and len(GATEWAYS) == 24
    for code in GATEWAYS:
        disabled = f'<option value="{code}" disabled>' in form
        assert disabled is (code in NOT_CHOOSABLE) and f'<option value="{code}"' in form
    assert "depersonalised information only" in form
    assert list(LAWFUL_BASES)[-2:] == ["p3_consent", "art6_1a"]
    assert all(f'<option value="{code}"' in form for code in (*LAWFUL_BASES, *CONDITIONS))


def rows_of(client: Client, path: str = "/agreements/register.csv") -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="agreements.csv"'
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_the_register_is_one_click_away_as_a_file(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    officer = site.as_user("officer")
    assert 'href="/agreements/register.csv"' in page(officer, "/agreements")
    rows = {row["Title"]: row for row in rows_of(officer)}
    shared = rows["Northbrook sharing agreement"]
    assert shared["Parties"].count(";") == 2 and "Northbrook Police" in shared["Parties"]
    assert shared["Purposes"] == "Prevent crime and disorder; Safeguard a child"
    assert shared["Legal gateways"] == "Crime and Disorder Act 1998 s.115; Children Act 2004 ss.10 and 11"
    assert shared["Lawful bases"] == "Public task (UK GDPR Art 6(1)(e))"
    assert shared["State"] == "In force" and shared["Owner"] == "Northbrook Council, Lena Marsh"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", shared["End"]) and shared["Sections"].startswith("Summary; ")
    assert "Lantern Outreach (not signed)" in rows["Northbrook unsigned agreement"]["Parties"]
    listed = "SELECT count(*) FROM audit.event WHERE act = 'agreement.listed'"
    assert site.sql(database.superuser, listed)[0][0] == 2


def test_the_file_holds_what_the_page_would_and_no_drafts_of_others(site: Site, world: World) -> None:
    with site.inside():
        drafted(world, "council", "police", title="Not for their eyes")
    assert "Not for their eyes" in {row["Title"] for row in rows_of(site.as_user("officer"))}
    assert "Not for their eyes" not in {row["Title"] for row in rows_of(site.as_user("sergeant"))}
    charity = rows_of(site.as_user("outreach_worker"))
    assert [row["Title"] for row in charity] == ["Northbrook unsigned agreement"]
    narrowed = rows_of(site.as_user("officer"), "/agreements/register.csv?standing=draft")
    assert [row["Title"] for row in narrowed] == ["Not for their eyes"]
    assert 'href="/agreements/register.csv?standing=draft"' in page(
        site.as_user("officer"), "/agreements?standing=draft"
    )


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "＝"])
def test_no_cell_is_taken_for_a_formula(lead: str, site: Site, world: World) -> None:
    evil = f'{lead}HYPERLINK("http://evil.example","x"),"y'
    with site.inside():
        drafted(world, "council", "police", title=evil)
    assert f"'{evil}" in {row["Title"] for row in rows_of(site.as_user("officer"))}


def test_cells_that_begin_with_controls_are_made_safe_too() -> None:
    assert [safe_cell(text)[0] for text in ("\tx", "\rx", "\nx", "\0x")] == ["'"] * 4
    assert safe_cell("a=b") == "a=b" and safe_cell("") == "" and safe_cell(3) == "3"


def test_an_administrator_of_another_partner_signs_nothing_for_us(site: Site, world: World) -> None:
    with site.inside():
        key = sent(world, "council", "police")
        act_as(world, "spoc")
    assert site.as_user("charity_spoc").post(f"/agreements/{key}/sign").status_code == 404
