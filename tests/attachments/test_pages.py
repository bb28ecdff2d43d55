"""The files of a case in pages, and narrowed to a kind."""

from __future__ import annotations

from types import SimpleNamespace

from tests.attachments.conftest import Desk
from tests.fixtures.turning import copies, refuses_strange_cursors, turned

FILE = r'id="file-([0-9a-f-]+)"'


def many(desk: Desk, database: SimpleNamespace) -> list[str]:
    """A letter and 53 reports, some attached at the same moment; ids newest first."""
    for kind in ("report", "letter"):
        assert desk.send(desk.officer(), "a.txt", b"words", kind=kind).status_code == 303
    # what the store holds is not read for a list
    desk.site.sql(
        database.superuser,
        "INSERT INTO stored_object SELECT (jsonb_populate_record(old, jsonb_build_object('object_key', old.object_key || n))).*"
        " FROM stored_object old, generate_series(1, 52) n",
    )
    copies(
        desk.site,
        database.superuser,
        "attachment",
        52,
        "jsonb_build_object('id', gen_random_uuid(), 'object_key', old.object_key || n,"
        " 'contributed_at', now() - n / 4 * interval '1 hour')",
        "kind = 'report'",
    )
    rows = desk.site.sql(
        database.superuser, "SELECT id, kind FROM attachment ORDER BY contributed_at DESC, id DESC"
    )
    return [str(row.id) for row in rows]


def test_each_file_is_on_one_page_newest_first(desk: Desk, database: SimpleNamespace) -> None:
    ids = many(desk, database)
    pages = turned(desk.officer(), desk.path(), FILE)
    assert [len(page) for page in pages] == [50, 4]
    assert [one for page in pages for one in page] == ids


def test_files_are_narrowed_to_a_kind(desk: Desk, database: SimpleNamespace) -> None:
    many(desk, database)
    officer = desk.officer()
    assert [len(page) for page in turned(officer, f"{desk.path()}?is=report", FILE)] == [50, 3]
    assert [len(page) for page in turned(officer, f"{desk.path()}?is=letter", FILE)] == [1]
    assert [len(page) for page in turned(officer, f"{desk.path()}?is=nonsense", FILE)] == [50, 4]
    assert "No files of this kind" in officer.get(f"{desk.path()}?is=photo").get_data(as_text=True)


def test_a_strange_cursor_is_told_plainly(desk: Desk) -> None:
    refuses_strange_cursors(desk.officer(), desk.path())
