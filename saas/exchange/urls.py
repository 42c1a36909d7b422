"""Routes of the exchange between bureaus."""

from django.urls import path

from saas.exchange import views

app_name = "exchange"
urlpatterns = [
    path("deliveries/", views.delivery_list, name="deliveries"),
    path("deliveries/<uuid:delivery_id>/", views.delivery_page, name="delivery"),
    path("deliveries/<uuid:delivery_id>/document.pdf", views.delivery_pdf, name="delivery-pdf"),
    path("deliveries/<uuid:delivery_id>/files/<int:place>/", views.delivery_file, name="delivery-file"),
    path("deliveries/<uuid:delivery_id>/sign/", views.delivery_sign, name="sign"),
    path("deliveries/<uuid:delivery_id>/return/", views.delivery_return, name="return"),
    path("documents/<uuid:document_id>/dispatches/", views.dispatches, name="dispatches"),
    path("documents/<uuid:document_id>/send/", views.document_send, name="send"),
]
