"""The one way an account is proven by a password, and loaded for a request."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from saas.accounts.models import User
from saas.accounts.signing_in import check_password


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]
    """Checks passwords with lock-out; loads an account with its roles in one statement."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Prove user name and password; None for every reason alike."""
        username, password = credentials.get("username"), credentials.get("password")
        if not isinstance(username, str) or not isinstance(password, str) or not password:
            return None
        return check_password(username=username, password=password, request=request)

    def get_user(self, user_id: Any) -> User | None:
        """The account of a session, with roles and second factor."""
        user = User.objects.for_request().filter(pk=user_id).first()
        return user if user is not None and user.is_active else None
