"""The CRM's pages as views of Flask-Admin: they share one menu with whatever is mounted beside them."""

from datetime import UTC, date, datetime
from typing import Any

from blinker import Signal
from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import Admin, AdminIndexView, BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.form import BaseForm
from flask_admin.theme import Bootstrap4Theme
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload
from wtforms.validators import AnyOf

from sample_host.crm.accounts import login_manager, may_edit
from sample_host.crm.models import TONES, ActionItem, Company, Contact, Status, db

PAGE_SIZE = 25
wish_changed = Signal()
"""Sent with a contact whose wish for post was changed here, and by whom, before it is committed."""


class SignedIn(BaseView):
    """Views for people with an account: others are sent to the login page."""

    def page(self, template: str, **values: Any) -> str:
        """The filled template, with what Flask-Admin's base needs."""
        return str(self.render(template, **values))

    def is_accessible(self) -> bool:
        return bool(current_user.is_authenticated)

    def inaccessible_callback(self, name: str, **kwargs: Any) -> ResponseReturnValue:
        if current_user.is_authenticated:
            abort(403)
        answer: ResponseReturnValue = login_manager.unauthorized()
        return answer


class HomeView(SignedIn, AdminIndexView):
    @expose("/")
    def index(self) -> str:
        today = today_here()
        return self.page(
            "crm/home.html",
            today=today,
            counts=home_counts(today),
            statuses=status_counts(),
            due=next_action_items(),
        )


class ContactsView(SignedIn):
    @expose("/")
    def index(self) -> str:
        wanted, status = request.args.get("q", "").strip(), request.args.get("status", "")
        page = db.paginate(contact_query(wanted, status), per_page=PAGE_SIZE, max_per_page=PAGE_SIZE, error_out=False)
        return self.page(
            "crm/contacts.html", page=page, q=wanted, status=status, statuses=status_counts(), badges=badges()
        )

    @expose("/<int:contact_id>")
    def contact(self, contact_id: int) -> str:
        contact = db.get_or_404(Contact, contact_id)
        return self.page("crm/contact.html", contact=contact, badges=badges(), today=today_here())

    @expose("/<int:contact_id>/post", methods=("POST",))
    def post(self, contact_id: int) -> ResponseReturnValue:
        """Whether the contact wants post, as they told somebody here."""
        contact = db.get_or_404(Contact, contact_id)
        contact.do_not_mail = request.form.get("wants_post") != "yes"
        wish_changed.send(contact, by=current_user.name)
        db.session.commit()
        return redirect(url_for(".contact", contact_id=contact.id))


def today_here() -> date:
    """The date in UTC."""
    return datetime.now(UTC).date()


def contact_query(wanted: str, status: str) -> Select[tuple[Contact]]:
    """Contacts by name, narrowed by a status and by text found in name, address, number, company or city."""
    query = (
        select(Contact).options(joinedload(Contact.company)).order_by(Contact.last_name, Contact.first_name, Contact.id)
    )
    if status:
        query = query.where(Contact.status == status)
    if wanted:
        columns = (Contact.full_name, Contact.email1, Contact.email2, Contact.city, Company.name)
        found = [column.icontains(wanted, autoescape=True) for column in columns]
        if wanted.isdecimal() and len(wanted) < 10:
            found.append(Contact.account_number == int(wanted))
        query = query.outerjoin(Contact.company).where(or_(*found))
    return query


def badges() -> dict[str, Status]:
    """Every status by its name."""
    return {status.name: status for status in db.session.scalars(select(Status))}


def status_counts() -> list[tuple[Status, int]]:
    """Every status with the number of its contacts, in the order of the statuses."""
    query = (
        select(Status, func.count(Contact.id))
        .outerjoin(Contact, Contact.status == Status.name)
        .group_by(Status.id)
        .order_by(Status.position)
    )
    return [(status, count) for status, count in db.session.execute(query)]


def home_counts(today: date) -> dict[str, int]:
    """The figures on the home page."""
    open_items = select(func.count()).select_from(ActionItem).where(~ActionItem.done)
    figures = {
        "contacts": select(func.count()).select_from(Contact),
        "active": select(func.count()).select_from(Contact).where(Contact.active),
        "companies": select(func.count()).select_from(Company),
        "employed": select(func.count(Contact.company_id)),
        "open": open_items,
        "overdue": open_items.where(ActionItem.due < today),
    }
    return {name: db.session.scalar(query) or 0 for name, query in figures.items()}


def next_action_items() -> list[ActionItem]:
    """The eight open action items that are due first."""
    query = (
        select(ActionItem)
        .options(joinedload(ActionItem.contact))
        .where(~ActionItem.done)
        .order_by(ActionItem.due, ActionItem.id)
        .limit(8)
    )
    return list(db.session.scalars(query))


class CsrfForm(BaseForm):
    """Flask-Admin's form with Flask-WTF's token, as CSRFProtect expects it."""

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            return formdata


class TableView(SignedIn, ModelView):
    """A table of the CRM: everybody with an account reads, developers and operations change."""

    form_base_class = CsrfForm
    list_template = "crm/table.html"
    create_template = "crm/create.html"
    edit_template = "crm/edit.html"
    can_view_details = False
    action_disallowed_list = ("delete",)
    page_size = PAGE_SIZE

    @property
    def can_create(self) -> bool:
        return may_edit(current_user)

    can_edit = can_delete = column_display_actions = can_create


class CompanyView(TableView):
    column_list = ("name", "city", "segment")
    column_searchable_list = ("name", "city", "segment")
    column_default_sort = "name"
    form_columns = ("name", "city", "segment")


class StatusView(TableView):
    column_list = ("position", "label", "name", "color")
    column_default_sort = "position"
    column_labels = {"name": "Name in the data"}
    form_columns = ("name", "label", "color", "position")
    form_args = {"color": {"validators": [AnyOf(TONES)], "description": "One of " + ", ".join(TONES) + "."}}


def build_admin() -> Admin:
    """One Flask-Admin per application, with the CRM's own views in its menu."""
    admin = Admin(
        name="Fernhill",
        theme=Bootstrap4Theme(swatch="default", base_template="crm/base.html"),
        index_view=HomeView(name="Overview", url="/admin"),
    )
    admin.add_view(ContactsView(name="Contacts", endpoint="contacts", url="/contacts"))
    admin.add_view(CompanyView(Company, db, name="Companies", endpoint="companies", url="/companies"))
    admin.add_view(StatusView(Status, db, name="Statuses", endpoint="statuses", url="/statuses"))
    return admin


def to_home() -> ResponseReturnValue:
    """The bare address leads to the overview."""
    return redirect(url_for("admin.index"))
