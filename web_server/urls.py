"""The addresses of the site."""

from django.contrib import admin
from django.urls import include, path, register_converter

from web_server.converters import NumberConverter

# before the addresses that are made of them
register_converter(NumberConverter, "number")

urlpatterns = [
    path("", include("web_server.candidates.urls")),
    path("", include("web_server.notify.urls")),
    path("review/", include("web_server.review.review_urls")),
    path("", include("web_server.review.comment_urls")),
    path("", include("web_server.review.list_urls")),
    path("accounts/", include("web_server.accounts.urls")),
    path("admin/", admin.site.urls),
]
