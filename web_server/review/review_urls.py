"""The review page."""

from django.urls import path

from web_server.review import review_views

urlpatterns = [
    path("", review_views.start, name="review"),
    path("session/", review_views.session, name="review_session"),
    path("keys/", review_views.keys, name="review_keys"),
    path("<number:row_id>/", review_views.review_row, name="review_row"),
    path("<number:row_id>/part/", review_views.part, name="review_part"),
    path("<number:row_id>/vote/", review_views.vote, name="review_vote"),
    path("<number:row_id>/undo/", review_views.undo, name="review_undo"),
    path("<number:row_id>/votes/", review_views.look, name="review_look"),
]
