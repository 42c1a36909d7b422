"""单位外观: the system administrator chooses the name shown, the emblem and the colour of the bureau's pages."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from saas.accounts.requests import actor_of
from saas.core import toasts
from saas.core.access import CELLS, Permission, access
from saas.core.errors import Invalid
from saas.core.tenancy import current_tenant
from tenants.appearance import MOST_EMBLEM, MOST_NAME, Appearance, Theme, appearance_change

THEME_NAMES = {
    Theme.BLUE: gettext_lazy("政务蓝"),
    Theme.RED: gettext_lazy("党政红"),
    Theme.GREEN: gettext_lazy("生态绿"),
    Theme.TEAL: gettext_lazy("黛青"),
}


class AppearanceForm(forms.Form):
    """What the top bar shows and in which colour."""

    name = forms.CharField(
        label=gettext_lazy("显示名称"),
        max_length=MOST_NAME,
        required=False,
        help_text=gettext_lazy("显示在页面左上角，不填就用单位全称；不影响公文和印章上的名称。"),
    )
    emblem = forms.CharField(
        label=gettext_lazy("徽标文字"),
        max_length=MOST_EMBLEM,
        required=False,
        help_text=gettext_lazy("一个或两个字，代替名称左边的云署标志。"),
    )
    theme = forms.ChoiceField(
        label=gettext_lazy("主题颜色"),
        choices=[(theme.value, name) for theme, name in THEME_NAMES.items()],
        widget=forms.RadioSelect(attrs={"class": "swatch"}),
        help_text=gettext_lazy("几种颜色的对比度都符合无障碍要求。"),
    )


@access(Permission.MANAGE_ORGANISATION, zones=CELLS)
@require_http_methods(["GET", "POST"])
def appearance(request: HttpRequest) -> HttpResponse:
    """The form; saved, every page of the bureau in this zone shows it at once."""
    now: Appearance = request.appearance  # type: ignore[attr-defined]
    form = AppearanceForm(request.POST or None, initial={"name": now.name, "emblem": now.emblem, "theme": now.theme})
    if request.method == "POST" and form.is_valid():
        chosen = Appearance(
            name=form.cleaned_data["name"],
            emblem=form.cleaned_data["emblem"],
            theme=Theme(form.cleaned_data["theme"]),
        )
        try:
            appearance_change(appearance=chosen, by=actor_of(request))
        except Invalid as refusal:
            for field, text in refusal.fields.items():
                form.add_error(field, str(text))
        else:
            toasts.show_next(request, _("外观已更新，本单位所有人打开新页面即可看到。"))
            return redirect("appearance:change")
    context = {"form": form, "legal_name": current_tenant().name}
    return render(request, "portal/appearance.html", context, status=422 if form.errors else 200)
