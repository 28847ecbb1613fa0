"""Claims, searches, the dashboard and the conflicts."""

from django.urls import path

from web_server.review import claim_views, conflict_views, dashboard, search_views

urlpatterns = [
    path("images/<number:image_id>/claim/", claim_views.claim, name="claim"),
    path("images/<number:image_id>/release/", claim_views.release, name="release"),
    path("images/<number:image_id>/assign/", claim_views.assign, name="assign"),
    path("search/", search_views.search, name="search"),
    path("search/last/", search_views.last_search, name="last_search"),
    path("searches/", search_views.searches, name="searches"),
    path("searches/save/", search_views.save_search, name="save_search"),
    path("searches/<number:search_id>/delete/", search_views.delete_search, name="delete_search"),
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("conflicts/", conflict_views.conflicts, name="conflicts"),
    path("conflicts/<number:subject_id>/decide/", conflict_views.decide, name="decide_conflict"),
]
