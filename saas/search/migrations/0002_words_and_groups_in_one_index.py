"""One index answers words and permission; without statistics the planner always asks it."""

import django.contrib.postgres.indexes
from django.db import migrations

# Its cost model prices a look into a row's words, which lie outside the row in 8 kB, like a look at a number: with
# statistics of common words it reads thousands of rows instead of one index. The next ANALYZE takes none.
_SQL = "ALTER TABLE search_searchrow " + ", ".join(
    f"ALTER COLUMN {column} SET STATISTICS {{0}}" for column in ("body_words", "title_words", "groups")
)


class Migration(migrations.Migration):
    dependencies = [("search", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="searchrow", name="search_row_words"),
        migrations.RemoveIndex(model_name="searchrow", name="search_row_groups"),
        migrations.RemoveIndex(model_name="searchrow", name="search_row_newest"),
        migrations.AddIndex(
            model_name="searchrow",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["body_words", "title_words", "groups"],
                name="search_row_words_groups",
                gin_pending_list_limit=256,
            ),
        ),
        migrations.RunSQL(_SQL.format(0), _SQL.format(-1)),
    ]
