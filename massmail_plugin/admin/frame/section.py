"""What every admin screen stands in: permission per act, tokens on posts, refusals in words, and rendering.

Views inherit from Section; a view reads its input, calls one function of a room, commits, and answers.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from flask import Response, current_app, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import Admin, BaseView, expose
from werkzeug.exceptions import NotFound

from massmail_plugin.admin.frame import guard, wording
from massmail_plugin.contracts import Host
from massmail_plugin.errors import MassMailError, NotAllowed
from massmail_plugin.mailings import HeldLate, held_late
from massmail_plugin.vocabulary import Act

PACKAGE = Path(__file__).resolve().parents[2]
STATIC = PACKAGE / "static"
TEMPLATES = PACKAGE / "templates"
LARGEST_KEY = 2**31 - 1

M = TypeVar("M")
View = TypeVar("View", bound=Callable[..., Any])


def screen(url: str, act: Act, methods: Iterable[str] = ("GET",)) -> Callable[[View], View]:
    """Declare one address of a section and the act its visitors need leave for."""

    def declare(view: View) -> View:
        view.act = act  # type: ignore[attr-defined]
        exposed: View = expose(url, tuple(methods))(view)
        return exposed

    return declare


class Section(BaseView):
    """One entry of the mailing menu. A subclass sets `title` and `slug` and declares its addresses with `screen`.

    Its endpoint is massmail_<slug>, its address <admin>/<MASSMAIL_ADMIN_URL>/<slug>. The menu shows it to those who
    may do one of its acts.
    """

    title = ""
    slug = ""

    def __init__(self, host: Host) -> None:
        self._host = host
        super().__init__(
            name=self.title,
            category=host.config.menu_category,
            endpoint=f"massmail_{self.slug}",
            url=self.address(host),
            **self.files(),
        )

    @property
    def host(self) -> Host:
        """The host, as this request's user may see its contacts."""
        return guard.seen(self._host)

    def address(self, host: Host) -> str:
        """Where it is mounted below the host's admin."""
        return f"{host.config.admin_url}/{self.slug}"

    def files(self) -> dict[str, Any]:
        """Static files served beside the section; only one section serves ours."""
        return {}

    # --- who may ---

    @classmethod
    def acts(cls) -> set[Act]:
        """Every act its addresses ask for."""
        return {getattr(cls, name).act for _, name, _ in cls._urls}

    def allowed(self, act: Act, subject: Any = None) -> bool:
        """Whether this request's user may do `act` (on `subject`, one of our rows)."""
        return guard.allowed(self.host, act, subject)

    def require(self, act: Act, subject: Any = None) -> None:
        """Raise NotAllowed (a 403 page) unless the user may do `act` on `subject`."""
        if not self.allowed(act, subject):
            raise NotAllowed(f"You may not {wording.ACTS[act]} here.")

    def is_accessible(self) -> bool:
        return any(self.allowed(act) for act in self.acts())

    def _handle_view(self, name: str, **kwargs: Any) -> ResponseReturnValue | None:
        if guard.user() is None:
            return self._sign_in()
        act: Act = getattr(type(self), name).act
        if not self.allowed(act):
            return self._no_right(act)
        if not guard.own_post():
            return self.problem(
                400, "This form was open for too long", "Nothing was changed. Go back, reload the page, and try again."
            )
        if guard.holds_null():
            return self.problem(
                400, "A character cannot be kept", "What was entered holds a null character. Go back and write it anew."
            )
        return None

    def _sign_in(self) -> ResponseReturnValue:
        if "HX-Request" in request.headers:
            return Response(status=401, headers={"HX-Refresh": "true"})
        manager = getattr(current_app, "login_manager", None)
        if manager is None:
            return self.problem(403, "Nobody can sign in here", "The application has no Flask-Login set up.")
        answer: ResponseReturnValue = manager.unauthorized()
        return answer

    def _no_right(self, act: Act) -> ResponseReturnValue:
        if self.host.hooks.may is None:
            words = (
                "The application does not say yet who may use this section. Its developers set that with massmail.may."
            )
        else:
            words = f"Your account may not {wording.ACTS[act]}. Ask whoever manages the accounts of {self.admin.name}."
        return self.problem(403, "You have no right to this page", words)

    # --- running a view ---

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> ResponseReturnValue:
        try:
            answer: ResponseReturnValue = fn(self, *args, **kwargs)
        except NotAllowed as refused:
            self.host.session.rollback()
            return self.problem(403, "You have no right to do this", str(refused))
        except MassMailError as error:
            self.host.session.rollback()
            return self.problem(409, "This could not be done", str(error))
        except NotFound:
            return self.problem(404, "There is no such page", "It may have been deleted meanwhile.")
        return answer

    def get(self, model: type[M], key: int) -> M:
        """The row of one of our tables, or a 404 page; also for a number no key can have."""
        row = self.host.session.get(model, key) if key <= LARGEST_KEY else None
        if row is None:
            raise NotFound
        return row

    def held_late(self) -> Sequence[HeldLate]:
        """What was held because nothing ran when it was due, for those who may see results."""
        return held_late(self.host) if self.allowed(Act.RESULTS_VIEW) else []

    def commit(self) -> None:
        """Doors commit."""
        self.host.session.commit()

    def problem(self, code: int, title: str, words: str) -> Response:
        """A page that says what happened and what to do."""
        return make_response(self.render("massmail/admin/problem.html", title=title, words=words), code)

    def done(self, message: str, endpoint: str, **values: Any) -> ResponseReturnValue:
        """Go on after a change, with a word of success."""
        flash(message, "success")
        return redirect(url_for(endpoint, **values))

    def refused(self, message: str, endpoint: str, **values: Any) -> ResponseReturnValue:
        """Go back after something that could not be done, with the reason."""
        flash(message, "error")
        return redirect(url_for(endpoint, **values))

    def nonce(self) -> str:
        """The nonce of this response's Content-Security-Policy, or "" where the host names none."""
        generator = self.admin.csp_nonce_generator
        return str(generator()) if generator else ""

    def confirm(
        self,
        *,
        title: str,
        words: str | Iterable[str],
        button: str,
        back: str,
        danger: bool = False,
        possible: bool = True,
    ) -> str:
        """The question before an act: answers the GET of an address whose POST acts.

        Shown as a page of its own, or by `ui.ask` links inside a dialog. With `possible` False it only explains.
        """
        paragraphs = [words] if isinstance(words, str) else list(words)
        page = "question.html" if in_dialog() else "confirm.html"
        return self.render(
            f"massmail/admin/{page}",
            title=title,
            paragraphs=paragraphs,
            button=button,
            back=back,
            danger=danger,
            possible=possible,
        )

    def render(self, template: str, **values: Any) -> str:
        """Render with what every page of ours needs; see `_layout.html` and `ui.html`."""
        ours = {
            "act": Act,
            "allowed": self.allowed,
            "asset": asset,
            "held_late": self.held_late,
            "link": link,
            "massmail_language": "en",
            "massmail_settings": self.host.config,
            "now": self.host.clock(),
            "reason": wording.reason,
            "section": self.title,
            "token_input": guard.token_input,
            "word": wording.word,
        }
        page: str = super().render(template, **{**ours, **values})
        return page


def in_dialog() -> bool:
    """Whether the page's script asks for a fragment to show in the dialog."""
    return request.headers.get("X-Massmail-Dialog") == "1"


def asset(name: str) -> str:
    """Address of a file of ours below static/, or "" where it is not there (libraries come with the build)."""
    path = STATIC / name
    if not path.is_file():
        return ""
    return url_for("massmail_overview.static", filename=name, v=int(path.stat().st_mtime))


def link(endpoint: str, **values: Any) -> str:
    """The address of a screen, or "" where it does not exist or this request's user may not see it."""
    act = getattr(current_app.view_functions.get(endpoint), "act", None)
    if act is None or not guard.allowed(current_app.extensions["massmail"], act):
        return ""
    return url_for(endpoint, **values)


def time_words(moment: datetime) -> str:
    """A moment as text for places without markup: 22 Nov 2026, 14:02 UTC."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


class FilesSection(Section):
    """The section that also brings our template folder and static files into the application."""

    def address(self, host: Host) -> str:
        return host.config.admin_url

    def files(self) -> dict[str, Any]:
        return {"static_folder": str(STATIC), "static_url_path": "/static"}

    def create_blueprint(self, admin: Admin) -> Any:
        blueprint = super().create_blueprint(admin)
        blueprint.template_folder = str(TEMPLATES)
        return blueprint
