"""How a bureau's pages look: chosen by the bureau itself, for itself alone."""

from django.db import migrations, models

# The row is found by who calls, never by what the caller says; the notice drops every process's cached look-up.
CHANGE = """
CREATE FUNCTION cell.change_my_appearance(p_name text, p_emblem text, p_theme text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $f$ WITH changed AS (
         UPDATE tenants_bureau SET shown_name = p_name, emblem = p_emblem, theme = p_theme
         WHERE schema_name = cell.acting_tenant() RETURNING 1)
       SELECT EXISTS (SELECT 1 FROM changed) $f$;
REVOKE ALL ON FUNCTION cell.change_my_appearance(text, text, text) FROM PUBLIC;
DROP TRIGGER tenants_bureau_notice ON tenants_bureau;
CREATE TRIGGER tenants_bureau_notice
  AFTER INSERT OR DELETE OR UPDATE OF code, name, state, schema_name, shown_name, emblem, theme ON tenants_bureau
  FOR EACH STATEMENT EXECUTE FUNCTION tenants_notice();
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_registry"), ("cell", "0001_jobs")]
    operations = [
        migrations.AddField("bureau", "shown_name", models.CharField(blank=True, default="", max_length=30)),
        migrations.AddField("bureau", "emblem", models.CharField(blank=True, default="", max_length=2)),
        migrations.AddField("bureau", "theme", models.CharField(blank=True, default="", max_length=10)),
        migrations.RunSQL(CHANGE, migrations.RunSQL.noop),
    ]
