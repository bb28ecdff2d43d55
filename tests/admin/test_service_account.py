"""The hub's own account of an organisation is nobody: no administrator opens it, gives it anything or comes in as it."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from hub.accounts import service
from tests.fixtures.site import Site

EMAIL = "service.nbc@hub.invalid"


@pytest.fixture
def own(site: Site, database: SimpleNamespace) -> UUID:
    """The council's service account, as background work makes it."""
    made: UUID = uuid4()
    site.sql(
        database.superuser,
        "INSERT INTO app_user (id, created_at, organisation_id, email, name, job_title, clearance, revision)"
        " VALUES (:id, now(), :council, :email, :name, 'Background work', 0, 1)",
        id=made,
        council=site.world.organisations["council"],
        email=EMAIL,
        name=service.NAME,
    )
    return made


def test_it_is_on_no_list_and_no_page_is_about_it(site: Site, own: UUID) -> None:
    spoc = site.as_user("spoc")
    for path in ("/admin/users", "/admin/users?name=hub", "/admin/attestation"):
        page = spoc.get(path).get_data(as_text=True)
        assert str(own) not in page and "Hub service" not in page
    for page in ("", "/details", "/teams", "/reopen"):
        assert spoc.get(f"/admin/users/{own}{page}").status_code == 404, page


@pytest.mark.parametrize("act", ["roles", "reset", "close", "link", "sessions/end"])
def test_no_administrator_changes_it(site: Site, own: UUID, act: str) -> None:
    answer = site.as_user("spoc").post(f"/admin/users/{own}/{act}", {"roles": ["administrator"]})
    assert answer.status_code == 404


def test_it_wears_no_hat_and_nobody_takes_its_address(site: Site, own: UUID) -> None:
    spoc, team = site.as_user("spoc"), site.world.teams["safety"]
    assert spoc.post(f"/admin/teams/{team}/members", {"email": EMAIL}).status_code == 422
    wanted = {"name": "Hub service", "job_title": "Work", "team_id": str(team), "roles": "practitioner"}
    for email in (EMAIL, "service.xyz@hub.invalid", "Somebody@HUB.invalid"):
        assert spoc.post("/admin/users/new", {**wanted, "email": email}).status_code == 422


@pytest.mark.parametrize("what", ["password_hash = 'x'", "enrolment_hash = '\\x00'"])
def test_the_database_gives_it_nothing_to_prove_itself_by(
    site: Site, own: UUID, database: SimpleNamespace, what: str
) -> None:
    with pytest.raises(IntegrityError, match="service_without_proof"):
        site.sql(database.superuser, f"UPDATE app_user SET {what} WHERE id = :id", id=own)
