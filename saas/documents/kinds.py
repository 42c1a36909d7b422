"""The closed sets of official documents: the 15 types, urgency, sensitivity, direction and state."""

from __future__ import annotations

import re

from django.db import models
from django.utils.translation import gettext_lazy as _

# The kinds of subject under which flows know documents.
SUBJECT = "document"
INCOMING_SUBJECT = "incoming"
# The flow 收文登记 starts; it never takes an outgoing document.
INCOMING_FLOW = "incoming"


class Kind(models.TextChoices):
    """文种: 《党政机关公文处理工作条例》 article 8."""

    RESOLUTION = "resolution", _("决议")
    DECISION = "decision", _("决定")
    ORDER = "order", _("命令")
    COMMUNIQUE = "communique", _("公报")
    ANNOUNCEMENT = "announcement", _("公告")
    PUBLIC_NOTICE = "public_notice", _("通告")
    OPINION = "opinion", _("意见")
    NOTICE = "notice", _("通知")
    CIRCULAR = "circular", _("通报")
    REPORT = "report", _("报告")
    REQUEST = "request", _("请示")
    REPLY = "reply", _("批复")
    PROPOSAL = "proposal", _("议案")
    LETTER = "letter", _("函")
    MINUTES = "minutes", _("纪要")


# Upward documents carry 签发人 and have one main recipient (articles 9 and 15).
UPWARD = frozenset({Kind.REPORT, Kind.REQUEST, Kind.PROPOSAL})
CHINESE_NAMES: dict[str, Kind] = {
    "决议": Kind.RESOLUTION,
    "决定": Kind.DECISION,
    "命令": Kind.ORDER,
    "公报": Kind.COMMUNIQUE,
    "公告": Kind.ANNOUNCEMENT,
    "通告": Kind.PUBLIC_NOTICE,
    "意见": Kind.OPINION,
    "通知": Kind.NOTICE,
    "通报": Kind.CIRCULAR,
    "报告": Kind.REPORT,
    "请示": Kind.REQUEST,
    "批复": Kind.REPLY,
    "议案": Kind.PROPOSAL,
    "函": Kind.LETTER,
    "纪要": Kind.MINUTES,
}


class Urgency(models.TextChoices):
    """紧急程度 of paper documents (article 9)."""

    NONE = "", _("一般")
    URGENT = "urgent", _("加急")
    MOST_URGENT = "most_urgent", _("特急")


PRINTED_URGENCY = {Urgency.NONE: "", Urgency.URGENT: "加急", Urgency.MOST_URGENT: "特急"}


class Sensitivity(models.TextChoices):
    """Our own levels. State secrets have none: they may not enter the system at all."""

    OPEN = "open", _("公开")
    INTERNAL = "internal", _("内部")
    SENSITIVE = "sensitive", _("敏感")


class Direction(models.TextChoices):
    """Whether the bureau issues the document or has received it."""

    OUTGOING = "outgoing", _("发文")
    INCOMING = "incoming", _("收文")


class State(models.TextChoices):
    """Where a document is on its way (article 24–30: 拟稿 … 核发; 签收 … 答复)."""

    DRAFTING = "drafting", _("起草中")
    IN_APPROVAL = "in_approval", _("审批中")
    SIGNED_OFF = "signed_off", _("已签发")
    NUMBERED = "numbered", _("已编号")
    RENDERED = "rendered", _("已排版")
    SEALED = "sealed", _("已用印")
    SENT = "sent", _("已发出")
    REGISTERED = "registered", _("已登记")
    IN_HANDLING = "in_handling", _("办理中")
    HANDLED = "handled", _("已办结")
    FILED = "filed", _("已归档")
    VOIDED = "voided", _("已作废")


def kind_of_title(title: str, number: str = "") -> Kind | None:
    """The type a title ends with, or the one its number tells (…令, …函); None when neither does.

    Closing brackets such as （试行） are looked through; 复函 is a 函 and 若干意见 an 意见.
    """
    bare = re.sub(r"[（(][^（）()]{1,12}[）)]$", "", title.strip())
    for name, kind in CHINESE_NAMES.items():
        if bare.endswith(name):
            return kind
    if "令" in number:
        return Kind.ORDER
    if "函" in number:
        return Kind.LETTER
    return None
