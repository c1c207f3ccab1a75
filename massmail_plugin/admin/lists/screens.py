"""The screens of lists: the table, the form, deleting; the people of a list are in list_people.py. Commits."""

from flask import request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, TextAreaField
from wtforms.validators import Length

from massmail_plugin.admin.frame.forms import ScreenForm, filled, strip, text
from massmail_plugin.admin.frame.paging import numbered
from massmail_plugin.admin.frame.section import screen
from massmail_plugin.admin.lists import rows as list_rows
from massmail_plugin.admin.lists.adding import ListAdding
from massmail_plugin.admin.lists.importing import ListImport
from massmail_plugin.admin.lists.people import ListPeople
from massmail_plugin.models import List
from massmail_plugin.vocabulary import Act


class ListForm(ScreenForm):
    """What a list is, for colleagues and for recipients."""

    name = text("Name", required="Give the list a name.", help="How you and your colleagues know it.")
    public_name = text("Public name", help="What recipients read when they opt out. Empty means the name above.")
    description = TextAreaField(
        "Description",
        [Length(max=2000, message="At most 2000 characters fit here.")],
        filters=[strip],
        description="What kind of mail it is and how often it comes. Recipients read this too.",
    )
    active = BooleanField(
        "Active", description="An inactive list keeps its contacts and history, but gets no mailings."
    )


class Lists(ListPeople, ListAdding, ListImport):
    title = "Lists"
    slug = "lists"

    @screen("/", Act.LIST_MANAGE)
    def index(self) -> str:
        page = numbered(self.host.session, list_rows.table(), scalars=False)
        return self.render("massmail/admin/lists/index.html", title="Lists", page=page)

    @screen("/new", Act.LIST_MANAGE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        return self._edited(None)

    @screen("/<int:list_id>/edit", Act.LIST_MANAGE, ("GET", "POST"))
    def edit(self, list_id: int) -> ResponseReturnValue:
        return self._edited(self._list(list_id))

    @screen("/<int:list_id>/delete", Act.LIST_MANAGE, ("GET", "POST"))
    def delete(self, list_id: int) -> ResponseReturnValue:
        list_ = self._list(list_id)
        use = list_rows.use(self.host, list_)
        if request.method == "POST":
            return self._deleted(list_) if use.free else self._deactivated(list_)
        if use.free:
            words = ["Nobody was ever on it, and nothing uses it."]
        else:
            rest = "Inactive, it keeps its history and gets no mail." if list_.active else "It is inactive already."
            words = [f"It cannot be deleted, because {list_rows.use_words(use)}.", rest]
        act = "Delete" if use.free else "Deactivate"
        return self.confirm(
            title=f"{act} the list “{list_.name}”?",
            words=words,
            button=f"{act} list",
            back=url_for("massmail_lists.show", list_id=list_.id),
            danger=use.free,
            possible=use.free or list_.active,
        )

    def _edited(self, list_: List | None) -> ResponseReturnValue:
        form = filled(ListForm, list_, **({} if list_ else {"active": True}))
        if request.method == "POST" and form.validate():
            if list_rows.name_taken(self.host, form.name.data, list_):
                form.refuse("name", "Another list has this name.")
            else:
                saved = self._saved(list_, form)
                return self.done(f"The list “{saved.name}” was saved.", "massmail_lists.show", list_id=saved.id)
        title = "Modify list" if list_ else "New list"
        page = self.render("massmail/admin/lists/form.html", title=title, form=form, list_=list_)
        return page, 422 if form.wrong else 200

    def _saved(self, list_: List | None, form: ListForm) -> List:
        row = list_ or List(created_at=self.host.clock())
        form.populate_obj(row)
        self.host.session.add(row)
        self.commit()
        return row

    def _deleted(self, list_: List) -> ResponseReturnValue:
        self.host.session.delete(list_)
        self.commit()
        return self.done(f"The list “{list_.name}” was deleted.", "massmail_lists.index")

    def _deactivated(self, list_: List) -> ResponseReturnValue:
        list_.active = False
        self.commit()
        return self.done(f"The list “{list_.name}” is inactive now.", "massmail_lists.show", list_id=list_.id)
