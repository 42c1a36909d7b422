"""Draws every form field alike: label, hint, error, and the ARIA ties between them."""

from __future__ import annotations

from django.forms.renderers import DjangoTemplates


class Renderer(DjangoTemplates):
    """Django's renderer with our form and field templates."""

    form_template_name = "portal/forms/form.html"
    field_template_name = "portal/forms/field.html"
    formset_template_name = "portal/forms/formset.html"
