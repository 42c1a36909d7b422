"""A number once given stays as it is, for everybody: it may be put out of use with its reason, and nothing else."""

from django.db import migrations

SQL = """
CREATE OR REPLACE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON documents_numberentry
FOR EACH STATEMENT EXECUTE FUNCTION cell.refuse_change();
CREATE OR REPLACE TRIGGER void_only BEFORE UPDATE ON documents_numberentry FOR EACH ROW
WHEN (OLD.state = 'void' OR NEW.state <> 'void'
      OR ROW(OLD.id, OLD.book_id, OLD.serial, OLD.document_id, OLD.title, OLD.at, OLD.by_name, OLD.by_post)
         IS DISTINCT FROM
         ROW(NEW.id, NEW.book_id, NEW.serial, NEW.document_id, NEW.title, NEW.at, NEW.by_name, NEW.by_post))
EXECUTE FUNCTION cell.refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0003_waiting_for_clerk")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
