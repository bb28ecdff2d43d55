-- Tables that stood before: what they gain, with what it is for the rows that are there.

-- a function may set a parameter of an extension only in a session that has loaded it, as the one that made it had
SELECT similarity('a', 'b');

-- agreements: what they cover, whose they are, when they went out for signature, and their end before time
ALTER TABLE agreement
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN ended_why text,
    ADD COLUMN sent_at timestamptz,
    ADD COLUMN sections text[] NOT NULL DEFAULT ARRAY['summary', 'people', 'victim', 'chronology', 'risk', 'enforcement',
        'files', 'tasks', 'meetings', 'safeguarding', 'youth_justice', 'health'],
    ADD COLUMN owner_organisation_id uuid CONSTRAINT fk_agreement_owner_organisation_id REFERENCES organisation (id),
    ADD COLUMN owner_user_id uuid CONSTRAINT fk_agreement_owner_user_id REFERENCES app_user (id),
    ADD COLUMN receivers text NOT NULL DEFAULT '',
    ADD COLUMN not_shared text NOT NULL DEFAULT '';
ALTER TABLE agreement_party ADD COLUMN signatory text NOT NULL DEFAULT '';
-- until now an agreement was out for signature from its first day, and belonged to whoever signed first
UPDATE agreement SET sent_at = created_at, (owner_organisation_id, owner_user_id) = (
    SELECT u.organisation_id, u.id FROM agreement_party p JOIN app_user u ON u.organisation_id = p.organisation_id
    WHERE p.agreement_id = agreement.id ORDER BY p.signed_by IS DISTINCT FROM u.id, p.signed_at NULLS LAST, u.id LIMIT 1);
ALTER TABLE agreement
    ALTER COLUMN sections DROP DEFAULT,
    ALTER COLUMN receivers DROP DEFAULT,
    ALTER COLUMN not_shared DROP DEFAULT,
    ALTER COLUMN owner_organisation_id SET NOT NULL,
    ALTER COLUMN owner_user_id SET NOT NULL,
    ADD CONSTRAINT ck_agreement_ended_with_reason CHECK ((ended_at IS NULL) = (ended_why IS NULL)),
    ADD CONSTRAINT ck_agreement_sent_before_force CHECK (in_force_at IS NULL OR sent_at IS NOT NULL),
    ADD CONSTRAINT ck_agreement_sections_known CHECK (sections <@ ARRAY['summary', 'people', 'victim', 'chronology',
        'risk', 'enforcement', 'files', 'tasks', 'meetings', 'safeguarding', 'youth_justice', 'health']::text[]
        AND 'summary' = ANY (sections)),
    ADD CONSTRAINT uq_agreement_terms UNIQUE (id, ends_at, sections);
ALTER TABLE agreement_party ALTER COLUMN signatory DROP DEFAULT;

-- shares: within what the agreement covers; on which consent; one fact alone; by which panel or request
ALTER TABLE record_grant
    ADD COLUMN agreement_sections text[],
    ADD COLUMN consent_id uuid CONSTRAINT fk_record_grant_consent_id REFERENCES consent (id),
    ADD COLUMN fact_only boolean NOT NULL DEFAULT false,
    ADD COLUMN panel_id uuid CONSTRAINT fk_record_grant_panel_id REFERENCES panel (id),
    ADD COLUMN access_request_id uuid CONSTRAINT fk_record_grant_access_request_id REFERENCES access_request (id),
    ADD COLUMN closed_with uuid;
ALTER TABLE record_grant ALTER COLUMN fact_only DROP DEFAULT;
DO $$
DECLARE
    wanted bigint := (SELECT count(*) FROM record_grant WHERE agreement_id IS NOT NULL);
    done bigint;
BEGIN
    UPDATE record_grant g SET agreement_sections = a.sections FROM agreement a WHERE a.id = g.agreement_id;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> wanted THEN
        RAISE EXCEPTION 'filled % of % shares with the sections of their agreement', done, wanted;
    END IF;
END
$$;
-- a share that rested on a consent which nobody could record ends here, and says so
UPDATE record_grant SET closed_with = id, revoked_at = coalesce(revoked_at, now()),
        revoked_by = coalesce(revoked_by, requested_by), revoked_why = coalesce(revoked_why, 'No consent is recorded for it')
    WHERE lawful_basis IN ('art6_1a', 'p3_consent');
ALTER TABLE record_grant
    DROP CONSTRAINT fk_record_grant_agreement_end,
    DROP CONSTRAINT ck_record_grant_agreement_pair,
    DROP CONSTRAINT ck_record_grant_sections_known,
    DROP CONSTRAINT ex_record_grant_one_live,
    ADD CONSTRAINT fk_record_grant_agreement_terms FOREIGN KEY (agreement_id, agreement_ends_at, agreement_sections)
        REFERENCES agreement (id, ends_at, sections) ON UPDATE CASCADE,
    ADD CONSTRAINT ck_record_grant_agreement_terms_copied CHECK ((agreement_id IS NULL) = (agreement_ends_at IS NULL)
        AND (agreement_id IS NULL) = (agreement_sections IS NULL)),
    ADD CONSTRAINT ck_record_grant_sections_within_agreement
        CHECK (agreement_sections IS NULL OR sections <@ agreement_sections),
    ADD CONSTRAINT ck_record_grant_sections_known CHECK (sections <@ ARRAY['summary', 'people', 'victim', 'chronology',
        'risk', 'enforcement', 'files', 'tasks', 'meetings', 'safeguarding', 'youth_justice', 'health']::text[]),
    ADD CONSTRAINT ck_record_grant_summary_or_fact
        CHECK (('summary' = ANY (sections)) <> fact_only AND (NOT fact_only OR sections = '{}')),
    ADD CONSTRAINT ck_record_grant_consent_basis_names_consent
        CHECK ((coalesce(lawful_basis, '') IN ('art6_1a', 'p3_consent')) = (consent_id IS NOT NULL)
            OR closed_with IS NOT NULL),
    ADD CONSTRAINT ex_record_grant_one_live EXCLUDE USING gist (record_id WITH =, to_organisation_id WITH =,
        coalesce(to_team_id, '00000000-0000-0000-0000-000000000000'::uuid) WITH =,
        coalesce(to_user_id, '00000000-0000-0000-0000-000000000000'::uuid) WITH =, coalesce(purpose, '') WITH =,
        tstzrange(starts_at, coalesce(ends_at, 'infinity'::timestamptz)) WITH &&)
        WHERE (revoked_at IS NULL AND state <> 'rejected' AND NOT fact_only);
ALTER TABLE agreement DROP CONSTRAINT uq_agreement_end;
CREATE INDEX ix_record_grant_team ON record_grant (to_team_id) WHERE to_team_id IS NOT NULL;
CREATE INDEX ix_record_grant_agreement ON record_grant (agreement_id);

-- exclusions: derived from a declared interest, lifted by somebody else with a reason
ALTER TABLE exclusion
    ADD COLUMN interest_id uuid CONSTRAINT fk_exclusion_interest_id REFERENCES declared_interest (id),
    ADD COLUMN ended_by uuid CONSTRAINT fk_exclusion_ended_by REFERENCES app_user (id),
    ADD COLUMN ended_why text,
    ADD CONSTRAINT ck_exclusion_lifted_by_another CHECK (ended_by IS NULL OR ended_by <> user_id),
    ADD CONSTRAINT ck_exclusion_lifted_with_reason CHECK ((ended_by IS NULL) = (ended_why IS NULL));
CREATE UNIQUE INDEX uq_exclusion_derived ON exclusion (interest_id,
    coalesce(record_id, '00000000-0000-0000-0000-000000000000'::uuid),
    coalesce(person_id, '00000000-0000-0000-0000-000000000000'::uuid)) WHERE interest_id IS NOT NULL;

-- names and facts: from whom or what they are known
ALTER TABLE person_name
    ADD COLUMN source text NOT NULL DEFAULT 'not_recorded',
    ADD CONSTRAINT ck_person_name_source_known CHECK (source IN ('person', 'family', 'witness', 'professional', 'document',
        'system', 'observed', 'anonymous', 'not_recorded'));
ALTER TABLE person_name ALTER COLUMN source DROP DEFAULT;
ALTER TABLE person_fact
    ADD COLUMN source text NOT NULL DEFAULT 'not_recorded',
    ADD CONSTRAINT ck_person_fact_source_known CHECK (source IN ('person', 'family', 'witness', 'professional', 'document',
        'system', 'observed', 'anonymous', 'not_recorded'));
ALTER TABLE person_fact ALTER COLUMN source DROP DEFAULT;

-- emergency access: nothing could open one before, so that the table is empty
ALTER TABLE emergency
    ADD COLUMN owner_organisation_id uuid NOT NULL CONSTRAINT fk_emergency_owner_organisation_id REFERENCES organisation (id),
    ADD COLUMN record_reference text NOT NULL,
    ADD COLUMN data_key_id uuid NOT NULL CONSTRAINT fk_emergency_data_key_id REFERENCES data_key (id),
    ADD COLUMN review_note text NOT NULL,
    ADD CONSTRAINT ck_emergency_reviewed_with_outcome CHECK ((reviewed_at IS NULL) = (outcome IS NULL));
CREATE INDEX ix_emergency_organisation ON emergency (organisation_id, granted_at);
CREATE INDEX ix_emergency_owner ON emergency (owner_organisation_id, granted_at);

ALTER TABLE app_user
    ADD COLUMN disabled_why text,
    ADD CONSTRAINT ck_app_user_disabled_why_known CHECK (disabled_why IN ('left', 'not_attested')),
    ADD CONSTRAINT ck_app_user_disabled_with_reason CHECK (disabled_at IS NOT NULL OR disabled_why IS NULL);

ALTER TABLE role_holding
    DROP CONSTRAINT ck_role_holding_role_known,
    ADD CONSTRAINT ck_role_holding_role_known CHECK (role IN ('practitioner', 'supervisor', 'read_only', 'administrator',
        'auditor', 'data_protection', 'fact_recipient'));

-- lists of those who may read few
DROP INDEX ix_record_lead_team;
CREATE INDEX ix_record_lead_team ON record (lead_team_id, kind, id);
CREATE INDEX ix_record_open ON record (owner_organisation_id, kind, id) WHERE open_to_owner;
