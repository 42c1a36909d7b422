"""How roles are called in the interface."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from saas.core.access import Role

_LABELS = {
    Role.SYSTEM_ADMIN: (_("系统管理员"), _("开设、停用账号，重置密码，维护组织机构")),
    Role.SECURITY_ADMIN: (_("安全管理员"), _("授予和收回角色，解锁账号，重置双重验证，退出他人登录")),
    Role.AUDIT_ADMIN: (_("审计管理员"), _("查看审计记录，包括其他管理员的操作")),
    Role.CLERK: (_("文书"), _("编号、用印、收文登记")),
    Role.ARCHIVIST: (_("档案员"), _("管理档案和制度库")),
    Role.FLOW_ADMIN: (_("流程管理员"), _("设计和发布审批流程")),
    Role.OPERATIONS: (_("平台运维"), _("接入单位，查看系统健康和任务，管理平台账号")),
    Role.SECURITY_OFFICER: (_("安全主管"), _("监督隔离与放行，授予平台角色")),
    Role.PLATFORM_AUDITOR: (_("平台审计"), _("查看平台审计记录和隔离总览")),
}


def role_label(role: Role) -> str:
    """The role's name in the reader's language."""
    return str(_LABELS[role][0])


def role_duty(role: Role) -> str:
    """What the role is for, in the reader's language."""
    return str(_LABELS[role][1])
