"""Who may sign in to one bureau (or to management) and which roles he holds; never shared between tenants."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from saas.core.access import EXCLUSIVE_ROLES, ROLE_PERMISSIONS, Permission, Role

if TYPE_CHECKING:
    from django.http import HttpRequest

    from saas.core.actors import Actor


class UserManager(BaseUserManager["User"]):
    """Finds accounts by the name people type."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Find by user name; capitals do not matter."""
        return self.get(username=(username or "").lower())

    def for_request(self) -> models.QuerySet[User]:
        """Accounts with everything a request asks of its user, in one statement: roles and second factor."""
        from allauth.mfa.models import Authenticator

        roles = RoleGrant.objects.filter(user=models.OuterRef("pk")).order_by("role").values("role")
        factors = Authenticator.objects.filter(
            user=models.OuterRef("pk"), type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        )
        return self.annotate(role_names=ArraySubquery(roles), has_second_factor=models.Exists(factors))


class User(AbstractBaseUser):
    """An account. `username` is a staff number or pinyin; the person behind it is `organisation.Person`.

    `administrator` says which of two kinds the account is: with an exclusive role, or with any number of others.
    The database lets a grant only join an account of its own kind, so no race can mix them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(_("用户名"), max_length=64)
    name = models.CharField(_("姓名"), max_length=64)
    is_active = models.BooleanField(_("启用"), default=True)
    administrator = models.BooleanField(default=False)
    must_change_password = models.BooleanField(default=False)
    second_factor_required = models.BooleanField(default=False)
    failed_count = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    password_changed_at = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    # Bound by the middleware; the actor a resolver found for this request, kept so that it is asked once.
    request: HttpRequest | None = None
    _actor: Actor | None = None

    class Meta:
        constraints = [
            # Not `unique=True`: that would add a second index for LIKE.
            models.UniqueConstraint(fields=["username"], name="accounts_user_username"),
            models.UniqueConstraint(fields=["id", "administrator"], name="accounts_user_kind"),
            models.CheckConstraint(condition=models.Q(username=Lower("username")), name="accounts_user_lower"),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def roles(self) -> frozenset[Role]:
        """The roles granted to this account, read once."""
        names: list[str] | None = self.__dict__.get("role_names")
        if names is None:
            names = list(RoleGrant.objects.filter(user_id=self.pk).values_list("role", flat=True))
            self.__dict__["role_names"] = names
        return frozenset(Role(name) for name in names)

    def second_factor_enrolled(self) -> bool:
        """Whether an authenticator app or a passkey is enrolled, read once."""
        enrolled: bool | None = self.__dict__.get("has_second_factor")
        if enrolled is None:
            enrolled = bool(type(self).objects.for_request().get(pk=self.pk).__dict__["has_second_factor"])
            self.__dict__["has_second_factor"] = enrolled
        return bool(enrolled)

    def has_permission(self, permission: Permission) -> bool:
        """Whether a role grants `permission`; `STAFF` is whoever holds a post now."""
        if not self.is_active:
            return False
        if permission in {Permission.PUBLIC, Permission.SIGNED_IN}:
            return True
        if permission is Permission.STAFF:
            return self.actor.appointment_id is not None
        return any(permission in ROLE_PERMISSIONS[role] for role in self.roles)

    @property
    def actor(self) -> Actor:
        """This account as it acts now: in its chosen appointment, or as an administrator without one."""
        from saas.accounts.actors import resolve

        if self._actor is None:
            self._actor = resolve(self, self.request)
        return self._actor

    @property
    def needs_second_factor(self) -> bool:
        """Whether this account must show two factors: administrators, some zones, and whom the policy names."""
        return settings.ZONE in settings.SECOND_FACTOR_ZONES or self.second_factor_required or self.administrator

    @property
    def pending_step(self) -> str | None:
        """Where the account must go before anything else, or None: first the password, then the second factor."""
        if self.must_change_password:
            return reverse("account_change_password")
        if self.needs_second_factor and not self.second_factor_enrolled():
            return reverse("mfa_index")
        return None

    @property
    def is_locked(self) -> bool:
        """Whether failed sign-ins have closed this account for now."""
        return self.locked_until is not None and self.locked_until > timezone.now()

    # Django's own permission questions, asked by libraries: nothing but roles grants anything here.
    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's permissions do not exist here."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        """Django's permissions do not exist here."""
        return False


class RoleGrant(models.Model):
    """One role of one account, with who gave it.

    A composite foreign key (in the migration) ties `exclusive` to the account's kind.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants", db_index=False)
    role = models.CharField(max_length=32)
    exclusive = models.BooleanField()
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    granted_by_name = models.CharField(max_length=64)
    granted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "role"], name="accounts_grant_once"),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(exclusive=True), name="accounts_grant_exclusive"
            ),
            models.CheckConstraint(
                condition=models.Q(exclusive=models.Q(role__in=sorted(role.value for role in EXCLUSIVE_ROLES))),
                name="accounts_grant_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(granted_by__isnull=True) | ~models.Q(granted_by=models.F("user")),
                name="accounts_grant_not_self",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"
