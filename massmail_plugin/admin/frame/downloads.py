"""Tables as files to download: CSV or XLSX, written while they are read. Views enter; nothing is committed."""

from flask import Response, stream_with_context
from werkzeug.exceptions import NotFound

from massmail_plugin.audience.exporting import FORMS, Export


def download(name: str, form: str, export: Export) -> Response:
    """The answer that brings `export` as the file `name`.`form`; an unknown form is a 404 page."""
    if form not in FORMS:
        raise NotFound
    head = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(stream_with_context(export.bytes_as(form)), mimetype=FORMS[form], headers=head)
