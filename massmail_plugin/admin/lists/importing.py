"""Importing a CSV file into a list on screen: upload, choose the column, see what it would do, do it. Commits."""

from dataclasses import dataclass
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from massmail_plugin.admin.frame import held_file
from massmail_plugin.admin.frame.forms import ScreenForm, choice, filled, text
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.lists.adding import CONSENT, CONSENT_HELP, added_by, stayed_words
from massmail_plugin.audience.csv_reading import CsvFile, read_csv, sample_rows
from massmail_plugin.audience.exporting import csv_lines
from massmail_plugin.audience.importing import ImportResult, match_and_subscribe
from massmail_plugin.errors import ImportRefused
from massmail_plugin.models import List
from massmail_plugin.vocabulary import Act

SHOWN = 20
"""Rows with a problem that the page shows; the download has more."""


@dataclass(frozen=True)
class Upload:
    """A file in the middle of its import."""

    name: str
    data: bytes
    file: CsvFile

    @property
    def pieces(self) -> list[str]:
        return held_file.packed(self.data)


class ImportForm(ScreenForm):
    """Which contacts the file is about, which column has the addresses, and the evidence."""

    source = choice("Contacts")
    column = choice("Column with the addresses")
    evidence = text(CONSENT, longest=200, help=CONSENT_HELP)


class ListImport(Section):
    """Part of the section Lists. One address; `step` says where one is: upload, check, apply, or download."""

    @screen("/<int:list_id>/import", Act.LIST_MANAGE, ("GET", "POST"))
    def import_file(self, list_id: int) -> ResponseReturnValue:
        list_ = self.get(List, list_id)
        self.require(Act.LIST_MANAGE, list_)
        if request.method != "POST":
            return self._start(list_)
        try:
            return self._next(list_, self._upload())
        except ImportRefused as refused:
            self.host.session.rollback()
            return self._start(list_, str(refused)), 422

    def _next(self, list_: List, upload: Upload) -> ResponseReturnValue:
        form, step = self._form(upload), request.form.get("step", "")
        if step not in ("check", "apply", "download") or not form.validate():
            return self._page("columns", list_, upload, form)
        if step == "apply":
            return self._applied(list_, upload, form)
        result = self._tried_file(list_, upload, form)
        return problem_file(result, list_) if step == "download" else self._page("check", list_, upload, form, result)

    def _start(self, list_: List, problem: str = "") -> str:
        return self.render("massmail/admin/lists/import.html", title="Import a file", list_=list_, problem=problem)

    def _upload(self) -> Upload:
        given = request.files.get("file")
        if given is not None and given.filename:
            name, data = given.filename, held_file.taken(given.stream)
        elif "held" in request.form:
            name, data = request.form.get("name", ""), held_file.unpacked(request.form.getlist("held"))
        else:
            raise ImportRefused("No file was chosen. Choose a CSV file first.")
        return Upload("".join(filter(str.isprintable, name))[-80:], data, read_csv(data))

    def _form(self, upload: Upload) -> ImportForm:
        form = filled(ImportForm)
        form.source.choices = [(name, source.label or name) for name, source in self.host.sources.items()]
        form.column.choices = [(name, name) for name in dict.fromkeys(upload.file.columns) if name]
        if form.source.data is None or len(form.source.choices) == 1:
            form.source.data = form.source.choices[0][0]
        if "column" not in request.form:
            form.column.data = likely_column(upload.file)
        return form

    def _tried_file(self, list_: List, upload: Upload, form: ImportForm) -> ImportResult:
        """What the import would do: done by the same statements, and taken back."""
        result = self._matched(list_, upload, form)
        self.host.session.rollback()
        return result

    def _applied(self, list_: List, upload: Upload, form: ImportForm) -> ResponseReturnValue:
        result = self._matched(list_, upload, form)
        self.commit()
        return self._page("done", list_, upload, form, result)

    def _matched(self, list_: List, upload: Upload, form: ImportForm) -> ImportResult:
        source, said = self.host.source(form.source.data), added_by(f"the file “{upload.name}”", form.evidence.data)
        return match_and_subscribe(self.host, list_, source, upload.file, evidence=said, column=form.column.data)

    def _page(
        self, name: str, list_: List, upload: Upload, form: ImportForm, result: ImportResult | None = None
    ) -> str:
        values: dict[str, Any] = {"list_": list_, "upload": upload, "form": form, "result": result}
        values |= {"problems": problems(result)[:SHOWN] if result else [], "stayed": stayed_words}
        titles = {"columns": "Import: which column?", "check": "Import: look before you add", "done": "Import finished"}
        rows = sample_rows(upload.file) if name == "columns" else []
        return self.render(f"massmail/admin/lists/import_{name}.html", title=titles[name], rows=rows, **values)


def likely_column(file: CsvFile) -> str:
    """The column that looks like the addresses, else the first one."""
    try:
        return file.columns[file.column()]
    except ImportRefused:
        return next(name for name in file.columns if name)


def problems(result: ImportResult) -> list[tuple[int, str, str]]:
    """(row, address, why) of rows nobody was found for, in the order of the file."""
    return sorted([*result.invalid, *((row, text, "No contact has this address.") for row, text in result.unknown)])


def problem_file(result: ImportResult, list_: List) -> Response:
    """The rows nobody was found for, as a CSV file whose cells no spreadsheet runs."""
    lines = csv_lines(["row", "address", "problem"], problems(result))
    head = {"Content-Disposition": f'attachment; filename="list-{list_.id}-rows-with-problems.csv"'}
    return Response((line.encode() for line in lines), mimetype="text/csv", headers=head)
