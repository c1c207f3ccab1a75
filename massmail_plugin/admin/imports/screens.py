"""The screens of imports. A worker does the work; here files are brought, looked at and started. Commits."""

from typing import Any

from flask import Response, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from massmail_plugin.admin.frame.paging import after_key
from massmail_plugin.admin.frame.section import screen
from massmail_plugin.admin.imports import words
from massmail_plugin.admin.imports.bringing import Bringing
from massmail_plugin.admin.imports.forms import ColumnsForm, columns_form, mapping_of, reading_of
from massmail_plugin.audience import imports
from massmail_plugin.audience.table_files import ENCODINGS, Reading, Table
from massmail_plugin.audience.table_files.dialects import DELIMITERS
from massmail_plugin.errors import ImportRefused
from massmail_plugin.models import Import, List
from massmail_plugin.vocabulary import Act, ImportPurpose, ImportState


class Imports(Bringing):
    title = "Imports"
    slug = "imports"

    @screen("/", Act.PEOPLE_VIEW)
    def index(self) -> str:
        page = after_key(self.host.session, imports.newest(), Import.id, newest=True)
        return self.render(
            "massmail/admin/imports/index.html",
            title="Imports",
            page=page,
            rows=[row for row in page.rows if self.may_have(row)],
            may_bring=bool(self.purposes()),
            **self._words(),
        )

    @screen("/<int:import_id>", Act.PEOPLE_VIEW)
    def show(self, import_id: int) -> ResponseReturnValue:
        row = self._import(import_id)
        if row.state == ImportState.UPLOADED.value:
            self.require_rows(row.contact_source)
            return self._columns(row)
        return self.render("massmail/admin/imports/show.html", title=self._title(row), **self._progress(row))

    @screen("/<int:import_id>/panel", Act.PEOPLE_VIEW)
    def panel(self, import_id: int) -> str:
        """The part of the page that brings itself up to date."""
        return self.render("massmail/admin/imports/panel.html", title="", **self._progress(self._import(import_id)))

    @screen("/<int:import_id>/columns", Act.PEOPLE_VIEW, ("GET", "POST"))
    def columns(self, import_id: int) -> ResponseReturnValue:
        row = self._import(import_id)
        self.require_rows(row.contact_source)
        if row.state not in imports.READY:
            return self.refused("This import is under way or over.", "massmail_imports.show", import_id=row.id)
        return self._chosen(row) if request.method == "POST" else self._columns(row)

    @screen("/<int:import_id>/run", Act.PEOPLE_VIEW, ("POST",))
    def run(self, import_id: int) -> ResponseReturnValue:
        """Do what was counted."""
        row = self._import(import_id)
        self.require_rows(row.contact_source)
        if row.state != ImportState.COUNTED.value:
            return self.refused("Check the file first.", "massmail_imports.show", import_id=row.id)
        return self._started(row, dry_run=False)

    @screen("/<int:import_id>/cancel", Act.PEOPLE_VIEW, ("GET", "POST"))
    def cancel(self, import_id: int) -> ResponseReturnValue:
        row = self._import(import_id)
        if request.method == "POST":
            imports.cancel(self.host, row)
            self.commit()
            return self.done("The import was cancelled.", "massmail_imports.show", import_id=row.id)
        at_work = row.state in imports.AT_WORK and not row.dry_run
        said = "What it has done so far stays done." if at_work else "Nothing has been done yet, and nothing will be."
        return self.confirm(
            title="Cancel this import?",
            words=[said, "The file is deleted."],
            button="Cancel the import",
            back=url_for("massmail_imports.show", import_id=row.id),
            danger=True,
        )

    @screen("/<int:import_id>/delete", Act.PEOPLE_VIEW, ("GET", "POST"))
    def delete(self, import_id: int) -> ResponseReturnValue:
        row = self._import(import_id)
        if request.method == "POST":
            imports.forget(self.host, row)
            self.commit()
            return self.done("The import was deleted.", "massmail_imports.index")
        return self.confirm(
            title="Delete this import?",
            words="Its file and its errors are deleted. What it did stays, with its history.",
            button="Delete the import",
            back=url_for("massmail_imports.show", import_id=row.id),
            danger=True,
            possible=row.state not in imports.AT_WORK,
        )

    @screen("/<int:import_id>/errors.csv", Act.PEOPLE_VIEW)
    def errors(self, import_id: int) -> ResponseReturnValue:
        row = self._import(import_id)
        self.require_rows(row.contact_source)
        head = {"Content-Disposition": f'attachment; filename="import-{row.id}-errors.csv"'}
        body = stream_with_context(imports.errors_file(self.host, row))
        return Response(body, mimetype="text/csv", headers=head)

    # --- pieces ---

    def _import(self, import_id: int) -> Import:
        row = self.get(Import, import_id)
        self.require_purpose(ImportPurpose(row.purpose), row.list_id)
        return row

    def _columns(self, row: Import, form: ColumnsForm | None = None, *, problem: str = "", again: bool = False) -> str:
        source = self.host.source(row.contact_source)
        table = self._table(row)
        form = form or columns_form(row, table, imports.sheets(self.host, row), source)
        reading = Reading.kept(row.reading)
        return self.render(
            "massmail/admin/imports/columns.html",
            title="Import: what is in the file?",
            row=row,
            form=form,
            table=table,
            sample=table.sample(),
            reading=reading,
            found=_found(reading),
            creates=self.host.hooks.create_contact is not None and row.purpose == ImportPurpose.SUBSCRIBE.value,
            problem=problem,
            again=again,
            of=self._title(row),
        )

    def _table(self, row: Import) -> Table:
        return imports.table_of(self.host, row)

    def _chosen(self, row: Import) -> ResponseReturnValue:
        source = self.host.source(row.contact_source)
        form = columns_form(row, self._table(row), imports.sheets(self.host, row), source)
        if not form.validate():
            return self._columns(row, form), 422
        try:
            before = dict(row.reading)
            reading = reading_of(form, Reading.kept(row.reading))
            evidence, create = form.evidence.data, form.create.data
            imports.choose(self.host, row, reading=reading, evidence=evidence, create=create)
            if row.reading != before or request.form.get("step") != "check":
                self.commit()
                return self._reread(row, again=row.reading != before)
            imports.choose(self.host, row, mapping=mapping_of(form))
        except ImportRefused as refused:
            self.host.session.rollback()
            return self._columns(row, form, problem=str(refused)), 422
        return self._started(row, dry_run=True)

    def _reread(self, row: Import, *, again: bool) -> str:
        """The form with what is kept, not with what was posted: columns may be others now."""
        form = columns_form(
            row, self._table(row), imports.sheets(self.host, row), self.host.source(row.contact_source), posted=False
        )
        return self._columns(row, form, again=again)

    def _started(self, row: Import, *, dry_run: bool) -> ResponseReturnValue:
        imports.start(self.host, row, dry_run=dry_run)
        self.commit()
        said = "The file is being checked. Nothing is changed yet." if dry_run else "The import has begun."
        return self.done(said, "massmail_imports.show", import_id=row.id)

    def _progress(self, row: Import) -> dict[str, Any]:
        purpose = ImportPurpose(row.purpose)
        changes = row.counts.get("changed", 0) + row.counts.get("created", 0)
        return {
            "row": row,
            "running": row.state in imports.AT_WORK,
            "queue": self.host.queue_status(),
            "tiles": words.tiles(purpose, row.counts, before=row.dry_run),
            "changes": changes,
            "button": words.PURPOSES[purpose].button.format(words.people(changes, purpose)),
            "errors": words.without_effect(row.counts),
            "sees_rows": self.sees_rows(row.contact_source),
            "percent": 100 * row.done_bytes // row.size if row.size else 0,
            "list_": self.host.session.get(List, row.list_id) if row.list_id else None,
            **self._words(),
        }

    def _words(self) -> dict[str, Any]:
        return {"purpose_word": lambda name: words.PURPOSES[ImportPurpose(name)].choice, "state_word": words.state_word}

    def _title(self, row: Import) -> str:
        return f"{words.PURPOSES[ImportPurpose(row.purpose)].choice}: {row.file_name or 'a file'}"


def _found(reading: Reading) -> str:
    """How the file was found to be written, in words."""
    if reading.form == "xlsx":
        return f"XLSX, sheet “{reading.sheet}”"
    return f"CSV, {ENCODINGS[reading.encoding]}, {DELIMITERS[reading.delimiter].lower()} between the cells"
