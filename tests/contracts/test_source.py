"""Rules of the house that the source itself must keep; each is shown to catch a breach."""

from __future__ import annotations

from pathlib import Path

from tests.contracts import source

SAMPLE = Path("sample.py")


def test_no_file_of_ours_is_longer_than_one_room() -> None:
    kinds = {".py", ".html", ".css", ".js", ".typ", ".tf"}
    paths = [p for p in source.tracked() if p.suffix in kinds and not {"migrations", "vendor"} & set(p.parts)]
    paths = [p for p in paths if not p.name.endswith(".min.js")]
    assert source.gather(paths, source.too_long) == []
    assert source.too_long(SAMPLE, "x\n" * 501)


def test_sql_is_never_assembled_from_values() -> None:
    assert source.gather(source.product_python(), source.assembled_sql) == []
    assert source.assembled_sql(SAMPLE, 'cursor.execute(f"SELECT {name}")')
    assert source.assembled_sql(SAMPLE, 'cursor.execute("SELECT %s" % name)')
    assert not source.assembled_sql(SAMPLE, 'cursor.execute("SELECT %s", [name])')


def test_the_approvals_tables_are_read_in_approvals_alone() -> None:
    assert source.gather(source.product_python(), source.reads_of_approvals) == []
    assert source.reads_of_approvals(SAMPLE, "from saas.approvals.models import Task")
    assert source.reads_of_approvals(SAMPLE, "from saas.approvals import models")
    assert source.reads_of_approvals(SAMPLE, "import saas.approvals.models as m")
    assert not source.reads_of_approvals(SAMPLE, "from saas.approvals.selectors import may_read")
    assert not source.reads_of_approvals(
        source.ROOT / "saas/approvals/store.py", "from saas.approvals.models import Task"
    )


def test_pdfium_has_one_door() -> None:
    assert source.gather(source.product_python(), source.imports_of_pdfium) == []
    assert source.imports_of_pdfium(SAMPLE, "import pypdfium2")
    assert source.imports_of_pdfium(SAMPLE, "from pypdfium2 import raw")
    assert source.imports_of_pdfium(SAMPLE, "import pypdfium2.raw as raw")
    assert not source.imports_of_pdfium(SAMPLE, "from saas.core.pdfium import opened")


def test_a_document_is_locked_after_its_flow_in_one_place() -> None:
    assert source.gather(source.product_python(), source.locks_of_documents) == []
    assert source.locks_of_documents(SAMPLE, "Document.objects.select_for_update().first()")
    assert source.locks_of_documents(SAMPLE, "models.Document.objects.filter(id=1).select_for_update().get()")
    assert not source.locks_of_documents(SAMPLE, "NumberBook.objects.select_for_update().get()")


def test_no_signal_no_generic_key_no_save_with_side_effects() -> None:
    assert source.gather(source.product_python(), source.forbidden_habits) == []
    assert source.forbidden_habits(SAMPLE, "class A(Model):\n    def save(self): ...\n")
    assert source.forbidden_habits(SAMPLE, "x = Signal()\n")
    assert source.forbidden_habits(SAMPLE, "x = GenericForeignKey()\n")


def test_the_product_has_no_stub() -> None:
    assert source.gather(source.product_python(), source.stubs) == []
    assert source.stubs(SAMPLE, "raise NotImplementedError")


def test_tenant_migrations_hold_no_python() -> None:
    paths = [p for p in source.tracked() if "migrations" in p.parts and p.suffix == ".py"]
    assert source.gather(paths, source.run_python_in_migrations) == []
    assert source.run_python_in_migrations(SAMPLE, "migrations.RunPython(f)")


def test_nothing_else_stands_at_the_top() -> None:
    top = {path.relative_to(source.ROOT).parts[0] for path in source.tracked()}
    assert {name for name in top if not name.startswith(".")} <= source.TOP_LEVEL


def test_the_lock_file_carries_hashes_and_no_address() -> None:
    text = (source.ROOT / "requirements.lock").read_text()
    assert "://" not in text
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert packages
    assert all(line.endswith("\\") for line in packages)
    assert text.count("--hash=sha256:") >= len(packages)
