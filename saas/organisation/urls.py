"""Routes of the directory and of the organisation's administration."""

from __future__ import annotations

from django.urls import URLPattern, path

from saas.core.access import Permission, access
from saas.organisation.views import directory, people, units, workbook

app_name = "organisation"

_staff = access(Permission.STAFF)
_manage = access(Permission.MANAGE_ORGANISATION)

urlpatterns: list[URLPattern] = [
    path("directory/", _staff(directory.directory), name="directory"),
    path("directory/<uuid:person_id>/", _staff(directory.card), name="card"),
    path("directory/acting/", _staff(directory.choose_post), name="choose_post"),
    path("organisation/", _manage(units.units), name="units"),
    path("organisation/units/new/", _manage(units.unit_new), name="unit_new"),
    path("organisation/units/<uuid:unit_id>/", _manage(units.unit), name="unit"),
    path("organisation/units/<uuid:unit_id>/posts/new/", _manage(units.post_new), name="post_new"),
    *(
        path(f"organisation/units/<uuid:unit_id>/{act}/", _manage(units.unit_act), {"act": act}, name=f"unit_{act}")
        for act in ("up", "down", "deactivate", "reactivate")
    ),
    path("organisation/posts/<uuid:post_id>/", _manage(units.post), name="post"),
    *(
        path(f"organisation/posts/<uuid:post_id>/{act}/", _manage(units.post_act), {"act": act}, name=f"post_{act}")
        for act in ("deactivate", "reactivate")
    ),
    path("organisation/people/", _manage(people.people), name="people"),
    path("organisation/people/new/", _manage(people.person_new), name="person_new"),
    path("organisation/people/<uuid:person_id>/", _manage(people.person), name="person"),
    path("organisation/people/<uuid:person_id>/account/", _manage(people.account_new), name="account_new"),
    path("organisation/people/<uuid:person_id>/appointments/new/", _manage(people.appointment_new), name="appoint"),
    *(
        path(
            f"organisation/people/<uuid:person_id>/{act}/",
            _manage(people.person_act),
            {"act": act},
            name=f"person_{act}",
        )
        for act in ("deactivate", "reactivate")
    ),
    path("organisation/appointments/<uuid:appointment_id>/", _manage(people.appointment), name="appointment"),
    path("organisation/workbook/", _manage(workbook.workbooks), name="workbooks"),
    path("organisation/workbook/export/", _manage(workbook.workbook_export), name="workbook_export"),
    path("organisation/workbook/template/", _manage(workbook.workbook_template), name="workbook_template"),
    path("organisation/workbook/<uuid:import_id>/", _manage(workbook.workbook), name="workbook"),
    path(
        "organisation/workbook/<uuid:import_id>/confirm/", _manage(workbook.workbook_confirm), name="workbook_confirm"
    ),
]
