"""The mark of a state secret is found however it is written, and no text makes the search slow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from saas.documents import rules
from saas.documents.elements import Elements
from saas.documents.kinds import Kind
from saas.documents.secrecy import bears_secret_mark

# CPU seconds, not time: a pass over 90,000 characters takes hundredths; their square takes minutes.
HOSTILE = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (15, 15))
from saas.documents.secrecy import bears_secret_mark
for unit in ("\\n \\n", " \\n", "\\u3000", " ", "\\n", "绝密 ", "密级:\\n", "绝 "):
    text = unit * (90_000 // len(unit))
    bears_secret_mark(text + "绝密x")
print("done")
"""


@pytest.mark.parametrize(
    "text",
    [
        "绝密",
        "  机密　",
        "标题\n秘密\n正文",
        "机密★10年",
        "密级：秘密",
        "绝\u200b密",
        "绝\ufeff密★",
        "机\u2060密\u00ad☆",
        "秘　密",
        "密\u200d级:\n绝密",
        "正文\r\n绝密\r\n正文",
    ],
)
def test_a_mark_is_seen_through_invisible_characters_and_blanks(text: str) -> None:
    assert bears_secret_mark(text)
    elements = Elements(title="关于工作的通知", body=text)
    found = rules.findings(rules.Draft(kind=Kind.NOTICE, elements=elements, known_codes=frozenset()))
    assert any("国家秘密" in str(finding.message) for finding in found)


@pytest.mark.parametrize("text", ["做好秘密载体管理", "绝密级文件的保管办法", "机密和秘密", "密级：公开"])
def test_talking_of_secrets_bears_no_mark(text: str) -> None:
    assert not bears_secret_mark(text)


def test_no_text_makes_the_search_cost_its_length_squared() -> None:
    run = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, check=False)
    assert run.stdout == "done\n", run.stderr
