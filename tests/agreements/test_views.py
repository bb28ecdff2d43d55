"""The register as its readers meet it."""

from __future__ import annotations

from types import SimpleNamespace

from tests.fixtures.site import Site
from tests.fixtures.world import World


def test_the_register_lists_what_our_organisation_is_party_to(site: Site, world: World) -> None:
    page = site.as_user("officer").get("/agreements").get_data(as_text=True)
    assert "Northbrook sharing agreement" in page and "Northbrook unsigned agreement" in page
    assert "Lantern Outreach – not signed" in page
    other = site.as_user("outreach_worker").get("/agreements").get_data(as_text=True)
    assert "Northbrook sharing agreement" not in other


def test_the_register_can_be_narrowed_to_one_state(site: Site, world: World) -> None:
    page = site.as_user("officer").get("/agreements?standing=not_signed").get_data(as_text=True)
    assert "Northbrook unsigned agreement" in page and "Northbrook sharing agreement" not in page
    assert site.as_user("officer").get("/agreements?standing=nonsense").status_code == 200


def test_an_agreement_of_others_is_like_one_that_is_not_there(site: Site, world: World) -> None:
    assert (
        site.as_user("outreach_worker").get(f"/agreements/{world.agreements['sharing']}").status_code == 404
    )


def test_a_page_tells_parties_signatures_purposes_and_gateways(site: Site, world: World) -> None:
    page = site.as_user("sergeant").get(f"/agreements/{world.agreements['sharing']}").get_data(as_text=True)
    for words in (
        "Ola Brandt",
        "Crime and Disorder Act 1998 s.115",
        "Safeguard a child",
        "Northbrook Police (us)",
    ):
        assert words in page
    assert "Suspend this agreement" not in page


def test_only_an_administrator_signs_and_suspends(
    site: Site, world: World, database: SimpleNamespace
) -> None:
    unsigned = world.agreements["unsigned"]
    assert site.as_user("officer").post(f"/agreements/{unsigned}/sign").status_code == 403
    spoc = site.as_user("charity_spoc")
    assert "Sign for your organisation" in spoc.get(f"/agreements/{unsigned}").get_data(as_text=True)
    assert spoc.post(f"/agreements/{unsigned}/sign").status_code == 303
    assert "In force" in spoc.get(f"/agreements/{unsigned}").get_data(as_text=True)

    refused = spoc.post(f"/agreements/{unsigned}/suspend", {"why": "  "})
    assert refused.status_code == 422 and "Say why" in refused.get_data(as_text=True)
    assert spoc.post(f"/agreements/{unsigned}/suspend", {"why": "Breach at a processor"}).status_code == 303
    assert "Breach at a processor" in spoc.get(f"/agreements/{unsigned}").get_data(as_text=True)
    acts = [
        row[0]
        for row in site.sql(
            database.superuser, "SELECT act FROM audit.event WHERE object_id = :id ORDER BY at", id=unsigned
        )
    ]
    assert (
        acts.count("agreement.signed") == 2
        and acts.count("agreement.suspended") == 1
        and "agreement.opened" in acts
    )


def test_signing_twice_is_told_plainly(site: Site, world: World) -> None:
    answer = site.as_user("spoc").post(f"/agreements/{world.agreements['sharing']}/sign")
    assert answer.status_code == 409 and "has signed this agreement already" in answer.get_data(as_text=True)
