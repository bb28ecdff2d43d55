-- What each role may do with what this migration adds.
REVOKE ALL ON FUNCTION public.close_shares(uuid, text, uuid, uuid, uuid), public.close_shares_of_agreement(),
    public.close_shares_of_party(), public.close_shares_of_consent(), public.shares_closed_now(uuid),
    public.watch_new_share(), public.find_sought_records(text), public.find_blind_hits(text),
    public.attach_sought_records(uuid), public.find_emergency_target(text), public.is_excluded(uuid),
    public.accept_hand_over(uuid, text, text, text), public.audience_that_stays(text, uuid[], uuid, uuid),
    public.finish_hand_over(), public.watch_consent_of_share(), public.find_list_candidates(text, integer) FROM PUBLIC;

GRANT SELECT, INSERT ON consent, hand_over, access_request, declared_interest, shared_fact, panel, panel_member, assurance,
    attestation, attestation_line, paper TO hub_app;
GRANT SELECT ON sought_record TO hub_app;
-- the lines of a draft are written anew when it is changed; once it was sent out, a trigger keeps them
GRANT DELETE ON agreement_party, agreement_purpose TO hub_app;
GRANT SELECT, INSERT ON agreement_step TO hub_app;
GRANT SELECT ON agreement_step TO hub_reader;
GRANT UPDATE (withdrawn_at, withdrawn_by, withdrawn_how, revision) ON consent TO hub_app;
-- acceptance is the database's own function alone
GRANT UPDATE (state, answered_at, answered_by, answer, revision) ON hand_over TO hub_app;
GRANT UPDATE (state, answered_at, answered_by, answer, revision) ON access_request TO hub_app;
GRANT UPDATE (ended_at, ended_by, revision) ON declared_interest TO hub_app;
GRANT UPDATE (ended_at, ended_by, ended_why) ON exclusion TO hub_app;
REVOKE UPDATE ON emergency FROM hub_app;
GRANT UPDATE (closed_at, reviewed_at, reviewed_by, outcome, review_note) ON emergency TO hub_app;
GRANT UPDATE (sections, max_marking, may_contribute, ends_at) ON record_grant TO hub_app;
GRANT UPDATE (name, ended_at, revision) ON panel TO hub_app;
GRANT UPDATE (accepted_at, accepted_by, left_at) ON panel_member TO hub_app;
GRANT UPDATE (state, reviewed_by, reviewed_at, review_note, valid_until, revision) ON assurance TO hub_app;
GRANT UPDATE (closed_at, revision) ON attestation TO hub_app;
GRANT UPDATE (confirmed_at, confirmed_by, suspended_at) ON attestation_line TO hub_app;

GRANT SELECT ON consent, hand_over, access_request, sought_record, declared_interest, shared_fact, panel, panel_member,
    assurance, attestation, attestation_line, paper TO hub_reader;

GRANT CREATE ON SCHEMA public TO hub_reader;
ALTER FUNCTION public.shares_closed_now(uuid) OWNER TO hub_reader;
ALTER FUNCTION public.count_shares_on(uuid) OWNER TO hub_reader;
ALTER FUNCTION public.find_sought_records(text) OWNER TO hub_reader;
ALTER FUNCTION public.find_blind_hits(text) OWNER TO hub_reader;
ALTER FUNCTION public.find_emergency_target(text) OWNER TO hub_reader;
ALTER FUNCTION public.is_excluded(uuid) OWNER TO hub_reader;
ALTER FUNCTION public.find_list_candidates(text, integer) OWNER TO hub_reader;
REVOKE CREATE ON SCHEMA public FROM hub_reader;

GRANT EXECUTE ON FUNCTION public.shares_closed_now(uuid), public.find_blind_hits(text), public.attach_sought_records(uuid),
    public.find_emergency_target(text), public.is_excluded(uuid), public.accept_hand_over(uuid, text, text, text),
    public.find_list_candidates(text, integer) TO hub_app;
-- the owner's own functions ask for what the actor may know
GRANT EXECUTE ON FUNCTION public.find_sought_records(text) TO hub_owner;

-- asking and emergencies
REVOKE ALL ON FUNCTION public.find_leading_people(uuid[]), public.find_people_asked(uuid), public.find_late_organisations(),
    public.take_late_requests(uuid), public.find_people_of_emergency(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.find_people_asked(uuid), public.find_late_organisations(), public.take_late_requests(uuid),
    public.find_people_of_emergency(uuid) TO hub_app;

-- agreements
REVOKE ALL ON FUNCTION public.count_shares_on(uuid), public.watch_agreement(), public.watch_agreement_line() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.count_shares_on(uuid) TO hub_app;
