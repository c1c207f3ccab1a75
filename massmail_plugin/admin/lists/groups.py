"""The screens of topics and business segments, the two tables by which lists and templates are grouped. Commits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from wtforms import BooleanField, TextAreaField
from wtforms.validators import Length

from massmail_plugin.admin.frame.forms import ScreenForm, filled, strip, text
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.contracts import Host
from massmail_plugin.models import List, ReleasedSuppression, Segment, Suppression, Template, Topic
from massmail_plugin.vocabulary import Act

LONGEST = 2000


@dataclass(frozen=True)
class Kind:
    """One of the two tables, in the words of its screens."""

    model: Any
    one: str
    many: str
    intro: str
    example: str


KINDS = {
    "topics": Kind(
        Topic,
        "topic",
        "Topics",
        "What lists and templates are about. Recipients see their lists by topic, and may stop a whole topic.",
        "For example: offers, invoices and reminders, events.",
    ),
    "segments": Kind(
        Segment,
        "business segment",
        "Business segments",
        "The parts of the business that lists and templates belong to. Recipients do not see them.",
        "For example: private customers, schools, public sector.",
    ),
}


class GroupForm(ScreenForm):
    """A topic or a business segment; a segment has no public name."""

    name = text("Name", required="Give it a name.", help="How you and your colleagues know it.")
    public_name = text("Public name", help="What recipients read. Empty means the name above.")
    description = TextAreaField(
        "Description", [Length(max=LONGEST, message=f"At most {LONGEST} characters fit here.")], filters=[strip]
    )
    active = BooleanField("Offered", description="What is not offered any more stays where it was chosen before.")


class ListGroups(Section):
    """Part of the section Lists."""

    @screen("/<any(topics,segments):kind>/", Act.LIST_MANAGE)
    def groups(self, kind: str) -> str:
        one = KINDS[kind]
        lists, templates = _uses(self.host, one, List), _uses(self.host, one, Template)
        query = select(one.model).order_by(one.model.active.desc(), func.lower(one.model.name))
        return self.render(
            "massmail/admin/lists/groups.html",
            title=one.many,
            kind=kind,
            kinds=KINDS,
            words=one,
            rows=[(row, lists.get(row.id, 0), templates.get(row.id, 0)) for row in self.host.session.scalars(query)],
        )

    @screen("/<any(topics,segments):kind>/new", Act.LIST_MANAGE, ("GET", "POST"))
    def new_group(self, kind: str) -> ResponseReturnValue:
        return self._edited_group(kind, None)

    @screen("/<any(topics,segments):kind>/<int:number>/edit", Act.LIST_MANAGE, ("GET", "POST"))
    def edit_group(self, kind: str, number: int) -> ResponseReturnValue:
        return self._edited_group(kind, self.get(KINDS[kind].model, number))

    @screen("/<any(topics,segments):kind>/<int:number>/delete", Act.LIST_MANAGE, ("GET", "POST"))
    def delete_group(self, kind: str, number: int) -> ResponseReturnValue:
        one, row = KINDS[kind], self.get(KINDS[kind].model, number)
        use = use_words(self.host, one, number)
        if request.method == "POST" and not use:
            self.host.session.delete(row)
            self.commit()
            return self.done(f"The {one.one} “{row.name}” was deleted.", "massmail_lists.groups", kind=kind)
        return self.confirm(
            title=f"Delete the {one.one} “{row.name}”?",
            words=f"It cannot be deleted: {use}. Modify it, and offer it no more." if use else "Nothing belongs to it.",
            button=f"Delete {one.one}",
            back=url_for("massmail_lists.groups", kind=kind),
            danger=True,
            possible=not use,
        )

    def _edited_group(self, kind: str, row: Any) -> ResponseReturnValue:
        one = KINDS[kind]
        form = filled(GroupForm, row, **({} if row else {"active": True}))
        if one.model is Segment:
            del form.public_name
        if request.method == "POST" and form.validate():
            if _taken(self.host, one.model, form.name.data, row):
                form.refuse("name", f"Another {one.one} has this name.")
            else:
                return self._saved_group(kind, row or one.model(), form)
        title = f"{'Modify' if row else 'New'} {one.one}"
        page = self.render(
            "massmail/admin/lists/group_form.html", title=title, form=form, row=row, kind=kind, words=one
        )
        return page, 422 if form.wrong else 200

    def _saved_group(self, kind: str, row: Any, form: GroupForm) -> ResponseReturnValue:
        form.populate_obj(row)
        self.host.session.add(row)
        self.commit()
        return self.done(f"The {KINDS[kind].one} “{row.name}” was saved.", "massmail_lists.groups", kind=kind)


def chooser(host: Host, model: Any, chosen: int | None) -> list[tuple[str, str]]:
    """Choices of a form field: those that are offered, and the chosen one whatever it is."""
    found = host.session.execute(
        select(model.id, model.name).where(model.active | (model.id == chosen)).order_by(func.lower(model.name))
    )
    return [("", "None"), *((str(number), name) for number, name in found)]


def use_words(host: Host, kind: Kind, number: int) -> str:
    """What belongs to a topic or segment: a part of a sentence, or "" where nothing does."""
    users: list[tuple[Any, Callable[[int], str]]] = [(List, _counted("list")), (Template, _counted("template"))]
    if kind.model is Topic:
        users += [(Suppression, _counted("suppression")), (ReleasedSuppression, _counted("released suppression"))]
    found = [(_number(host, kind, user, number), words) for user, words in users]
    said = [words(count) for count, words in found if count]
    return f"{' and '.join(said)} belong{'s' if sum(count for count, _ in found) == 1 else ''} to it" if said else ""


def _counted(noun: str) -> Callable[[int], str]:
    return lambda number: f"one {noun}" if number == 1 else f"{number:,} {noun}s"


def _number(host: Host, kind: Kind, user: Any, number: int) -> int:
    return host.session.scalar(select(func.count()).where(_column(kind, user) == number)) or 0


def _uses(host: Host, kind: Kind, user: Any) -> dict[int, int]:
    column = _column(kind, user)
    rows = host.session.execute(select(column, func.count()).where(column.is_not(None)).group_by(column))
    return {row[0]: row[1] for row in rows}


def _column(kind: Kind, user: Any) -> Any:
    return user.topic_id if kind.model is Topic else user.segment_id


def _taken(host: Host, model: Any, name: str, but: Any) -> bool:
    found = host.session.scalars(select(model.id).where(func.lower(model.name) == name.lower()))
    return any(number != (but.id if but else None) for number in found)
