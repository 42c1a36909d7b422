"""What a user name and a person's name may be."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

from saas.core.errors import Invalid

USERNAME_LONGEST = 32
NAME_LONGEST = 64
_USERNAME = re.compile(r"^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$")


def clean_username(text: str) -> str:
    """`text` as a user name: lower case, full-width characters made plain.

    Raises:
        Invalid: empty, too long, or with other characters than letters, digits and ``. - _``.
    """
    username = unicodedata.normalize("NFKC", text).strip().lower()
    if len(username) > USERNAME_LONGEST:
        message = _("用户名最多 %(most)d 个字符。") % {"most": USERNAME_LONGEST}
    elif not _USERNAME.fullmatch(username):
        message = _("用户名用工号或姓名拼音，只能有小写字母、数字和 . - _，并以字母或数字开头和结尾。")
    else:
        return username
    raise Invalid(message, code="account.username", fields={"username": message})


def clean_name(text: str) -> str:
    """`text` as a person's name, without surrounding or control characters.

    Raises:
        Invalid: empty or too long.
    """
    name = "".join(char for char in text if unicodedata.category(char) not in {"Cc", "Cf"}).strip()
    if not name:
        message = _("请填写姓名。")
    elif len(name) > NAME_LONGEST:
        message = _("姓名最多 %(most)d 个字。") % {"most": NAME_LONGEST}
    else:
        return name
    raise Invalid(message, code="account.name", fields={"name": message})
