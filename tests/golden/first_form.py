"""The statements that bring a ledger of the present form back to the first one."""

IN_FIRST_FORM = """
DROP INDEX attempt_of_plan; DROP TABLE saved_plan; ALTER TABLE attempt DROP COLUMN plan;
DROP TABLE compared; DROP TABLE forgotten; DROP INDEX attempt_of_task; DROP INDEX attempt_of_shot;
DROP INDEX attempt_open_of; DROP INDEX one_open_attempt; DROP INDEX one_attempt_a_task; DROP INDEX attempt_of;
DROP INDEX attempt_by_time; DROP INDEX attempt_by_run; DROP INDEX attempt_open;
ALTER TABLE attempt DROP COLUMN scope; ALTER TABLE attempt DROP COLUMN migrated;
CREATE UNIQUE INDEX one_open_attempt ON attempt(account, repository, fingerprint) WHERE open;
CREATE UNIQUE INDEX one_attempt_a_task ON attempt(account, task) WHERE task IS NOT NULL;
CREATE INDEX attempt_of ON attempt(account, repository, fingerprint);
CREATE INDEX attempt_by_time ON attempt(account, at);
CREATE INDEX attempt_by_run ON attempt(run);
CREATE INDEX attempt_open ON attempt(account, state) WHERE open;
PRAGMA user_version = 1;
"""
