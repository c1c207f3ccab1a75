"""The templates people keep: save as a new version, copy, delete. The admin enters and commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from massmail_plugin import composing
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, TemplateError, TemplateFault, nearest
from massmail_plugin.models import Campaign, CampaignStep, Mailing, Segment, Sender, Template, TemplateVersion, Topic
from massmail_plugin.vocabulary import MailingKind, Outcome, TemplateFormat

DEFAULTS = (
    "name",
    "description",
    "topic_id",
    "segment_id",
    "format",
    "sender_id",
    "from_name",
    "from_address",
    "reply_to",
    "bcc",
    "statuses",
    "keeps_history",
)


@dataclass(frozen=True, kw_only=True)
class TemplateDraft:
    """What a person entered. `statuses` are overrides: outcome -> host status, or None for "leave it"."""

    name: str
    subject: str
    html: str = ""
    text: str = ""
    format: str = TemplateFormat.HTML.value
    description: str = ""
    topic_id: int | None = None
    segment_id: int | None = None
    sender_id: int | None = None
    from_name: str = ""
    from_address: str = ""
    reply_to: str = ""
    bcc: str = ""
    statuses: Mapping[str, str | None] | None = None
    keeps_history: bool = False
    actions: Sequence[str] = ()
    """Names of what the host does for each mail that was sent."""


def save(
    host: Host, template: Template | None, draft: TemplateDraft, *, by: str, based_on: int | None = None
) -> Template:
    """Make a template or change one; its words become a new version, older ones stay as they were.

    `based_on` is the version number the person started from. Raises TemplateError with every fault of the words, and
    BadRequest for a name that is taken, a newer version by somebody else, or a status or sender that does not exist.
    """
    _check(host, template, draft, based_on)
    template = template or Template(created_at=host.clock(), created_by=by, version_number=0)
    for name in DEFAULTS:
        setattr(template, name, getattr(draft, name))
    template.statuses = dict(draft.statuses) if draft.statuses else None
    template.actions = list(draft.actions) or None
    template.updated_at = host.clock()
    template.version_number += 1
    html = draft.html if draft.format == TemplateFormat.HTML else ""
    template.versions.append(
        TemplateVersion(
            number=template.version_number,
            subject=draft.subject,
            html=html,
            text=draft.text,
            saved_at=host.clock(),
            saved_by=by,
        )
    )
    host.session.add(template)
    host.session.flush()
    return template


def _check(host: Host, template: Template | None, draft: TemplateDraft, based_on: int | None) -> None:
    if name_taken(host, draft.name, template):
        raise BadRequest(f"There is a template called “{draft.name}” already.")
    if template is not None and based_on is not None and based_on != template.version_number:
        who = newest(template).saved_by or "Somebody"
        raise BadRequest(
            f"{who} saved version {template.version_number} while you were writing. "
            "Keep your words somewhere, open the template again, and put them in."
        )
    if draft.sender_id is not None and host.session.get(Sender, draft.sender_id) is None:
        raise BadRequest("That sender is not there any more. Choose another.")
    if draft.topic_id is not None and host.session.get(Topic, draft.topic_id) is None:
        raise BadRequest("That topic is not there any more. Choose another.")
    if draft.segment_id is not None and host.session.get(Segment, draft.segment_id) is None:
        raise BadRequest("That business segment is not there any more. Choose another.")
    _check_statuses(host, draft.statuses or {})
    _check_actions(host, draft.actions, template)
    if found := faults(host, draft):
        raise TemplateError(found)


def _check_statuses(host: Host, statuses: Mapping[str, str | None]) -> None:
    known = set(host.statuses.known())
    for outcome, status in statuses.items():
        if outcome not in set(Outcome):
            raise BadRequest(f"There is no outcome “{outcome}”. {nearest(outcome, Outcome)}")
        if status is not None and status not in known:
            raise BadRequest(f"There is no status “{status}”. {nearest(status, known)}")


def _check_actions(host: Host, actions: Sequence[str], template: Template | None) -> None:
    """One that the host has taken away may stay where it was."""
    known = {*host.hooks.actions, *((template.actions if template else None) or ())}
    for name in actions:
        if name not in known:
            raise BadRequest(f"The application has no action “{name}”. {nearest(name, host.hooks.actions)}")


def faults(host: Host, draft: TemplateDraft) -> list[TemplateFault]:
    """What is wrong with the words. Where the host has several contact sources, one of them must know every name."""
    html = draft.html if draft.format == TemplateFormat.HTML else ""
    words = {"subject": draft.subject, "html": html, "text": draft.text}
    return min((composing.faults(host, source, **words) for source in host.sources.values()), key=len, default=[])


def warnings(host: Host, template: Template) -> list[str]:
    """What its author should know about the words as they stand."""
    now = newest(template)
    words = {"subject": now.subject, "html": now.html, "text": now.text}
    return min((composing.warnings(host, source, **words) for source in host.sources.values()), key=len, default=[])


def name_taken(host: Host, name: str, but: Template | None) -> bool:
    """Whether another template has this name."""
    found = host.session.scalar(select(Template.id).where(Template.name == name))
    return found is not None and (but is None or found != but.id)


def newest(template: Template) -> TemplateVersion:
    """The words as they stand."""
    return template.versions[-1]


def copy(host: Host, template: Template, *, by: str) -> Template:
    """A template of its own with the same words and defaults, called "Copy of ..."."""
    words = newest(template)
    made = Template(
        **{name: getattr(template, name) for name in DEFAULTS},
        created_at=host.clock(),
        created_by=by,
        updated_at=host.clock(),
        version_number=1,
    )
    made.name, made.actions = _free_name(host, template.name), template.actions
    made.versions = [
        TemplateVersion(
            number=1, subject=words.subject, html=words.html, text=words.text, saved_at=host.clock(), saved_by=by
        )
    ]
    host.session.add(made)
    host.session.flush()
    return made


def _free_name(host: Host, name: str) -> str:
    wanted, number = f"Copy of {name}"[:190], 1
    while name_taken(host, wanted if number == 1 else f"{wanted} ({number})", None):
        number += 1
    return wanted if number == 1 else f"{wanted} ({number})"


def used_by(host: Host, template: Template) -> list[str]:
    """Which mailings (the newest 20) and campaigns need the template, in words. Tests do not count."""
    mailings = host.session.scalars(
        select(Mailing.name)
        .where(Mailing.template_id == template.id, Mailing.kind == MailingKind.ONE_OFF)
        .order_by(Mailing.id.desc())
        .limit(20)
    )
    steps = host.session.execute(
        select(Campaign.name, CampaignStep.day)
        .join(CampaignStep.campaign)
        .where(CampaignStep.template_id == template.id)
        .order_by(Campaign.name, CampaignStep.day)
    )
    return [
        *(f"the mailing “{name}”" for name in mailings),
        *(f"the campaign “{name}”, day {day}" for name, day in steps),
    ]


def delete(host: Host, template: Template) -> None:
    """Delete a template nobody needs, with its versions. Raises BadRequest naming those who do."""
    if users := used_by(host, template):
        raise BadRequest(f"“{template.name}” is used by {'; '.join(users)}.")
    tests = Mailing.template_id == template.id, Mailing.kind == MailingKind.TEST
    host.session.execute(update(Mailing).where(*tests).values(template_id=None, version_id=None))
    host.session.delete(template)
    host.session.flush()
