"""The pages of the results."""

from django.urls import path

from web_server.candidates import views

urlpatterns = [
    path("", views.home, name="home"),
    path("query/", views.query, name="query"),
    path("images/<int:image_id>/", views.image_page, name="image"),
    path("images/<int:image_id>/crossmatches/", views.image_crossmatches, name="crossmatches"),
    path("images/<int:image_id>/crossmatches/<int:row_id>/", views.source, name="source"),
    path("products/<int:product_id>/", views.product, name="product"),
]
