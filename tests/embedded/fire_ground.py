"""Run inside a stack: gives a bureau people with drafts, or says which files of theirs the stack has kept."""

from __future__ import annotations

import json
import os
import sys

PASSWORD = "Under-fire-2026"
DRAFTS_EACH = 12


def make(code: str, count: int) -> list[dict[str, object]]:
    """People who can sign in, each with drafts that take files.

    Args:
        code: the bureau.
        count: how many people.
    """
    from django.contrib.auth.hashers import make_password

    from saas.accounts.models import User
    from saas.accounts.services import user_create
    from saas.core.actors import SYSTEM
    from saas.documents.services import document_draft
    from saas.organisation.acting import actor_for
    from tenants.context import use_tenant
    from tenants.selectors import bureau_by_code
    from tests.documents.conftest import draft_input
    from tests.organisation import makers

    hashed = make_password(PASSWORD)
    people: list[dict[str, object]] = []
    with use_tenant(bureau_by_code(code)):
        post = makers.post("科员", unit=makers.unit("值守科"), kind="staff")
        for number in range(count):
            user = user_create(username=f"fire{number}", name=f"值守{number}", by=SYSTEM, password_hash=hashed).user
            makers.appoint(makers.person(user.name, user=user), post)
            by = actor_for(User.objects.for_request().get(pk=user.pk), None)
            drafts = [str(document_draft(draft=draft_input(), by=by).id) for _draft in range(DRAFTS_EACH)]
            people.append({"username": user.username, "drafts": drafts})
    return people


def kept(code: str) -> dict[str, str]:
    """Digest of what is stored, read through the product, by the id of the file; and the digest its row tells."""
    import hashlib

    from saas.core.errors import YunshuError
    from saas.core.storage import open_object
    from saas.documents.models import Attachment
    from tenants.context import use_tenant
    from tenants.selectors import bureau_by_code

    found = {}
    with use_tenant(bureau_by_code(code)):
        for row in Attachment.objects.all():
            try:
                with open_object(row.stored_name) as source:
                    digest = hashlib.sha256(source.read()).hexdigest()
            except YunshuError as error:
                digest = error.code
            found[str(row.id)] = digest if digest == row.sha256 else f"damaged: {digest}"
    return found


def main() -> None:
    """``make CODE COUNT`` or ``kept CODE``; prints JSON."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
    django.setup()
    what, code, *rest = sys.argv[1:]
    json.dump(make(code, int(rest[0])) if what == "make" else kept(code), sys.stdout)


if __name__ == "__main__":
    main()
