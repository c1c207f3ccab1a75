"""Signing in and out, and what each of the three roles may do in the CRM; this door commits nothing."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_required, login_user, logout_user
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from sample_host.crm.models import User, db

# The demo's accounts: name (and role), password, what they may do.
DEMO_ACCOUNTS = (
    ("developer", "developer-demo", "may do everything"),
    ("marketing", "marketing-demo", "writes mailings, may not send them"),
    ("operations", "operations-demo", "sends mailings and looks after senders"),
)

accounts = Blueprint("accounts", __name__)
login_manager = LoginManager()
login_manager.login_view = "accounts.login"
login_manager.login_message = "Please sign in first."
login_manager.login_message_category = "info"


class LoginForm(FlaskForm):
    name = StringField("Name", validators=[InputRequired("Enter your name.")])
    password = PasswordField("Password", validators=[InputRequired("Enter your password.")])


@login_manager.user_loader
def load_user(user_id: str) -> User | None:
    """The account of a session, or None if it is gone."""
    return db.session.get(User, int(user_id))


@accounts.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Asks for name and password; afterwards goes where the visitor wanted to go."""
    if current_user.is_authenticated:
        return redirect(own_page(request.args.get("next")))
    form = LoginForm()
    if form.validate_on_submit():
        user = db.session.scalar(select(User).where(User.name == form.name.data))
        if user is not None and user.has_password(form.password.data or ""):
            login_user(user)
            return redirect(own_page(request.args.get("next")))
        flash("Name or password is wrong.", "error")
        return render_template("crm/login.html", form=form), 401
    return render_template("crm/login.html", form=form)


@accounts.post("/logout")
@login_required
def logout() -> ResponseReturnValue:
    """Ends the session."""
    logout_user()
    flash("You are signed out.", "info")
    return redirect(url_for("accounts.login"))


def own_page(target: str | None) -> str:
    """The wanted page if it is one of this application, else the home page: never another site's address."""
    parts = urlsplit((target or "").replace("\\", "/"))
    if not target or parts.scheme or parts.netloc or not parts.path.startswith("/"):
        return url_for("admin.index")
    return target


def may_edit(user: Any) -> bool:
    """Companies and statuses are looked after by developers and operations."""
    return bool(user.is_authenticated and user.role in {"developer", "operations"})
