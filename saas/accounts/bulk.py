"""Makes many accounts at once for an import, without hashing a password for each."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction

from saas.accounts import policies
from saas.accounts.models import User
from saas.accounts.names import clean_name, clean_username
from saas.core.access import Permission
from saas.core.actors import Actor
from saas.core.audit.events import Event
from saas.core.audit.services import Target, record

_BATCH = 500


@transaction.atomic
def accounts_create(*, names: Mapping[str, str], by: Actor) -> dict[str, UUID]:
    """Make accounts without any role that nobody can sign in to until an administrator resets the password.

    Args:
        names: the person's name by user name; user names that exist already are an error of the caller.
        by: a system administrator, or provisioning.

    Returns:
        the account's id by user name.

    Raises:
        Forbidden: `by` may not.
        Invalid: a name breaks its rule.
    """
    policies.require(by, Permission.MANAGE_ACCOUNTS)
    users = [
        User(
            username=clean_username(username),
            name=clean_name(name),
            password=make_password(None),
            must_change_password=True,
        )
        for username, name in names.items()
    ]
    for start in range(0, len(users), _BATCH):
        batch = users[start : start + _BATCH]
        User.objects.bulk_create(batch)
        # One record for a batch, with every user name in it.
        record(
            Event.ACCOUNT_CREATED,
            by=by,
            target=Target("accounts", batch[0].id, batch[0].username),
            detail={"usernames": [user.username for user in batch]},
        )
    return {user.username: user.id for user in users}
