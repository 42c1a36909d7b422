"""The regulations base: found by words or number, read by article, cited by link."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from saas.accounts.requests import actor_of, user_of
from saas.core import toasts
from saas.core.access import Permission
from saas.core.errors import Invalid, NotFound
from saas.regulations import selectors
from saas.regulations.forms import UploadForm
from saas.regulations.models import Article, Regulation
from saas.regulations.services import SEARCH_KIND, LoadReport, regulations_load
from saas.regulations.uploads import About, lines_of
from saas.search import selectors as search
from saas.search.entries import EVERYONE, Segment
from saas.search.highlights import excerpt, mark
from saas.search.query import LONGEST_QUERY, parse

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class ArticleHit:
    """An article that has the words, with the piece around them."""

    article: Article
    url: str
    excerpt: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class ListRow:
    """A regulation of the list, with the articles that have the words."""

    regulation: Regulation
    title: tuple[Segment, ...]
    articles: list[ArticleHit]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter or section with its articles; `anchor` is where it stands on the page."""

    anchor: str
    title: str
    section: str
    articles: list[Article]


@require_GET
def regulation_list(request: HttpRequest) -> HttpResponse:
    """All current regulations, or those that have the words, with the articles where they stand."""
    typed = request.GET.get("q", "")
    kind = request.GET.get("kind", "")[:40]
    may_keep = user_of(request).has_permission(Permission.KEEP_REGULATIONS)
    context: dict[str, object] = {"q": typed[:LONGEST_QUERY], "kind": kind, "may_keep": may_keep}
    status = 200
    try:
        context |= _found(typed, kind, request.GET.get("after", "")) if typed.strip() else _all(request, kind)
    except Invalid as refusal:
        context |= {"problem": str(refusal.message), "rows": [], "kinds": selectors.kinds([])}
        status = 422
    return render(request, "regulations/list.html", context, status=status)


@require_GET
def read(request: HttpRequest, regulation_id: UUID) -> HttpResponse:
    """One regulation by chapter and article, each with an address of its own."""
    regulation = Regulation.objects.filter(id=regulation_id).first()
    if regulation is None:
        raise NotFound(_("没有这部制度。"))
    context = {
        "regulation": regulation,
        "chapters": _chapters(selectors.articles(regulation)),
        "versions": selectors.versions(regulation),
        "history": regulation.history.split("\n") if regulation.history else [],
        "preamble": [line for line in regulation.preamble.split("\n") if line.strip()],
    }
    return render(request, "regulations/read.html", context)


def _all(request: HttpRequest, kind: str) -> dict[str, object]:
    text = request.GET.get("after", "")
    start = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    rows = list(selectors.regulations(kind=kind)[start : start + PAGE_SIZE + 1])
    return {
        "rows": [ListRow(one, (Segment(one.title, False),), []) for one in rows[:PAGE_SIZE]],
        "kinds": selectors.kinds(rows),
        "after": start + PAGE_SIZE if len(rows) > PAGE_SIZE else "",
        "before": str(start - PAGE_SIZE) if start >= PAGE_SIZE else "",
    }


def _found(typed: str, kind: str, after: str) -> dict[str, object]:
    page = search.search(typed, [EVERYONE], kind=SEARCH_KIND, after=after, limit=PAGE_SIZE)
    asked = parse(typed)
    known = {one.id: one for one in selectors.regulations(kind=kind, ids=[hit.object_id for hit in page.hits])}
    words = [*asked.words, *asked.phrases]
    articles = selectors.articles_with(known, words) if words else {}
    rows = [
        ListRow(
            known[hit.object_id],
            mark(known[hit.object_id].title, asked.marks),
            [
                ArticleHit(one, selectors.article_url(one), excerpt(one.text, asked.marks))
                for one in articles.get(hit.object_id, [])
            ],
        )
        for hit in page.hits
        if hit.object_id in known
    ]
    kinds = selectors.kinds(list(known.values()))
    return {"rows": rows, "kinds": kinds, "after": page.next, "before": "", "count": page.count}


def _chapters(articles: list[Article]) -> list[Chapter]:
    chapters: list[Chapter] = []
    for article in articles:
        last = chapters[-1] if chapters else None
        if last is None or (last.title, last.section) != (article.chapter, article.section):
            chapters.append(Chapter(f"c{len(chapters) + 1}", article.chapter, article.section, []))
        chapters[-1].articles.append(article)
    return chapters


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Load a file into the base; every refused line is named, the others are loaded."""
    form = UploadForm(request.POST or None, request.FILES or None)
    report: LoadReport | None = None
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        about = About(title=sent["title"], kind=sent["kind"], subject=sent["subject"], history=sent["history"])
        try:
            lines = lines_of(name=sent["file"].name, content=sent["file"].read(), about=about)
        except Invalid as refusal:
            for field, text in refusal.fields.items():
                form.add_error(field, str(text))
        else:
            report = regulations_load(lines=lines, by=actor_of(request))
            if report.loaded and not report.refused:
                toasts.show_next(request, _told(report))
                return redirect("regulations:list")
    context = {"form": form, "report": report, "kinds": selectors.kinds([])}
    wrong = form.errors or (report is not None and not report.loaded)
    return render(request, "regulations/upload.html", context, status=422 if wrong else 200)


def _told(report: LoadReport) -> str:
    text = ngettext("已导入 %(n)d 部制度", "已导入 %(n)d 部制度", report.loaded) % {"n": report.loaded}
    return f"{text}，" + ngettext("共 %(n)d 条。", "共 %(n)d 条。", report.articles) % {"n": report.articles}
