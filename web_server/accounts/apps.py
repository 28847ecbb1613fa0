"""The app of the people."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Login, logout and passwords."""

    name = "web_server.accounts"
    label = "accounts"
