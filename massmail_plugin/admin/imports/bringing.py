"""Bringing a file on screen: what it is for, and who may do that. Commits."""

from datetime import UTC, datetime, time
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.imports.forms import BringForm, bring_form
from massmail_plugin.audience import imports
from massmail_plugin.audience.contacts.visibility import limited, sees_all
from massmail_plugin.errors import BadRequest, ImportRefused
from massmail_plugin.models import Import, List, Topic
from massmail_plugin.vocabulary import Act, ImportPurpose

OF_LISTS = frozenset({ImportPurpose.SUBSCRIBE, ImportPurpose.UNSUBSCRIBE})


class Bringing(Section):
    """Part of the section Imports."""

    @screen("/new", Act.PEOPLE_VIEW, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        """A file is brought. `?purpose=` and `?list_id=` say what for."""
        form = self._form()
        if request.method != "POST":
            return self._new(form)
        if not form.validate():
            return self._new(form), 422
        try:
            row = self._brought(form)
        except ImportRefused as refused:
            self.host.session.rollback()
            form.refuse("file", str(refused))
            return self._new(form), 422
        self.commit()
        return self.done("The file is here. Nothing is changed yet.", "massmail_imports.show", import_id=row.id)

    def purposes(self) -> list[ImportPurpose]:
        """What this user may bring files for."""
        acts = {True: self.allowed(Act.LIST_MANAGE), False: self.allowed(Act.SUPPRESSION_MANAGE)}
        return [one for one in ImportPurpose if acts[one in OF_LISTS]]

    def may_have(self, row: Import) -> bool:
        """Whether this user may see an import."""
        return self.allowed(*self._needed(ImportPurpose(row.purpose), row.list_id))

    def require_purpose(self, purpose: ImportPurpose, list_id: int | None) -> None:
        """Raise NotAllowed unless this user may do that, on this list."""
        self.require(*self._needed(purpose, list_id))

    def sees_rows(self, source_name: str) -> bool:
        """Whether no contact that a file may name is hidden from this user."""
        source = self.host.sources.get(source_name)
        return not limited(self.host) if source is None else sees_all(self.host, source)

    def require_rows(self, source_name: str) -> None:
        """Raise BadRequest where some contacts are hidden from this user."""
        if not self.sees_rows(source_name):
            raise BadRequest(
                "You see only some of the contacts, and a file may name any of them. Ask somebody who sees them all."
            )

    def _needed(self, purpose: ImportPurpose, list_id: int | None) -> tuple[Act, Any]:
        list_ = self.host.session.get(List, list_id) if list_id else None
        return (Act.LIST_MANAGE, list_) if purpose in OF_LISTS else (Act.SUPPRESSION_MANAGE, list_)

    def _form(self) -> BringForm:
        lists = self.host.session.scalars(select(List).where(List.active).order_by(List.name))
        topics = self.host.session.execute(select(Topic.id, Topic.name).order_by(Topic.name))
        return bring_form(
            self.purposes(),
            [(str(one.id), one.name) for one in lists if self.allowed(Act.LIST_MANAGE, one)],
            [(str(number), name) for number, name in topics],
            [(name, source.label or name) for name, source in self.host.sources.items()],
            purpose=request.args.get("purpose") or next(iter(self.purposes()), None),
            list_id=request.args.get("list_id", ""),
        )

    def _new(self, form: BringForm) -> str:
        return self.render(
            "massmail/admin/imports/new.html",
            title="Import a file",
            form=form,
            largest=self.host.config.import_bytes // 1_000_000,
        )

    def _brought(self, form: BringForm) -> Import:
        purpose = ImportPurpose(form.purpose.data)
        list_id = int(form.list_id.data) if form.list_id.data else None
        topic_id = int(form.topic_id.data) if form.topic_id.data else None
        if purpose in OF_LISTS and list_id is None:
            raise ImportRefused("Choose the list that the file is for.")
        self.require_purpose(purpose, list_id)
        source = self.host.source(form.source.data)
        self.require_rows(source.source_name)
        given = request.files.get("file")
        if given is None or not given.filename:
            raise ImportRefused("No file was chosen.")
        until = form.until.data
        options = {
            "topic_id": None if purpose in OF_LISTS else topic_id,
            "until": datetime.combine(until, time(), UTC).isoformat() if until else None,
        }
        return imports.bring(
            self.host,
            given.stream,
            purpose=purpose,
            source=source,
            file_name=given.filename,
            list_id=list_id if purpose in OF_LISTS or purpose is ImportPurpose.SUPPRESS else None,
            options=options,
            by=guard.user_name(),
        )
