"""The application of what people decide."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Votes and what belongs to them."""

    name = "web_server.review"
    verbose_name = "review"
