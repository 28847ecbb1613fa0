"""The addresses of the queue."""

from django.urls import path

from web_server.notify import views

urlpatterns = [
    path("images/<number:image_id>/crossmatches/<number:row_id>/slack/", views.send, name="slack_send"),
    path("slack/", views.queue, name="slack_queue"),
    path("slack/retry/", views.retry_all, name="slack_retry_all"),
    path("slack/<number:message_id>/retry/", views.retry, name="slack_retry"),
]
