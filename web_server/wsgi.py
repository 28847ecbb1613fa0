"""What serves the site; a missing database is refused here, not made empty."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web_server.default_settings")
application = get_wsgi_application()

from web_server.candidates.checks import refuse_missing_database  # noqa: E402

refuse_missing_database()
