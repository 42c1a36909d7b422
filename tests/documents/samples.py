"""A document as a bureau writes it, and the real ones."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from saas.documents.elements import Issue, content_of
from saas.documents.layout import Annex, DocumentContent, FontSet, parse_body
from saas.documents.loading import elements_of
from saas.documents.recognition import recognise
from saas.env import env

FONTS = FontSet(folder=env.fonts_folder)
REAL: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "official_documents.jsonl").read_text("utf-8").splitlines()
]
FULL_LINE = (
    "为贯彻落实政务数据安全管理规定要求进一步规范全市政务信息系统接入管理"
    "切实防范数据泄露风险经市人民政府同意现就开展安全隔离检查工作通知如下"
)
BODY = f"""{FULL_LINE}
一、检查范围
全市已接入统一办公平台的单位及其业务系统。
二、工作要求
（一）压实主体责任。各单位主要负责人是第一责任人，要亲自部署、亲自过问。
1.建立台账。对检查发现的问题逐项登记。
（1）一般问题应当在10个工作日内整改完毕。
请各单位于11月30日前将自查情况书面报送市大数据发展管理局。"""


def sample(**changes: Any) -> DocumentContent:
    values: dict[str, Any] = {
        "mark": "云州市大数据发展管理局文件",
        "number": "云数发〔2026〕39号",
        "urgency": "特急",
        "copy_number": "000012",
        "title": "云州市大数据发展管理局关于开展政务信息系统安全隔离检查工作的通知",
        "recipients": "各县（市、区）大数据局，市直各有关单位",
        "body": parse_body(BODY),
        "attachments": ("检查表", "提纲"),
        "annexes": (
            Annex("检查表", parse_body("一、基本情况"), "附件1"),
            Annex("提纲", parse_body("一、总体"), "附件2"),
        ),
        "signatures": ("云州市大数据发展管理局",),
        "issued_on": date(2026, 11, 2),
        "note": "此件公开发布",
        "cc": "市委各部门，市人大常委会办公室",
        "printer": "云州市大数据发展管理局办公室",
        "printed_on": date(2026, 11, 3),
    }
    return DocumentContent(**values | changes)


def real_content(record: dict[str, Any]) -> DocumentContent:
    found = recognise(record)
    issue = Issue(number=found.number, issued_on=found.issued_on, printed_on=found.issued_on)
    return content_of(elements_of(found), urgency="", issue=issue)
