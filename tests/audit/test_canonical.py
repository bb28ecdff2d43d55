"""The bytes of an event: the database's canonical form is RFC 8785 for all that our rules allow."""

from __future__ import annotations

import hashlib
import json
import string
from typing import Any

import psycopg
import pytest
import rfc8785
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.access.actor import Actor
from hub.audit.recording import append
from hub.audit.verifying import canonical
from hub.extensions import db
from tests.audit.conftest import Connect

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
keys = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=12)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)


@pytest.fixture
def owner(connect: Connect) -> psycopg.Connection[Any]:
    return connect("owner")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=values)
@example(
    value={"b": '\b\t\n\f\r\x01\x1f\x7f"\\/', "a": "é\u2028𝔘\U0010ffff", "aa": [], "A": {}, "_": [None, True]}
)
@example(value=[0, -1, 2**53 - 1, -(2**53) + 1])
def test_the_database_writes_what_rfc_8785_asks_for(owner: psycopg.Connection[Any], value: Any) -> None:
    row = owner.execute(
        "SELECT convert_to(audit.canonical(%s::jsonb), 'UTF8')", [json.dumps(value, ensure_ascii=False)]
    ).fetchone()
    assert row is not None
    assert row[0] == rfc8785.dumps(value)
    assert canonical(json.loads(row[0])) == row[0]


def test_a_number_that_json_readers_disagree_on_is_refused(owner: psycopg.Connection[Any]) -> None:
    for number in ("1.5", "2.0", "1e-3", "9007199254740992", "-9007199254740992", "1e300"):
        with pytest.raises(psycopg.errors.NumericValueOutOfRange):
            owner.execute("SELECT audit.canonical(%s::jsonb)", [f'{{"facts": {number}}}'])


def test_every_event_of_the_world_is_canonical_and_hashed(officer: Actor, connect: Connect) -> None:
    append(officer, "search.run", texts={"terms": 'O\'Brien "Łuć"\n\x1f 𝔘'}, counted=3)
    db.session.commit()
    bodies = connect("owner").execute("SELECT body, hash FROM audit.event").fetchall()
    assert len(bodies) > 5
    for body, digest in bodies:
        parsed = json.loads(body)
        assert rfc8785.dumps(parsed) == body == canonical(parsed)
        assert hashlib.sha256(body).digest() == digest


def test_an_event_id_is_a_version_7_uuid_of_its_own_time(owner: psycopg.Connection[Any]) -> None:
    rows = owner.execute(
        "SELECT audit.new_event_id(moment), floor(extract(epoch FROM moment) * 1000)::bigint"
        " FROM (SELECT clock_timestamp() + n * interval '1.7 milliseconds' AS moment FROM generate_series(1, 200) n) x"
    ).fetchall()
    assert {(made.version, made.variant) for made, _ in rows} == {(7, "specified in RFC 4122")}
    assert [made.int >> 80 for made, _ in rows] == [milliseconds for _, milliseconds in rows]
