"""Adding all contacts that a criterion finds to a list on screen: counts first. Commits."""

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.forms import ScreenForm, choice, filled, text
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.audience import clause, sentence
from massmail_plugin.audience.importing import ImportResult
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.consent.subscriptions import Counts, subscribe_selected
from massmail_plugin.models import Criterion, List
from massmail_plugin.vocabulary import Act

CONSENT = "How do you know that they agreed?"
CONSENT_HELP = "It is kept with each of them. For example: signed up at the spring fair."


class MatchingForm(ScreenForm):
    """Which criterion, and the evidence."""

    criterion = choice("Criterion")
    evidence = text(CONSENT, longest=200, help=CONSENT_HELP)


class ListAdding(Section):
    """Part of the section Lists."""

    @screen("/<int:list_id>/add-by-criterion", Act.LIST_MANAGE, ("GET", "POST"))
    def add_matching(self, list_id: int) -> ResponseReturnValue:
        list_ = self.get(List, list_id)
        self.require(Act.LIST_MANAGE, list_)
        form = filled(MatchingForm, None, criterion=request.args.get("criterion", ""))
        criteria = self.host.session.execute(select(Criterion.id, Criterion.name).order_by(Criterion.name))
        form.criterion.choices = [("", "Choose …"), *((str(number), name) for number, name in criteria)]
        criterion = self._chosen(form)
        if request.method == "POST" and criterion and form.validate():
            counts = self._subscribe_matching(list_, criterion, form.evidence.data)
            self.commit()
            return self.done(added_words(counts, list_), "massmail_lists.show", list_id=list_.id)
        return self.render(
            "massmail/admin/lists/add_matching.html",
            title="Add by criterion",
            list_=list_,
            form=form,
            criterion=criterion,
            words=criterion and sentence(self.host, self.host.source(criterion.contact_source), criterion.rule),
            counts=criterion and self._tried(list_, criterion),
        )

    def _chosen(self, form: MatchingForm) -> Criterion | None:
        number = str(form.criterion.data or "")
        known = {value for value, _ in form.criterion.choices if value}
        return self.get(Criterion, int(number)) if number in known else None

    def _tried(self, list_: List, criterion: Criterion) -> Counts:
        """What adding would do: done by the same statements, and taken back."""
        counts = self._subscribe_matching(list_, criterion, "")
        self.host.session.rollback()
        return counts

    def _subscribe_matching(self, list_: List, criterion: Criterion, evidence: str) -> Counts:
        source = self.host.source(criterion.contact_source)
        wanted = select(key_text(source)).select_from(source.model).where(clause(self.host, source, criterion.rule))
        said = added_by(f"criterion “{criterion.name}”", evidence)
        return subscribe_selected(self.host, list_, source, wanted, evidence=said)


def added_by(how: str, evidence: str) -> str:
    """The evidence kept with each contact: what was said about their consent, then how and by whom they were added."""
    return f"{evidence}{' – a' if evidence else 'A'}dded by {how}, {guard.user_name()}"


def added_words(counts: Counts, list_: List) -> str:
    """What adding did, for the message afterwards."""
    return f"{counted(counts.new, 'contact')} added to “{list_.name}”." + stayed_words(counts)


def stayed_words(counts: Counts | ImportResult) -> str:
    """Who was there already and who was kept out."""
    already = f" {counted(counts.already, 'contact')} on it already." if counts.already else ""
    out = f" {counted(counts.kept_out, 'contact')} left out, having opted out." if counts.kept_out else ""
    return already + out


def counted(number: int, noun: str) -> str:
    """“1 contact was”, “1,284 contacts were”."""
    return f"{number:,} {noun} was" if number == 1 else f"{number:,} {noun}s were"
