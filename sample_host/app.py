"""Builds the sample host's Flask application: the CRM, the plugin mounted in it, and the mail catcher."""

from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

from sample_host.catcher.pages import CatcherView
from sample_host.config import MIGRATIONS, settings
from sample_host.crm.accounts import accounts, login_manager
from sample_host.crm.models import db
from sample_host.crm.pages import build_admin, to_home

try:
    from flask_babel import Babel
except ImportError:
    Babel = None


def create_app(config: dict[str, Any] | None = None, *, mailings: bool = True) -> Flask:
    """The application; `config` replaces what the environment says (see `config.settings`).

    With `mailings=False` it is the CRM as it was before the plugin was mounted.
    """
    app = Flask("sample_host")
    app.config.from_mapping(settings() if config is None else config)
    db.init_app(app)
    CSRFProtect(app)
    login_manager.init_app(app)
    if Babel is not None:
        # Flask-Admin translates through flask-babel as soon as it is installed, and needs it set up then.
        Babel(app)
    app.register_blueprint(accounts)
    app.add_url_rule("/", "home", to_home)
    admin = build_admin()
    if mailings:
        from sample_host import mailing  # noqa: PLC0415 -- the CRM alone stands without the plugin

        mailing.mount(app, admin)
    else:
        Migrate(app, db, directory=str(MIGRATIONS))
    admin.add_view(CatcherView(name="Mail catcher", endpoint="catcher", url="/catcher"))
    admin.init_app(app)
    return app
