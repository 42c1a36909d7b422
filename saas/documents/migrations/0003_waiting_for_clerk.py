"""What waits for number or seal is counted on every page of a clerk."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_uploads")]
    operations = [
        migrations.AddIndex(
            "document",
            models.Index(
                fields=["state"],
                condition=Q(state__in=["signed_off", "numbered", "rendered"]),
                name="documents_document_waiting",
            ),
        )
    ]
