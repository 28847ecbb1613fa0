"""The pages of the results."""

from django.urls import path

from web_server.candidates import exports, image_views, list_views, views

urlpatterns = [
    path("", image_views.home, name="home"),
    path("query/", list_views.query, name="query"),
    path("query/export.<slug:kind>", exports.export, name="export"),
    path("images/<int:image_id>/", image_views.image_page, name="image"),
    path("images/<int:image_id>/crossmatches/", list_views.image_crossmatches, name="crossmatches"),
    path("images/<int:image_id>/crossmatches/export.<slug:kind>", exports.export, name="export"),
    path("images/<int:image_id>/crossmatches/<int:row_id>/", views.source, name="source"),
    path("products/<int:product_id>/", views.product, name="product"),
]
