"""The password policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.password_validation import MinimumLengthValidator, validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from saas.core.errors import Invalid

if TYPE_CHECKING:
    from saas.accounts.models import User

MAX_LENGTH = 128


def require_acceptable(password: str, user: User, *, field: str) -> None:
    """Refuse a password that breaks the policy.

    Args:
        password: in clear.
        user: whose it would be.
        field: the form field a message belongs to.

    Raises:
        Invalid: names every rule it breaks.
    """
    problems: list[str] = []
    if len(password) > MAX_LENGTH:
        problems.append(_("密码最多 %(most)d 个字符。") % {"most": MAX_LENGTH})
    else:
        try:
            validate_password(password, user)
        except ValidationError as error:
            problems.extend(error.messages)
        if user.has_usable_password() and user.check_password(password):
            problems.append(_("新密码不能与当前密码相同。"))
    if problems:
        message = "".join(problems)
        raise Invalid(message, code="password.weak", fields={field: message})


class LengthValidator(MinimumLengthValidator):
    """The least length, in words that Django's own catalogue no longer has in Chinese."""

    def get_error_message(self) -> str:
        """What is wrong."""
        return _("密码至少要有 %(least)d 个字符。") % {"least": self.min_length}

    def get_help_text(self) -> str:
        """The rule in words."""
        return self.get_error_message()


class VarietyValidator:
    """At least two kinds of characters: letters, digits, others (GB/T 22239-2019, 8.1.4.1 asks for complexity)."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuse a password of one kind of character or of few different ones.

        Raises:
            ValidationError: says which.
        """
        kinds = [
            any(char.isalpha() for char in password),
            any(char.isdigit() for char in password),
            any(not char.isalnum() for char in password),
        ]
        if sum(kinds) < 2:
            raise ValidationError(_("密码要包含字母、数字、符号中的至少两种。"), code="password_variety")
        if len(set(password)) < 5:
            raise ValidationError(_("密码里重复的字符太多。"), code="password_repeats")

        names = (user.username, user.name) if user is not None else ()
        if any(len(name) >= 2 and name.lower() in password.lower() for name in names):
            raise ValidationError(_("密码里不要有姓名或用户名。"), code="password_names")

    def get_help_text(self) -> str:
        """The rule in words."""
        return _("密码要包含字母、数字、符号中的至少两种。")
