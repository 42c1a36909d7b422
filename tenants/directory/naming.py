"""What a bureau may be called, said in sentences a clerk can act on."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from saas.core.errors import Invalid, Text
from tenants.directory.models import BureauLevel
from tenants.divisions import divisions

_CODE = re.compile(r"[a-z][a-z0-9-]{1,30}\Z")
# First labels of hosts that are, or may become, something else than a bureau.
RESERVED = frozenset(
    {"ops", "security", "cells", "ext", "www", "api", "admin", "static", "media", "status", "docs", "help", "support"}
    | {"mail", "smtp", "imap", "ftp", "ns", "dns", "vpn", "cdn", "app", "apps", "auth", "login", "sso", "localhost"}
    | {"management", "intranet", "extranet", "public", "cell", "extensions", "test"}
)


def check_bureau(*, code: str, name: str, division_code: str, level: str) -> None:
    """Refuse what a bureau cannot be called.

    Raises:
        Invalid: one message per wrong field.
    """
    fields: dict[str, Text] = {}
    if not _CODE.match(code) or code.endswith("-") or "--" in code:
        fields["code"] = _("单位代码须以小写字母开头，只含小写字母、数字和单个短横线，2至31个字符，不以短横线结尾。")
    elif code in RESERVED:
        fields["code"] = _("“%(code)s”是平台保留的名称，请换一个单位代码。") % {"code": code}
    if not name.strip():
        fields["name"] = _("请填写单位全称。")
    elif len(name) > 100:
        fields["name"] = _("单位全称最多100个字。")
    elif any(ord(character) < 32 for character in name):
        fields["name"] = _("单位全称中有不可见的控制字符，请删除后重新填写。")
    if division_code not in divisions():
        fields["division_code"] = _("没有代码为“%(code)s”的行政区划，请填写六位行政区划代码。") % {
            "code": division_code
        }
    if level not in BureauLevel.values:
        fields["level"] = _("请选择单位的行政层级。")
    if fields:
        raise Invalid("".join(str(text) for text in fields.values()), code="bureau.invalid", fields=fields)
