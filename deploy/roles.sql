-- What each part of a site may do in the database. Run as the owner of the tables, when the site's tables are there and
-- after each upgrade; doing it again changes nothing. Roles are called like the users of the parts (deploy/parts.sh), so
-- that PostgreSQL lets each in by its socket as itself ("peer"):
--
--   psql -d gatehouse -f deploy/roles.sql
--
-- The log writer has no business in the database and has no role.

DO $$
DECLARE
    part text;
BEGIN
    FOREACH part IN ARRAY ARRAY['gatehouse-web', 'gatehouse-decider', 'gatehouse-sealer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = part) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', part);
        END IF;
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', part);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM %I', part);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', part);
        EXECUTE format('GRANT SELECT ON django_migrations TO %I', part);
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- web: accounts, sessions and pages; decisions are added, and only their place in the ledger is filled in later
GRANT SELECT, INSERT, UPDATE, DELETE ON
    django_session, console_account, console_failedsignin, console_calls, console_secondfactor, console_recoverycode,
    console_arrival, console_task, console_step, console_mark, console_letter, console_key, console_repeat,
    console_proposal
    TO "gatehouse-web";
GRANT SELECT, INSERT ON console_opening, store_attempt, store_return, store_decision TO "gatehouse-web";
GRANT UPDATE (ledger_index) ON store_decision TO "gatehouse-web";
GRANT SELECT, INSERT, UPDATE ON store_sample, store_job TO "gatehouse-web";
GRANT SELECT, INSERT, UPDATE, DELETE ON store_members TO "gatehouse-web";
GRANT SELECT, UPDATE (decisions_made) ON store_casefile TO "gatehouse-web";
GRANT SELECT, UPDATE (tries, next_at, done_at) ON console_call TO "gatehouse-web";
GRANT SELECT ON store_release, django_content_type, auth_group, auth_permission, auth_group_permissions
    TO "gatehouse-web";

-- decider: dockets, jobs and releases; nothing by which somebody signs in
GRANT SELECT, INSERT, UPDATE, DELETE ON
    store_casefile, store_members, store_job, store_release TO "gatehouse-decider";
GRANT SELECT, INSERT ON store_decision, store_attempt, store_return TO "gatehouse-decider";
GRANT UPDATE (ledger_index) ON store_decision TO "gatehouse-decider";
GRANT SELECT ON store_sample, console_account TO "gatehouse-decider";
GRANT SELECT, UPDATE ON console_arrival TO "gatehouse-decider";
GRANT SELECT, INSERT ON console_call TO "gatehouse-decider";

-- sealer: what was decided, and which reports are overdue; it writes nothing
GRANT SELECT ON store_casefile, store_members, store_decision, store_release, store_return TO "gatehouse-sealer";

GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "gatehouse-web", "gatehouse-decider";
