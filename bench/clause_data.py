"""100,000 cases, 30,000 shares and 40 organisations, made by SQL: what `bench.clause` measures the sharing rule on.

Three readers stand out: one whose team leads 9,250 cases and who has 750 by share, as many as an organisation has on
average; one with 50 and 50; one with none.
"""

from __future__ import annotations

import psycopg

CASES = 100_000
SHARES = 30_000
ORGANISATIONS = 40
# reader → number of the organisation, cases that its team leads, cases shared with it
READERS = {"10 %": (1, 9_250, 750), "0.1 %": (2, 50, 50), "none": (40, 0, 0)}

_GROUND = """
INSERT INTO partnership (id, created_at, code, name) VALUES (pg_temp.key('area', 1), now(), 'ONE', 'One');
INSERT INTO organisation (id, created_at, code, name, kind, opens_records)
    SELECT pg_temp.key('organisation', n), now(), 'ORG' || n, 'Organisation ' || n, 'council_unitary', n % 10 = 0
    FROM generate_series(1, 40) AS n;
INSERT INTO team (id, created_at, organisation_id, partnership_id, name, default_purpose)
    SELECT pg_temp.key('team', n * 10 + t), now(), pg_temp.key('organisation', n), pg_temp.key('area', 1), 'Team ' || t,
        'prevent_crime'
    FROM generate_series(1, 40) AS n, generate_series(1, 3) AS t;
INSERT INTO app_user (id, created_at, revision, organisation_id, email, name, job_title, clearance)
    SELECT pg_temp.key('user', n * 10 + t), now(), 1, pg_temp.key('organisation', n), 'u' || n || '.' || t || '@example.org',
        'User ' || n || '.' || t, 'Officer', 1
    FROM generate_series(1, 40) AS n, generate_series(1, 3) AS t;
INSERT INTO team_membership (team_id, user_id, joined_at)
    SELECT pg_temp.key('team', n * 10 + t), pg_temp.key('user', n * 10 + t), now() - interval '1 year'
    FROM generate_series(1, 40) AS n, generate_series(1, 3) AS t;
INSERT INTO role_holding (user_id, partnership_id, role, granted_at)
    SELECT id, pg_temp.key('area', 1), 'practitioner', now() FROM app_user;
-- sixteen agreements of ten parties each; every organisation is party to four
INSERT INTO agreement (id, created_at, revision, reference, title, partnership_id, starts_at, review_at, ends_at,
        in_force_at, sent_at, sections, owner_organisation_id, owner_user_id, data_classes, receivers, not_shared)
    SELECT pg_temp.key('agreement', a), now(), 1, 'ISA-' || a, 'Agreement ' || a, pg_temp.key('area', 1),
        now() - interval '1 year', now() + interval '1 year', now() + interval '2 years', now() - interval '1 year',
        now() - interval '1 year', ARRAY['summary', 'people', 'victim', 'chronology', 'files'],
        pg_temp.key('organisation', 1), pg_temp.key('user', 11), '', '', ''
    FROM generate_series(1, 16) AS a;
INSERT INTO agreement_party (agreement_id, organisation_id, joined_at, signatory)
    SELECT pg_temp.key('agreement', a), pg_temp.key('organisation', (a * 5 + p * (1 + a % 4)) % 40 + 1),
        now() - interval '1 year', ''
    FROM generate_series(1, 16) AS a, generate_series(0, 9) AS p ON CONFLICT DO NOTHING;
INSERT INTO agreement_purpose (agreement_id, purpose, gateway, lawful_basis)
    SELECT pg_temp.key('agreement', a), purpose, 'cda_115', 'art6_1e'
    FROM generate_series(1, 16) AS a, unnest(ARRAY['prevent_crime', 'safeguard_child']) AS purpose;
INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why)
    SELECT pg_temp.key('exclusion', n), now(), pg_temp.key('user', n * 10 + 1), pg_temp.key('organisation', n),
        pg_temp.key('case', n * 7), 'An interest' FROM generate_series(1, 40) AS n;
"""
# the first cases are those of the readers, the rest everybody else's; their order in time is by chance
_CASES = """
CREATE TEMP TABLE made AS SELECT n, pg_temp.key('case', n) AS id, CASE WHEN n <= 9250 THEN 11 WHEN n <= 9300 THEN 21
        ELSE (3 + (random() * 36)::int) * 10 + 1 + (random() * 2)::int END AS team,
    now() - random() * interval '700 days' AS changed_at, random() < 0.2 AS sensitive, random() < 0.03 AS restricted
    FROM generate_series(1, 100000) AS n;
INSERT INTO record (id, created_at, kind, reference, partnership_id, owner_organisation_id, lead_team_id, marking, restricted,
        breakable, knowable, open_to_owner)
    SELECT id, changed_at, 'case', 'ORG-CS-' || n, pg_temp.key('area', 1), pg_temp.key('organisation', team / 10),
        pg_temp.key('team', team), sensitive::int, restricted, true, false, team / 10 % 10 = 0 FROM made ORDER BY changed_at;
INSERT INTO case_record (id, created_at, revision, reference, kind, title, status, priority, risk_level, source, summary,
        lead_officer_id, reported_on, opened_at, status_at, changed_at, partnership_id, owner_organisation_id, lead_team_id,
        marking, restricted, breakable, knowable, open_to_owner)
    SELECT r.id, r.created_at, 1, r.reference, 'asb', 'Noise, Ward ' || made.n % 30, 'new', 'p3_routine', 'not_assessed',
        'public_report', 'Music until late, several evenings a week, heard in the whole street', pg_temp.key('user', team),
        '2026', changed_at, changed_at, changed_at, r.partnership_id, r.owner_organisation_id, r.lead_team_id, r.marking,
        r.restricted, r.breakable, r.knowable, r.open_to_owner
    FROM made JOIN record r USING (id) ORDER BY changed_at;
INSERT INTO record_team (record_id, user_id, added_at, added_by, partnership_id, owner_organisation_id, lead_team_id, marking,
        restricted, breakable, knowable, open_to_owner)
    SELECT id, pg_temp.key('user', team), now(), pg_temp.key('user', team), partnership_id, owner_organisation_id,
        lead_team_id, marking, restricted, breakable, knowable, open_to_owner
    FROM made JOIN record USING (id, restricted) WHERE made.restricted;
"""
_SHARE = """
INSERT INTO record_grant (id, created_at, revision, record_id, record_reference, partnership_id, owner_organisation_id,
        lead_team_id, marking, restricted, breakable, knowable, open_to_owner, to_organisation_id, agreement_id,
        agreement_ends_at, agreement_sections, fact_only, purpose, gateway, lawful_basis, sections, max_marking,
        may_contribute, reason, state, requested_by, answered_by, answered_at, starts_at, ends_at)
    SELECT gen_random_uuid(), r.created_at, 1, r.id, r.reference, r.partnership_id, r.owner_organisation_id, r.lead_team_id,
        r.marking, r.restricted, r.breakable, r.knowable, r.open_to_owner, chosen.organisation_id, a.id, a.ends_at,
        a.sections, false, 'prevent_crime', 'cda_115', 'art6_1e', ARRAY['summary', 'chronology'], 1, false, 'It is needed',
        'accepted', made_by.id, made_by.id, now(), now() - interval '9 days', now() + random() * interval '300 days' + interval '1 day'
    FROM record r JOIN app_user made_by ON made_by.id = pg_temp.key('user', 11)
        CROSS JOIN LATERAL (
            SELECT theirs.organisation_id, ours.agreement_id FROM agreement_party ours
                JOIN agreement_party theirs ON theirs.agreement_id = ours.agreement_id
            WHERE ours.organisation_id = r.owner_organisation_id AND theirs.organisation_id <> r.owner_organisation_id
              AND {to} ORDER BY hashtext(r.id::text || theirs.organisation_id || ours.agreement_id) LIMIT 1) AS chosen
        JOIN agreement a ON a.id = chosen.agreement_id
    WHERE r.lead_team_id <> ALL (ARRAY[pg_temp.key('team', 11), pg_temp.key('team', 21)]) AND NOT r.restricted
    ORDER BY hashtext(r.id::text || {number}) LIMIT {number};
"""


def fill(superuser_url: str) -> None:
    """Fills an empty, migrated database. Foreign keys are not asked about again: the statements keep them."""
    with psycopg.connect(superuser_url, autocommit=False) as connection:
        run = connection.execute
        run("SET session_replication_role = replica")
        run("SELECT setseed(0.5)")
        run(
            "CREATE FUNCTION pg_temp.key(kind text, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE"
            " AS $$ SELECT md5(kind || n)::uuid $$"
        )
        for statement in (_GROUND, _CASES):
            run(statement)
        given = 0
        for organisation, _, number in READERS.values():
            if number:
                run(_SHARE.format(to=f"theirs.organisation_id = pg_temp.key('organisation', {organisation})", number=number))  # fmt: skip
                given += number
        special = ", ".join(f"pg_temp.key('organisation', {one[0]})" for one in READERS.values())
        run(_SHARE.format(to=f"theirs.organisation_id <> ALL (ARRAY[{special}])", number=SHARES - given))
        connection.commit()
        connection.autocommit = True
        run("VACUUM ANALYZE")
