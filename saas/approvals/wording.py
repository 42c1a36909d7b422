"""The engine's closed words in the reader's language: acts, reasons, states, holds."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from saas.approvals.engine.commands import Act, Reason
from saas.approvals.engine.state import HoldReason, Status

ACTS: dict[Act, Promise] = {
    Act.START: _("提交"),
    Act.AGREE: _("同意"),
    Act.DISAGREE: _("不同意"),
    Act.RETURN: _("退回"),
    Act.WITHDRAW: _("撤回"),
    Act.TRANSFER: _("转办"),
    Act.DELEGATE: _("委派"),
    Act.ADD_BEFORE: _("前加签"),
    Act.ADD_AFTER: _("同意并后加签"),
    Act.ADD_BESIDE: _("并行加签"),
    Act.REMOVE: _("减签"),
    Act.CIRCULATE: _("传阅"),
    Act.URGE: _("催办"),
    Act.SUSPEND: _("挂起"),
    Act.RESUME: _("恢复"),
    Act.TERMINATE: _("终止"),
    Act.REASSIGN: _("改派"),
    Act.PASS: _("准予通过"),
    Act.JUMP: _("移至节点"),
    Act.RETRY: _("重试"),
    Act.AUTOMATIC_DONE: _("自动办结"),
    Act.AUTOMATIC_FAILED: _("自动办理失败"),
    Act.SUB_FLOW_ENDED: _("子流程办结"),
    Act.HOLDERS_CHANGED: _("任职变动"),
}
# What is on record beside the engine's own acts.
RECORDED: dict[str, Promise] = {
    "change_version": _("改用另一版流程"),
    "due_soon": _("即将到期，已提醒"),
    "overdue": _("已超期"),
    "escalated": _("已上报"),
}
REASONS: dict[Reason, Promise] = {
    Reason.NOT_RUNNING: _("流程已经结束。"),
    Reason.SUSPENDED: _("流程已挂起，恢复后才能办理。"),
    Reason.NO_TASK: _("没有这项待办。"),
    Reason.TASK_DONE: _("这项待办已经办理。"),
    Reason.TASK_CLOSED: _("这项待办已经撤销或转走。"),
    Reason.TASK_WAITING: _("正在等待您请的人办理，办完后会回到您这里。"),
    Reason.TASK_QUEUED: _("还没有轮到这一环节。"),
    Reason.NOT_AT_START: _("事项不在拟稿人处。"),
    Reason.AT_START: _("事项在拟稿人处，不适用。"),
    Reason.ADVICE_ONLY: _("您是受邀提意见，由邀请您的人决定。"),
    Reason.FORBIDDEN_HERE: _("本环节的规则不允许。"),
    Reason.NO_TARGET: _("请选择办理人。"),
    Reason.ALREADY_ASKED: _("所选的岗位已经在办理或办过本环节。"),
    Reason.NOT_PASSED: _("只能退回到已经过的环节。"),
    Reason.NEXT_HAS_OPENED: _("下一环节已经打开，不能撤回；可请对方退回。"),
    Reason.NOT_YOURS: _("只能撤回自己办理的。"),
    Reason.IRREVOCABLE: _("其后的办理已经生效，不能撤回。"),
    Reason.NOT_ADDED: _("不是加签的待办，不能减签。"),
    Reason.TOO_DEEP: _("加签太多或层级太深。"),
    Reason.NOT_ACTIVE: _("流程不在这一环节。"),
    Reason.NOT_CHOSEN: _("请为“%(detail)s”选择办理人。"),
    Reason.NOT_SUSPENDED: _("流程没有挂起。"),
    Reason.NOTHING_CHANGED: _("没有变化。"),
}
STATUSES: dict[Status, Promise] = {
    Status.RUNNING: _("办理中"),
    Status.SUSPENDED: _("已挂起"),
    Status.FINISHED: _("已办结"),
    Status.TERMINATED: _("已终止"),
}
HOLDS: dict[HoldReason, Promise] = {
    HoldReason.NOBODY: _("按规则找不到办理人"),
    HoldReason.VACANT: _("岗位空缺，无人办理"),
    HoldReason.NOT_CHOSEN: _("没有选择办理人"),
    HoldReason.CONDITION: _("条件无法判断"),
    HoldReason.AUTOMATIC: _("正在自动办理"),
    HoldReason.SUB_FLOW: _("等待子流程"),
    HoldReason.FAILED: _("自动办理失败"),
}
URGENCY = {0: "", 1: _("平急"), 2: _("加急"), 3: _("特急"), 4: _("特提")}


def act_text(name: str) -> str:
    """What was done, by the name it is recorded under."""
    return str(RECORDED[name] if name in RECORDED else ACTS[Act(name)])


def reason_text(reason: Reason, detail: str = "") -> str:
    """A reason as a sentence."""
    text = str(REASONS[reason])
    return text % {"detail": detail} if "%(" in text else text
