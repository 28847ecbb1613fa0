"""The addresses of comments and stars, each below what it is on."""

from django.urls import include, path

from web_server.review import comment_views as views
from web_server.review import talk

comments = [
    path("talk/", talk.talk, name="talk"),
    path("comments/", views.add, name="comment_add"),
    path("comments/<int:comment_id>/edit/", views.edit, name="comment_edit"),
    path("comments/<int:comment_id>/delete/", views.delete, name="comment_delete"),
]
urlpatterns = [
    path("images/<int:image_id>/", include(comments)),
    path("images/<int:image_id>/crossmatches/<int:row_id>/", include(comments)),
    path("images/<int:image_id>/crossmatches/<int:row_id>/star/", views.star, name="star"),
    path("mentions/", views.mentions, name="mentions"),
    path("starred/", views.starred, name="starred"),
    path("starred/<int:star_id>/remove/", views.unstar, name="unstar"),
]
