"""The application of the messages to Slack."""

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    """The queue and its worker."""

    name = "web_server.notify"
    verbose_name = "messages to Slack"

    def ready(self) -> None:
        """Register the checks of the settings."""
        from web_server.notify import checks  # noqa: F401
