"""Takes a workbook through its two steps: a dry run that names every wrong row, then, confirmed, the import."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import IO
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from saas.core import storage
from saas.core.actors import Actor
from saas.core.errors import Conflict, NotFound, YunshuError
from saas.core.jobs import enqueue
from saas.core.storage import ContentType
from saas.organisation import jobs
from saas.organisation.models import ImportState, WorkbookImport
from saas.organisation.workbook.applying import import_contents
from saas.organisation.workbook.layout import LARGEST_FILE, Sheet
from saas.organisation.workbook.plan import Plan, make_plan
from saas.organisation.workbook.progress import Progress
from saas.organisation.workbook.reading import Contents, check_package, read

MOST_PROBLEMS_KEPT = 1_000
LANGUAGE = "zh-hans"
_BUSY = (ImportState.CHECKING, ImportState.QUEUED, ImportState.RUNNING)


def workbook_upload(*, file: IO[bytes], file_name: str, size: int, by: Actor) -> WorkbookImport:
    """Keep an uploaded workbook and ask for its dry run.

    Args:
        file: the upload, seekable.
        file_name: as the browser named it; shown, never used as a path.
        size: in bytes.
        by: the system administrator.

    Raises:
        TooLarge: the file or what it unpacks to.
        Invalid: it is no plain .xlsx.
        Conflict: another workbook is being checked or imported.
        Unavailable: Vault or the storage is away.
    """
    check_package(file, size=size)
    if WorkbookImport.objects.filter(state__in=_BUSY).exists():
        raise Conflict(_("另一个工作簿正在处理，请等它完成。"), code="workbook.busy")
    stored = storage.store(
        name_prefix="organisation/imports",
        stream=_reader(file),
        content_type=ContentType.XLSX,
        limit=LARGEST_FILE + 1,
    )
    with transaction.atomic():
        workbook = WorkbookImport.objects.create(
            file_name=file_name[-200:] or "workbook.xlsx",
            stored_name=stored.name,
            sha256=stored.sha256,
            state=ImportState.CHECKING,
            uploaded_by=by.user_id,
            uploaded_by_name=by.user_name,
        )
        enqueue(jobs.workbook_check, import_id=str(workbook.id), language=get_language() or LANGUAGE)
    return workbook


@transaction.atomic
def workbook_confirm(*, import_id: UUID, by: Actor) -> WorkbookImport:
    """Have a checked workbook imported. Confirming twice asks once.

    Raises:
        NotFound: no such import.
        Conflict: its rows are wrong, or it is over.
    """
    workbook = WorkbookImport.objects.select_for_update().filter(id=import_id).first()
    if workbook is None:
        raise NotFound(_("没有这次导入。"))
    if workbook.state in {ImportState.QUEUED, ImportState.RUNNING, ImportState.DONE}:
        return workbook
    if workbook.state != ImportState.CHECKED:
        raise Conflict(_("这个工作簿不能导入，请改正后重新上传。"), code="workbook.not_checked")
    workbook.state = ImportState.QUEUED
    workbook.done = 0
    workbook.uploaded_by, workbook.uploaded_by_name = by.user_id, by.user_name
    workbook.save(update_fields=["state", "done", "uploaded_by", "uploaded_by_name"])
    enqueue(jobs.workbook_import, import_id=str(workbook.id), language=get_language() or LANGUAGE)
    return workbook


def run_check(import_id: UUID) -> None:
    """The dry run, in a job: what would change, and every wrong row. Safe to run twice."""
    workbook = WorkbookImport.objects.filter(id=import_id, state=ImportState.CHECKING).first()
    if workbook is None:
        return
    try:
        with Progress(import_id, total=0) as progress:
            contents = _contents(workbook, progress)
            plan = make_plan(contents, tick=progress.tick)
    except YunshuError as error:
        if error.status >= 500:
            raise
        _finish(workbook, ImportState.REFUSED, message=str(error.message))
        return
    workbook.total = contents.count
    _keep_plan(workbook, plan)
    _finish(workbook, ImportState.REFUSED if plan.problems else ImportState.CHECKED)


def run_import(import_id: UUID) -> None:
    """The import, in a job: all or nothing. Safe to run twice: the second time nothing is left to change."""
    workbook = WorkbookImport.objects.filter(
        id=import_id, state__in=[ImportState.QUEUED, ImportState.RUNNING, ImportState.FAILED]
    ).first()
    if workbook is None:
        return
    WorkbookImport.objects.filter(id=import_id).update(state=ImportState.RUNNING, done=0)
    by = Actor(user_id=workbook.uploaded_by, user_name=workbook.uploaded_by_name)
    try:
        # A row is read, checked and written.
        with Progress(import_id, total=workbook.total * 3) as progress:
            contents = _contents(workbook, progress)
            plan = import_contents(
                contents, by=by, file_name=workbook.file_name, sha256=workbook.sha256, tick=progress.tick
            )
    except YunshuError as error:
        _finish(workbook, ImportState.FAILED, message=str(error.message))
        if error.status >= 500:
            raise
        return
    except Exception:
        _finish(workbook, ImportState.FAILED, message=_("导入中断，没有写入任何数据，将自动重试。"))
        raise
    _keep_plan(workbook, plan)
    if plan.problems:
        _finish(workbook, ImportState.REFUSED, message=_("检查之后机构有了变化，没有写入任何数据。"))
        return
    _finish(workbook, ImportState.DONE)


def _contents(workbook: WorkbookImport, progress: Progress) -> Contents:
    with storage.open_object(workbook.stored_name) as stored:
        file = io.BytesIO(stored.read())
    check_package(file, size=file.getbuffer().nbytes)
    return read(file, tick=progress.tick)


def _keep_plan(workbook: WorkbookImport, plan: Plan) -> None:
    workbook.problems = [asdict(problem) for problem in plan.problems[:MOST_PROBLEMS_KEPT]]
    workbook.problem_count = len(plan.problems)
    workbook.summary = {
        "sheets": [{"name": sheet.title, **asdict(plan.counts[sheet.title])} for sheet in Sheet],
        "accounts": len(plan.accounts),
        "empty": plan.empty,
    }


def _finish(workbook: WorkbookImport, state: ImportState, *, message: str = "") -> None:
    workbook.state = state
    workbook.message = message[:300]
    workbook.done = workbook.total
    workbook.finished_at = timezone.now()
    workbook.save(
        update_fields=["state", "message", "done", "total", "problems", "problem_count", "summary", "finished_at"]
    )


def _reader(file: IO[bytes]) -> io.BytesIO:
    file.seek(0)
    return io.BytesIO(file.read(LARGEST_FILE + 1))
