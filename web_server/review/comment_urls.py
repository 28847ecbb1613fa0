"""The addresses of comments and stars, each below what it is on."""

from django.urls import include, path

from web_server.review import comment_views as views
from web_server.review import talk

comments = [
    path("talk/", talk.talk, name="talk"),
    path("comments/", views.add, name="comment_add"),
    path("comments/<number:comment_id>/edit/", views.edit, name="comment_edit"),
    path("comments/<number:comment_id>/delete/", views.delete, name="comment_delete"),
]
urlpatterns = [
    path("images/<number:image_id>/", include(comments)),
    path("images/<number:image_id>/crossmatches/<number:row_id>/", include(comments)),
    path("images/<number:image_id>/crossmatches/<number:row_id>/star/", views.star, name="star"),
    path("mentions/", views.mentions, name="mentions"),
    path("starred/", views.starred, name="starred"),
    path("starred/<number:star_id>/remove/", views.unstar, name="unstar"),
]
