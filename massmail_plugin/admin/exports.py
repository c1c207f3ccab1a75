"""Downloads of what other sections show: a criterion's people, the suppressions. Only reads."""

from flask import request
from flask.typing import ResponseReturnValue

from massmail_plugin.admin.frame.downloads import download
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.audience.exporting import criterion_export, stop_export
from massmail_plugin.models import Criterion
from massmail_plugin.vocabulary import Act


class CriterionExport(Section):
    """Part of the section Criteria."""

    @screen("/<int:criterion_id>/export", Act.PEOPLE_VIEW)
    def export(self, criterion_id: int) -> ResponseReturnValue:
        """Everybody whom a criterion finds now; ?form= says csv or xlsx."""
        row = self.get(Criterion, criterion_id)
        self.require(Act.CRITERION_EDIT, row)
        found = criterion_export(self.host, self.host.source(row.contact_source), row.rule)
        return download(f"criterion-{row.id}", request.args.get("form", "csv"), found)


class StopExport(Section):
    """Part of the section Suppressions."""

    @screen("/export", Act.PEOPLE_VIEW)
    def export(self) -> ResponseReturnValue:
        """Every suppression; ?form= says csv or xlsx."""
        return download("suppressions", request.args.get("form", "csv"), stop_export(self.host))
