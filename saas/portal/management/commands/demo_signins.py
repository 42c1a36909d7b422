"""Prints who can sign in to the demonstration, and where."""

from django.core.management.base import BaseCommand

from saas.portal.demo import administrators, stage
from saas.portal.demo.cast import BUREAUS


class Command(BaseCommand):
    help = "List the demonstration's people to sign in as."

    def handle(self, **options: object) -> None:
        demo = administrators.load()
        self.stdout.write(f"\n演示口令（所有人）/ password of everybody: {demo.password}")
        for plan in BUREAUS:
            self.stdout.write(f"\n  {plan.name}  {plan.code}.localhost")
            people = (
                ("拟稿 / drafter", stage.drafter(plan, 5)),
                ("科长 / section head", stage.section_head(plan, 5)),
                *(("会签 / countersigns", one) for one in stage.countersigners(plan)),
                ("办公室核稿 / reads over", stage.editor(plan)),
                ("分管领导 / leader in charge", stage.deputy(plan, "一二三四"[plan.offices[5].in_charge])),
                ("主要领导 / head", stage.head(plan)),
                ("文书 / document clerk", stage.clerk(plan)),
                ("档案 / archivist", stage.archivist(plan)),
            )
            for role, one in people:
                self.stdout.write(f"    {one.username:<16}{one.name}　{one.role}  {role}")
            self.stdout.write("    system-admin、security-admin、audit-admin   三员 / administrators *")
        self.stdout.write("\n  管理域 / management  ops.localhost: ops *    security.localhost: security *, auditor *")
        self.stdout.write("  * 另需动态口令 / also asked for a code; print it by: .venv/bin/python manage.py demo_code")
