"""The screens of lists: the table, the form, words by language, archiving and deleting. Commits.

The people of a list, adding by criterion, and the two tables that group lists are in the files beside.
"""

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from massmail_plugin import audience
from massmail_plugin.admin.frame.forms import filled
from massmail_plugin.admin.frame.paging import sliced
from massmail_plugin.admin.frame.section import screen
from massmail_plugin.admin.lists import rows as list_rows
from massmail_plugin.admin.lists.adding import ListAdding
from massmail_plugin.admin.lists.form import WORDS, ListForm, offer, read_words
from massmail_plugin.admin.lists.groups import ListGroups, chooser
from massmail_plugin.admin.lists.in_bulk import BulkWishes
from massmail_plugin.admin.lists.person import ListPerson
from massmail_plugin.admin.lists.topic_words import TopicWords
from massmail_plugin.consent.subscriptions.tallies import forget_list, list_counts
from massmail_plugin.errors import RuleError
from massmail_plugin.models import List, Topic
from massmail_plugin.translations import languages, words_in
from massmail_plugin.vocabulary import Act


class Lists(ListPerson, ListAdding, BulkWishes, ListGroups, TopicWords):
    title = "Lists"
    slug = "lists"

    @screen("/", Act.LIST_MANAGE)
    def index(self) -> str:
        """Lists that this user may not manage are not shown."""
        text, topic = self.wanted(), request.args.get("topic", "")
        of_topic = int(topic) if topic.isdecimal() and len(topic) < 10 else None
        archived = request.args.get("show") == "archived"
        found = list_rows.lists(self.host, archived=archived, text=text, topic=of_topic)
        page = sliced([row for row in found if self.allowed(Act.LIST_MANAGE, row)])
        return self.render(
            "massmail/admin/lists/index.html",
            title="Lists",
            page=page,
            counts=list_counts(self.host, [row.id for row in page.rows]),
            archived=archived,
            text=text,
            topic=topic,
            topics=chooser(self.host, Topic, None)[1:],
        )

    @screen("/new", Act.LIST_MANAGE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        return self._edited(None)

    @screen("/<int:list_id>/edit", Act.LIST_MANAGE, ("GET", "POST"))
    def edit(self, list_id: int) -> ResponseReturnValue:
        return self._edited(self.list_(list_id))

    @screen("/<int:list_id>/words", Act.LIST_MANAGE, ("GET", "POST"))
    def words(self, list_id: int) -> ResponseReturnValue:
        list_, known = self.list_(list_id), list(languages(self.host.config))
        given, faults = read_words(request.form, known)
        if request.method == "POST" and not faults:
            list_.texts = {**{name: said for name, said in list_.texts.items() if name not in known}, **given}
            self.commit()
            return self.done(f"The words of “{list_.name}” were saved.", "massmail_lists.show", list_id=list_.id)
        page = self.render(
            "massmail/admin/lists/words.html",
            title="Words by language",
            list_=list_,
            kinds=WORDS,
            languages=[(name, words_in([name], self.host.config)("English")) for name in known],
            said=given if request.method == "POST" else list_.texts,
            faults=faults,
        )
        return page, 422 if faults else 200

    @screen("/<int:list_id>/archive", Act.LIST_MANAGE, ("GET", "POST"))
    def archive(self, list_id: int) -> ResponseReturnValue:
        list_ = self.list_(list_id)
        if request.method == "POST":
            list_.active = False
            self.commit()
            return self.done(f"The list “{list_.name}” is archived.", "massmail_lists.show", list_id=list_.id)
        return self.confirm(
            title=f"Archive the list “{list_.name}”?",
            words=[
                "It keeps its contacts and its history. No mailing goes to it, nobody can sign up, and recipients do "
                "not see it. You can bring it back at any time.",
                *list_rows.waiting_words(self.host, list_),
            ],
            button="Archive list",
            back=url_for("massmail_lists.show", list_id=list_.id),
            possible=list_.active,
        )

    @screen("/<int:list_id>/bring-back", Act.LIST_MANAGE, ("POST",))
    def bring_back(self, list_id: int) -> ResponseReturnValue:
        list_ = self.list_(list_id)
        list_.active = True
        self.commit()
        return self.done(f"The list “{list_.name}” is in use again.", "massmail_lists.show", list_id=list_.id)

    @screen("/<int:list_id>/delete", Act.LIST_MANAGE, ("GET", "POST"))
    def delete(self, list_id: int) -> ResponseReturnValue:
        list_ = self.list_(list_id)
        use = list_rows.use_words(self.host, list_)
        if request.method == "POST" and not use:
            forget_list(self.host, list_.id)
            self.host.session.delete(list_)
            self.commit()
            return self.done(f"The list “{list_.name}” was deleted.", "massmail_lists.index")
        return self.confirm(
            title=f"Delete the list “{list_.name}”?",
            words=[
                f"It cannot be deleted, because {use}.",
                "Archived, it keeps its history and gets no mail.",
            ]
            if use
            else "Nobody was ever on it, and nothing uses it.",
            button="Delete list",
            back=url_for("massmail_lists.show", list_id=list_.id),
            danger=True,
            possible=not use,
        )

    def _edited(self, list_: List | None) -> ResponseReturnValue:
        form = filled(ListForm, list_, **({} if list_ else {"double_opt_in": True}))
        offer(self.host, form, list_)
        if request.method == "POST" and form.validate() and (saved := self._saved(list_, form)):
            return self.done(f"The list “{saved.name}” was saved.", "massmail_lists.show", list_id=saved.id)
        title = "Modify list" if list_ else "New list"
        page = self.render("massmail/admin/lists/form.html", title=title, form=form, list_=list_)
        return page, 422 if form.wrong else 200

    def _saved(self, list_: List | None, form: ListForm) -> List | None:
        if list_rows.name_taken(self.host, form.name.data, list_):
            form.refuse("name", "Another list has this name.")
            return None
        row = list_ or List(created_at=self.host.clock(), texts={}, active=True)
        with self.host.session.no_autoflush:
            form.populate_obj(row)
        self.host.session.add(row)
        self.host.session.flush()
        try:
            self._read_once(row)
        except RuleError as error:
            self.host.session.rollback()
            form.refuse("criterion_id", str(error))
            return None
        self.commit()
        if list_ is None and row.sign_up and not row.double_opt_in:
            flash("Anybody can sign up anybody for this list. Ask by mail, if you can.", "warning")
        return row

    def _read_once(self, list_: List) -> None:
        """Raises RuleError where the criterion does not fit, or asks for the very list."""
        self.host.session.refresh(list_, ["criterion"])
        if list_.criterion is not None:
            audience.members(self.host, self.host.source(list_.criterion.contact_source), [list_.id])
