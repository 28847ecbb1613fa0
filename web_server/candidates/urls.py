"""The pages of the results."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
