"""Registers approvals."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    """Django's entry to approvals."""

    name = "saas.approvals"
    label = "approvals"

    def ready(self) -> None:
        """Make jobs, menu entries and the check before disabling an account known."""
        from saas.accounts import blockers
        from saas.approvals import following, handover, jobs, registry  # noqa: F401 - registers the jobs
        from saas.approvals.views import counting
        from saas.core import navigation
        from saas.core.access import Permission
        from saas.env import Zone
        from saas.organisation import changes

        registry.register_subject(registry.APPLICATION, registry.Applications())
        blockers.register(handover.reasons_against_disabling)
        changes.register(following.holders_changed)
        entries = (
            ("todo", _("待办事项"), "approvals:todo", 10, "inbox", counting.todo, 1, _("待办"), Permission.STAFF),
            (
                "to-read",
                _("待阅文件"),
                "approvals:to_read",
                20,
                "book",
                counting.to_read,
                2,
                _("待阅"),
                Permission.STAFF,
            ),
            ("done", _("已办"), "approvals:done", 30, "check", None, 0, "", Permission.STAFF),
            ("started", _("我发起的"), "approvals:started", 40, "send", None, 0, "", Permission.STAFF),
            ("supervised", _("督办"), "approvals:supervised", 42, "flag", None, 0, "", Permission.STAFF),
            ("applications", _("发起申请"), "approvals:applications", 45, "file-plus", None, 0, "", Permission.STAFF),
            ("delegations", _("委托代办"), "approvals_admin:delegations", 90, "users", None, 0, "", Permission.STAFF),
            ("flows", _("流程"), "approvals_admin:flows", 310, "git-branch", None, 0, "", Permission.DESIGN_FLOWS),
            (
                "stuck",
                _("卡住事项"),
                "approvals_admin:stuck",
                320,
                "alert-triangle",
                None,
                0,
                "",
                Permission.DESIGN_FLOWS,
            ),
        )
        for key, label, url, order, icon, count, bar, short, permission in entries:
            navigation.register(
                navigation.NavEntry(
                    key, label, url, permission, Zone.INTRANET, order, icon, count=count, bar=bar, short=short
                )
            )
