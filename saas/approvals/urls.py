"""Routes of the pages people work from; those of administration stand in `urls_administration`."""

from django.urls import path

from saas.approvals.views import acting, applying, lists, matter

app_name = "approvals"
urlpatterns = [
    path("tasks/", lists.todo, name="todo"),
    path("tasks/export/", lists.todo_export, name="todo_export"),
    path("tasks/bulk/", acting.bulk, name="bulk"),
    path("tasks/<uuid:task_id>/", matter.task, name="task"),
    path("tasks/<uuid:task_id>/act/", acting.act, name="act"),
    path("tasks/<uuid:task_id>/withdraw/", acting.withdraw, name="withdraw"),
    path("tasks/<uuid:task_id>/remove/", acting.remove, name="remove"),
    path("to-read/", lists.to_read, name="to_read"),
    path("to-read/mark/", acting.mark_read, name="mark_read"),
    path("done/", lists.done, name="done"),
    path("applications/", applying.kinds, name="applications"),
    path("applications/<slug:flow_key>/", applying.apply, name="apply"),
    path("supervised/", lists.supervised, name="supervised"),
    path("started/", lists.started, name="started"),
    path("matters/<uuid:instance_id>/", matter.matter, name="matter"),
    path("matters/<uuid:instance_id>/remind/", acting.remind, name="remind"),
    path("matters/<uuid:instance_id>/terminate/", acting.terminate, name="terminate"),
    path("assignees/", matter.assignees, name="assignees"),
    path("phrases/", acting.phrases, name="phrases"),
]
