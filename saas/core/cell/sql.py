"""The SQL of schema ``cell``: what all bureaus of a cell share, and nothing a bureau's role may touch directly.

procrastinate's own schema is installed unchanged but for two things, both checked when the SQL is made: every
job carries its tenant, and jobs of a suspended tenant are passed over when a worker fetches.
"""

from __future__ import annotations

from django.conf import settings
from procrastinate.schema import SchemaManager

from saas.core.tenancy import MANAGEMENT_SCHEMA
from saas.env import Zone

_FETCH_CONDITION = "AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())"
_NOT_SUSPENDED = (
    _FETCH_CONDITION + "\n                AND NOT EXISTS (SELECT 1 FROM cell.suspended s WHERE s.tenant = jobs.tenant)"  # noqa: S608
)


def app_role() -> str:
    """The login of this cell's web and job processes."""
    return f"yunshu_{settings.ZONE}_{settings.CELL}_app"


def _procrastinate() -> str:
    schema = SchemaManager.get_schema().replace("%%", "%")
    if schema.count(_FETCH_CONDITION) != 1:
        raise RuntimeError("procrastinate's fetch function changed: review saas.core.cell.sql before upgrading")
    return schema.replace(_FETCH_CONDITION, _NOT_SUSPENDED)


def _acting_tenant() -> str:
    # Inside a SECURITY DEFINER function current_user is the owner; the setting "role" still names the caller.
    if settings.ZONE is Zone.MANAGEMENT:
        return f"SELECT '{MANAGEMENT_SCHEMA}'::text"
    return "SELECT nullif(current_setting('role'), 'none')"


def install() -> str:
    """The statements that make the schema; run once by the owner."""
    return f"""
CREATE SCHEMA IF NOT EXISTS cell;
CREATE SCHEMA IF NOT EXISTS extensions;
SET LOCAL search_path = cell, pg_catalog;
CREATE TABLE cell.suspended (tenant text PRIMARY KEY, since timestamptz NOT NULL DEFAULT now());
{_procrastinate()}
ALTER TABLE cell.procrastinate_jobs
  ADD COLUMN tenant text NOT NULL,
  ADD COLUMN enqueued_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN last_error text NOT NULL DEFAULT '';
CREATE INDEX jobs_failed_idx ON cell.procrastinate_jobs (tenant, id) WHERE status = 'failed';

CREATE FUNCTION cell.acting_tenant() RETURNS text LANGUAGE sql STABLE AS $f$ {_acting_tenant()} $f$;

CREATE FUNCTION cell.insert_job(
  p_tenant text, p_queue text, p_task text, p_key text, p_args jsonb, p_at timestamptz
) RETURNS bigint LANGUAGE plpgsql SET search_path = cell, pg_temp AS $f$
DECLARE new_id bigint;
BEGIN
  IF p_tenant IS NULL OR p_tenant = '' THEN
    RAISE EXCEPTION 'a job without a tenant cannot be enqueued' USING ERRCODE = '42501';
  END IF;
  INSERT INTO procrastinate_jobs (tenant, queue_name, task_name, queueing_lock, args, scheduled_at)
  VALUES (p_tenant, p_queue, p_task, p_tenant || ':' || nullif(p_key, ''),
          coalesce(p_args, '{{}}'::jsonb) || jsonb_build_object('_tenant', p_tenant), p_at)
  ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
  RETURNING id INTO new_id;
  RETURN new_id;
END $f$;

-- What a tenant's role may call: the tenant is whoever calls, never what the caller says.
CREATE FUNCTION cell.enqueue(p_queue text, p_task text, p_key text, p_args jsonb, p_at timestamptz)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp
AS $f$ SELECT cell.insert_job(cell.acting_tenant(), p_queue, p_task, p_key, p_args, p_at) $f$;

CREATE FUNCTION cell.my_failed_jobs()
RETURNS TABLE (id bigint, task_name text, attempts int, last_error text, enqueued_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, pg_temp
AS $f$ SELECT j.id, j.task_name::text, j.attempts, j.last_error, j.enqueued_at FROM procrastinate_jobs j
       WHERE j.status = 'failed' AND j.tenant = cell.acting_tenant() ORDER BY j.id DESC LIMIT 200 $f$;

CREATE FUNCTION cell.repeat_my_job(p_id bigint) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp
AS $f$ WITH again AS (
         UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL,
           last_error = '', queueing_lock = NULL
         WHERE id = p_id AND status = 'failed' AND tenant = cell.acting_tenant() RETURNING 1)
       SELECT EXISTS (SELECT 1 FROM again) $f$;

REVOKE ALL ON ALL TABLES IN SCHEMA cell FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA cell FROM PUBLIC;
GRANT USAGE ON SCHEMA cell, extensions TO "{app_role()}";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cell TO "{app_role()}";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA cell TO "{app_role()}";
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA cell TO "{app_role()}";
REVOKE INSERT, UPDATE, DELETE ON cell.suspended FROM "{app_role()}";
SET LOCAL search_path = public, cell;
"""  # noqa: S608
