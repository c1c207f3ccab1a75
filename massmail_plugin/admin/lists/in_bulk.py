"""Opting out, or back in, everybody whom a criterion finds: how many it would be, the question, the act. Commits.

Few are done at once. Many become an import, which workers carry out slice by slice, in sight of everybody.
"""

from collections.abc import Iterator
from tempfile import TemporaryFile

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from wtforms import RadioField, SelectField

from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.forms import ScreenForm, choice, filled, text
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.lists.adding import counted, criteria, done_by
from massmail_plugin.admin.lists.groups import chooser
from massmail_plugin.audience import imports, matching, sentence
from massmail_plugin.audience.criteria.time_limit import bounded
from massmail_plugin.consent.wishes.withdrawing_many import (
    What,
    take_back_selected,
    those_to_take_back,
    those_to_withdraw,
    withdraw_selected,
)
from massmail_plugin.errors import RuleError, TooSlow
from massmail_plugin.models import Criterion, Import, Topic
from massmail_plugin.vocabulary import Act, ImportPurpose

AT_ONCE = 2_000
"""More are left to the workers: the application hears of each of them, and nobody waits that long for a page."""
ACTS = {"out": "Opt them out", "in": "Let them have mail again"}


class BulkForm(ScreenForm):
    """Who, what and why."""

    criterion = choice("Criterion")
    what = RadioField("What is to be done", choices=list(ACTS.items()), default="out")
    topic = SelectField("Of which mail")
    evidence = text(
        "How do you know that they want it?",
        required="Say how you know, for example: letters of May, folder 12.",
        help="It is kept with each of them.",
    )

    @property
    def out(self) -> bool:
        """Whether they are opted out, not in."""
        return str(self.what.data) == "out"

    @property
    def from_what(self) -> What:
        return What(topic_id=int(self.topic.data) if self.topic.data else None)


class BulkWishes(Section):
    """Part of the section Lists."""

    @screen("/opt-outs", Act.SUPPRESSION_MANAGE, ("GET", "POST"))
    def opt_outs(self) -> ResponseReturnValue:
        form = self._bulk_form()
        criterion, number, words, problem = self._criterion(form), None, "", ""
        try:
            if criterion is not None:
                words = sentence(self.host, self.host.source(criterion.contact_source), criterion.rule)
                number = self._number(criterion, form)
                if request.method == "POST" and form.validate() and number:
                    return self._carried_out(criterion, form, number)
        except (RuleError, TooSlow) as error:
            self.host.session.rollback()
            problem = str(error)
        page = self.render(
            "massmail/admin/lists/opt_outs.html",
            title="Opt-outs in bulk",
            form=form,
            criterion=criterion,
            words=words,
            number=number,
            at_once=AT_ONCE,
            problem=problem,
        )
        return page, 422 if problem or form.wrong else 200

    def _bulk_form(self) -> BulkForm:
        asked = {name: request.args.get(name, "") for name in ("criterion", "what", "topic")}
        form = filled(BulkForm, None, **asked)
        form.criterion.choices = [("", "Choose …"), *criteria(self.host)]
        form.topic.choices = [("", "Every mailing"), *chooser(self.host, Topic, None)[1:]]
        form.what.data = form.what.data if form.what.data in ACTS else "out"
        form.topic.data = form.topic.data if form.topic.data in dict(form.topic.choices) else ""
        return form

    def _criterion(self, form: BulkForm) -> Criterion | None:
        chosen = str(form.criterion.data or "")
        return self.get(Criterion, int(chosen)) if chosen in dict(form.criterion.choices) and chosen else None

    def _number(self, criterion: Criterion, form: BulkForm) -> int:
        """For how many it would change something."""
        those = those_to_withdraw if form.out else those_to_take_back
        them = those(*matching(self.host, criterion), form.from_what).subquery()
        with bounded(self.host):
            return self.host.session.scalar(select(func.count()).select_from(them)) or 0

    def _carried_out(self, criterion: Criterion, form: BulkForm, number: int) -> ResponseReturnValue:
        if number > AT_ONCE:
            return self._left_to_workers(criterion, form)
        act = withdraw_selected if form.out else take_back_selected
        how = "opted out" if form.out else "opted in"
        proof = done_by(how, f"criterion “{criterion.name}”", form.evidence.data)
        changed = act(self.host, *matching(self.host, criterion), form.from_what, proof=proof)
        self.commit()
        words = "opted out" if form.out else "let have mail again"
        return self.done(f"{counted(changed, 'contact')} {words}.", "massmail_lists.opt_outs")

    def _left_to_workers(self, criterion: Criterion, form: BulkForm) -> ResponseReturnValue:
        row = self._as_import(criterion, form)
        imports.choose(self.host, row, mapping=imports.ColumnMapping("key", 0), evidence=form.evidence.data)
        imports.start(self.host, row, dry_run=False)
        self.commit()
        return self.done(
            "The workers are at it. This page says how far they are.", "massmail_imports.show", import_id=row.id
        )

    def _as_import(self, criterion: Criterion, form: BulkForm) -> Import:
        """Their keys as a file, as if somebody had brought it: whom the criterion finds at this moment."""
        with TemporaryFile() as file:
            file.writelines(self._key_lines(criterion))
            file.seek(0)
            return imports.bring(
                self.host,
                file,
                purpose=ImportPurpose.OPT_OUT if form.out else ImportPurpose.OPT_IN,
                source=self.host.source(criterion.contact_source),
                file_name=f"criterion {criterion.name}",
                options={"topic_id": form.from_what.topic_id},
                by=guard.user_name(),
            )

    def _key_lines(self, criterion: Criterion) -> Iterator[bytes]:
        _, keys = matching(self.host, criterion)
        yield b"key\n"
        for part in self.host.session.scalars(keys.execution_options(yield_per=10_000)).partitions():
            yield "".join(f'"{key.replace(chr(34), chr(34) * 2)}"\n' for key in part).encode()
