"""The addresses of the queue."""

from django.urls import path

from web_server.notify import views

urlpatterns = [
    path("images/<int:image_id>/crossmatches/<int:row_id>/slack/", views.send, name="slack_send"),
    path("slack/", views.queue, name="slack_queue"),
    path("slack/retry/", views.retry_all, name="slack_retry_all"),
    path("slack/<int:message_id>/retry/", views.retry, name="slack_retry"),
]
