"""The application as gunicorn serves it in the bench: the host with the plugin, and a view that does nothing."""

from bench.feedback.mails import settings_of_server
from bench.host import create_app

app = create_app(settings_of_server())


@app.get("/nothing")
def nothing() -> str:
    """What any request costs."""
    return ""
