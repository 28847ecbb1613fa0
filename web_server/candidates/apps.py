"""The app of the pipeline's results."""

from django.apps import AppConfig


class CandidatesConfig(AppConfig):
    """Images, runs, crossmatches and their products."""

    name = "web_server.candidates"
    label = "candidates"
    default_auto_field = "django.db.models.BigAutoField"
