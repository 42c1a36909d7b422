"""The spool of packages between the bureaus of a cell.

A bureau's role reaches it through five functions only. Who sends is whoever calls, never what the caller says; who
receives must be at work; a package is seen by its receiver alone; the receiver's job is enqueued in the sender's own
transaction, so a package that was sent is never forgotten.
"""

from __future__ import annotations

from saas.core.cell.sql import app_role

FUNCTIONS = (
    "cell.exchange_bureaus()",
    "cell.exchange_post(uuid, text, text, text, text, text)",
    "cell.exchange_package(uuid)",
    "cell.exchange_taken(uuid)",
)

# Another bureau that knows a package's id cannot stand in its way: ids are each sender's own. Posting the same again
# is true (a job that is tried twice), another text or receiver under an id once used is false.
POST = """
CREATE OR REPLACE FUNCTION cell.exchange_post(
  p_id uuid, p_kind text, p_to text, p_manifest text, p_signature text, p_object text
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = cell, public, pg_temp AS $f$
DECLARE sender text := cell.acting_tenant(); receiver text;
BEGIN
  IF sender IS NULL THEN
    RAISE EXCEPTION 'a package without a sender cannot be posted' USING ERRCODE = '42501';
  END IF;
  SELECT b.schema_name INTO receiver FROM tenants_bureau b WHERE b.code = p_to AND b.state = 'active';
  IF receiver IS NULL OR receiver = sender THEN
    RETURN false;
  END IF;
  INSERT INTO exchange_spool (id, kind, from_tenant, to_tenant, manifest, signature, object_name)
  VALUES (p_id, p_kind, sender, receiver, p_manifest, p_signature, p_object)
  ON CONFLICT (id, kind, from_tenant) DO NOTHING;
  IF FOUND THEN
    PERFORM cell.insert_job(receiver, 'exchange', 'saas.exchange.jobs.receive', p_kind || ':' || p_id,
                            jsonb_build_object('package_id', p_id), NULL);
    RETURN true;
  END IF;
  RETURN EXISTS (SELECT 1 FROM exchange_spool s WHERE s.id = p_id AND s.kind = p_kind AND s.from_tenant = sender
                 AND s.to_tenant = receiver AND (s.manifest = p_manifest OR s.taken_at IS NOT NULL));
END $f$;
"""

OWN_IDS = f"""
ALTER TABLE cell.exchange_spool DROP CONSTRAINT IF EXISTS exchange_spool_pkey;
ALTER TABLE cell.exchange_spool ADD CONSTRAINT exchange_spool_pkey PRIMARY KEY (id, kind, from_tenant);
{POST}
DROP FUNCTION IF EXISTS cell.exchange_taken(uuid);
CREATE OR REPLACE FUNCTION cell.exchange_taken(p_id uuid, p_kind text, p_from text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp
AS $f$ UPDATE exchange_spool SET taken_at = now(), manifest = ''
       WHERE id = p_id AND kind = p_kind AND from_tenant = p_from AND to_tenant = cell.acting_tenant()
         AND taken_at IS NULL $f$;
REVOKE ALL ON FUNCTION cell.exchange_taken(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cell.exchange_taken(uuid, text, text) TO "{app_role()}";
"""  # noqa: S608

# The receiver has the manifest by then; the cell keeps only that the package existed, so that it comes once.
TAKEN = """
CREATE OR REPLACE FUNCTION cell.exchange_taken(p_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp
AS $f$ UPDATE exchange_spool SET taken_at = now(), manifest = ''
       WHERE id = p_id AND to_tenant = cell.acting_tenant() AND taken_at IS NULL $f$;
"""

# Which files of a bureau are on their way to it: the sweep of files that no row names must leave them alone.
WAITING = f"""
CREATE OR REPLACE FUNCTION cell.exchange_waiting() RETURNS TABLE (object_name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, pg_temp
AS $f$ SELECT one.name FROM exchange_spool s, string_to_table(s.object_name, E'\\n') AS one(name)
       WHERE s.to_tenant = cell.acting_tenant() AND s.taken_at IS NULL AND s.object_name <> '' $f$;
REVOKE ALL ON FUNCTION cell.exchange_waiting() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cell.exchange_waiting() TO "{app_role()}";
"""  # noqa: S608


def install() -> str:
    """The statements that make the spool; run once by the owner."""
    return f"""
CREATE TABLE cell.exchange_spool (
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('document', 'receipt', 'return')),
  from_tenant text NOT NULL,
  to_tenant text NOT NULL,
  manifest text NOT NULL CHECK (length(manifest) <= 1000000),
  signature text NOT NULL,
  object_name text NOT NULL,
  posted_at timestamptz NOT NULL DEFAULT now(),
  taken_at timestamptz,
  PRIMARY KEY (id, kind)
);
CREATE FUNCTION cell.exchange_bureaus()
RETURNS TABLE (id uuid, schema_name text, code text, name text, short_name text, state text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $f$ SELECT b.id, b.schema_name::text, b.code::text, b.name::text, b.short_name::text, b.state::text
       FROM tenants_bureau b WHERE b.state IN ('active', 'suspended') ORDER BY b.code $f$;

{POST}

CREATE FUNCTION cell.exchange_package(p_id uuid)
RETURNS TABLE (kind text, from_id uuid, from_schema text, from_code text, from_name text, manifest text,
               signature text, object_name text, posted_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, public, pg_temp
AS $f$ SELECT s.kind, b.id, b.schema_name::text, b.code::text, b.name::text, s.manifest, s.signature, s.object_name,
              s.posted_at
       FROM exchange_spool s JOIN tenants_bureau b ON b.schema_name = s.from_tenant
       WHERE s.id = p_id AND s.to_tenant = cell.acting_tenant() AND s.taken_at IS NULL ORDER BY s.posted_at $f$;

{TAKEN}

REVOKE ALL ON cell.exchange_spool FROM PUBLIC;
REVOKE ALL ON FUNCTION {", ".join(FUNCTIONS)} FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {", ".join(FUNCTIONS)} TO "{app_role()}";
"""  # noqa: S608
