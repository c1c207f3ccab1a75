"""The forms of the import screens: what a file is for, how it is read, and what its columns say. Views enter."""

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, DateField, FileField, RadioField
from wtforms.validators import Optional

from massmail_plugin.admin.frame.forms import ScreenForm, choice, filled, text
from massmail_plugin.admin.imports.words import PURPOSES
from massmail_plugin.audience.imports import ColumnMapping, fillable
from massmail_plugin.audience.table_files import ENCODINGS, Reading, Table
from massmail_plugin.audience.table_files.dialects import DELIMITERS, QUOTES
from massmail_plugin.contracts import ContactSource
from massmail_plugin.models import Import
from massmail_plugin.vocabulary import ImportPurpose

NONE = ""
CONSENT = "How do you know?"
CONSENT_HELP = "It is kept with each of them. For example: signed up at the spring fair; letter of 3 March."


class BringForm(ScreenForm):
    """What a file is for, and the file."""

    purpose = RadioField("What should happen?")
    list_id = choice("List", help="For contacts on or off a list; for addresses that get nothing of one list.")
    topic_id = choice("Topic", help="For opt-outs of one topic. Without it they are of every mailing.")
    until = DateField("Suppressed until", [Optional()], description="From that day on mail may go there. Empty: never.")
    source = choice("Contacts")
    file = FileField(
        "File",
        description="CSV or XLSX, one row for each person. A column has the e-mail addresses, or the contacts’ keys.",
    )


class ColumnsForm(ScreenForm):
    """How a file is read and what its columns say. `columns_form` adds what depends on the file and the source."""

    encoding = choice("Encoding", list(ENCODINGS.items()))
    delimiter = choice("Between the cells", [(_name, label) for _name, label in DELIMITERS.items()])
    quote = choice("Quotation mark", list(QUOTES.items()))
    sheet = choice("Sheet")
    header = BooleanField("The first row names the columns")
    by = RadioField(
        "Find contacts by", choices=[("address", "their e-mail address"), ("key", "their key in the application")]
    )
    column = choice("Column with it")
    evidence = text(CONSENT, longest=200, help=CONSENT_HELP)
    create = BooleanField(
        "Make contacts of people who are unknown", description="The application gets what the columns below say."
    )


def bring_form(purposes: Sequence[ImportPurpose], lists: Any, topics: Any, sources: Any, **defaults: Any) -> BringForm:
    """The form for bringing a file; lists, topics and sources are (value, label)."""
    form = filled(BringForm, None, **defaults)
    form.purpose.choices = [(one.value, PURPOSES[one].choice) for one in purposes]
    form.list_id.choices = [(NONE, "–"), *lists]
    form.topic_id.choices = [(NONE, "–"), *topics]
    form.source.choices = list(sources)
    for field in (form.list_id, form.topic_id):
        field.data = field.data or NONE
    if form.source.data is None or len(form.source.choices) == 1:
        form.source.data = form.source.choices[0][0]
    return form


def columns_form(
    row: Import, table: Table, sheets: Sequence[str], source: ContactSource, *, posted: bool = True
) -> ColumnsForm:
    """The form for what is in a file: with what was posted, or with what was found or chosen before."""
    mapping, reading = ColumnMapping.kept(row.mapping), Reading.kept(row.reading)
    columns = [(str(place), name or f"Column {place + 1}") for place, name in enumerate(table.columns)]
    fields = {f"field_{one.path}": one for one in fillable(source)}
    more = {name: choice(one.label, [(NONE, "– nothing –"), *columns]) for name, one in fields.items()}
    kind: type[ColumnsForm] = type("ColumnsOfFileForm", (ColumnsForm,), more)
    kept = {f"field_{path}": str(place) for path, place in mapping.fields.items()}
    read = {name: value for name, value in reading.to_keep().items() if name != "form"}
    values: dict[str, Any] = {**read, "by": mapping.by, "column": str(mapping.column), **kept}
    values |= {"evidence": row.evidence, "create": bool(row.options.get("create"))}
    form = filled(kind, None, **values) if posted else kind(data=values)
    form.column.choices = columns
    form.sheet.choices = [(name, name) for name in sheets] or [(NONE, NONE)]
    form.value_fields = [form[name] for name in fields]
    for field in (form.sheet, *form.value_fields):
        field.data = field.data or NONE
    if not sheets:
        form.sheet.data = NONE
    return form


def reading_of(form: ColumnsForm, before: Reading) -> Reading:
    """How the file is to be read, as the form says."""
    if before.form == "xlsx":
        return Reading(form="xlsx", sheet=form.sheet.data or before.sheet, header=form.header.data)
    return Reading(
        encoding=form.encoding.data, delimiter=form.delimiter.data, quote=form.quote.data, header=form.header.data
    )


def mapping_of(form: ColumnsForm) -> ColumnMapping:
    """What the columns say, as the form says. Columns are by their places."""
    said = {one.name.removeprefix("field_"): one.data for one in form.value_fields}
    fields = {path: int(place) for path, place in said.items() if place}
    return ColumnMapping(form.by.data, int(form.column.data), fields)
