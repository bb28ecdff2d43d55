-- What a file on a record tells of itself, its place in a series of replacements, its scan, and its hiding.
ALTER TABLE attachment
    ADD COLUMN revision integer NOT NULL DEFAULT 1,
    ADD COLUMN taken_on text,
    ADD COLUMN source text NOT NULL DEFAULT '',
    ADD COLUMN exhibit text NOT NULL DEFAULT '',
    ADD COLUMN scanned_at timestamptz,
    ADD COLUMN scan_finding text,
    ADD COLUMN replaces_id uuid,
    ADD COLUMN replaced_reason text NOT NULL DEFAULT '',
    ADD COLUMN superseded_at timestamptz,
    ADD COLUMN hidden_at timestamptz,
    ADD COLUMN hidden_by uuid,
    ADD COLUMN hidden_reason text NOT NULL DEFAULT '',
    ADD CONSTRAINT fk_attachment_replaces_id FOREIGN KEY (replaces_id) REFERENCES attachment (id),
    ADD CONSTRAINT fk_attachment_hidden_by FOREIGN KEY (hidden_by) REFERENCES app_user (id),
    ADD CONSTRAINT uq_attachment_replaces_id UNIQUE (replaces_id),
    ADD CONSTRAINT ck_attachment_first_replaces_nothing CHECK ((replaces_id IS NULL) = (version = 1)),
    ADD CONSTRAINT ck_attachment_hidden_by_somebody CHECK (num_nulls(hidden_at, hidden_by) IN (0, 2));
-- a default is the model's matter, as everywhere
ALTER TABLE attachment
    ALTER COLUMN revision DROP DEFAULT, ALTER COLUMN source DROP DEFAULT, ALTER COLUMN exhibit DROP DEFAULT,
    ALTER COLUMN replaced_reason DROP DEFAULT, ALTER COLUMN hidden_reason DROP DEFAULT;
CREATE INDEX ix_attachment_unscanned ON attachment (id) WHERE scan_state = 'pending';

ALTER TABLE paper ADD COLUMN scanned_at timestamptz, ADD COLUMN scan_finding text;
CREATE INDEX ix_paper_unscanned ON paper (id) WHERE scan_state = 'pending';
