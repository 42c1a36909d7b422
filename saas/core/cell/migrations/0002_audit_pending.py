"""What the audit trail needs in the schema all bureaus of a cell share: the sealer's queue and the append-only guard."""

from django.db import migrations

SQL = """
CREATE TABLE cell.audit_pending (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  schema_name text NOT NULL,
  record_id uuid NOT NULL,
  urgent boolean NOT NULL
);
-- Chains that have grown since their last signed head.
CREATE TABLE cell.audit_unsigned (
  schema_name text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT now(),
  urgent boolean NOT NULL
);
REVOKE ALL ON cell.audit_pending, cell.audit_unsigned FROM PUBLIC;

-- A bureau's role cannot write the queue; its inserted records do, under the name of the schema they stand in.
CREATE FUNCTION cell.note_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cell, pg_temp AS $f$
BEGIN
  INSERT INTO cell.audit_pending (schema_name, record_id, urgent) VALUES (TG_TABLE_SCHEMA, NEW.id, NEW.urgent);
  RETURN NULL;
END $f$;

CREATE FUNCTION cell.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = '42501';
END $f$;

-- Makes a table append-only: by trigger for everybody, the owner too, and by privilege for everybody but the owner.
CREATE FUNCTION cell.make_append_only(p_table regclass, p_inserts_by text DEFAULT 'users') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE who text;
BEGIN
  EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
                 'FOR EACH STATEMENT EXECUTE FUNCTION cell.refuse_change()', p_table);
  FOR who IN
    SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = p_table AND a.grantee <> c.relowner
  LOOP
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM %s', p_table, who);
    IF p_inserts_by = 'owner' THEN
      EXECUTE format('REVOKE INSERT ON %s FROM %s', p_table, who);
    END IF;
  END LOOP;
END $f$;
REVOKE ALL ON FUNCTION cell.note_audit(), cell.refuse_change(), cell.make_append_only(regclass, text) FROM PUBLIC;
"""
REVERSE = """
DROP FUNCTION cell.make_append_only(regclass, text), cell.refuse_change(), cell.note_audit();
DROP TABLE cell.audit_unsigned, cell.audit_pending;
"""


class Migration(migrations.Migration):
    dependencies = [("cell", "0001_jobs")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
