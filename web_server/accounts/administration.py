"""Django's administration with a site of our own."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """The app; its site is imported once all models are there."""

    default_site = "web_server.accounts.admin_site.ReviewAdminSite"
