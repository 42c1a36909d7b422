"""The English catalogue is complete, and is what the sources and parts make."""

import gettext
import io
from pathlib import Path

import pytest
from django.conf import settings

from saas.portal import translations

ROOT = Path(settings.BASE_DIR)
LOCALE = ROOT / "saas" / "locale" / "en" / "LC_MESSAGES"


@pytest.fixture(scope="module")
def joined() -> translations.Catalogue:
    return translations.catalogue(ROOT)


def test_every_text_has_its_english(joined: translations.Catalogue) -> None:
    assert [f"{m.key} ({', '.join(sorted(m.places))})" for m in joined.missing] == []


def test_english_fills_only_the_places_the_chinese_fills(joined: translations.Catalogue) -> None:
    assert translations.differing_placeholders(joined) == []


def test_the_committed_catalogue_is_up_to_date(joined: translations.Catalogue) -> None:
    assert (LOCALE / "django.mo").read_bytes() == translations.mo(joined), "run: manage.py build_translations"


def test_texts_are_found_in_python_under_any_name() -> None:
    source = (
        "from django.utils.translation import gettext as _, ngettext, pgettext_lazy as p\n"
        "_('甲'); ngettext('%(n)d 件', '%(n)d 件', n); p('环节', '审核'); print('丁'); other('戊')\n"
    )
    found = [(m.context, m.text, m.plural) for m in translations.in_python(source)]
    assert found == [("", "甲", ""), ("", "%(n)d 件", "%(n)d 件"), ("环节", "审核", "")]


def test_texts_are_found_in_templates_in_every_form() -> None:
    source = (
        '{% load i18n %}{% trans "甲" %}{% translate "乙" context "环节" %}'
        "{% blocktranslate trimmed %}\n  丙 {{ name }}\n  尾\n{% endblocktranslate %}"
        "{% blocktranslate count n=total %}{{ n }} 件{% plural %}{{ n }} 件们{% endblocktranslate %}"
        '{% include "x" with a=_("丁") %}'
    )
    found = {(m.context, m.text, m.plural) for m in translations.in_template(source)}
    assert found == {
        ("", "甲", ""),
        ("环节", "乙", ""),
        ("", "丙 %(name)s 尾", ""),
        ("", "%(n)s 件", "%(n)s 件们"),
        ("", "丁", ""),
    }


def test_the_written_mo_is_read_by_the_standard_library() -> None:
    one = translations.Message(text="甲")
    many = translations.Message(text="%(n)d 件", plural="%(n)d 件")
    named = translations.Message(text="审核", context="环节")
    english = {"甲": ["First"], "%(n)d 件": ["%(n)d item", "%(n)d items"], "环节\x04审核": ["Review"]}
    catalogue = translations.Catalogue(
        messages=[one, many, named], english=english, missing=[], unused=[], conflicts=[]
    )
    read = gettext.GNUTranslations(io.BytesIO(translations.mo(catalogue)))
    assert read.gettext("甲") == "First"
    assert [read.ngettext("%(n)d 件", "%(n)d 件", n) for n in (1, 2)] == ["%(n)d item", "%(n)d items"]
    assert read.pgettext("环节", "审核") == "Review"
    assert read.gettext("没有") == "没有"
