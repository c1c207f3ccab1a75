"""What the mail says that asks whether a sign-up was meant, in the visitor's language. Asking enters; reads only."""

from massmail_plugin.contracts import Host
from massmail_plugin.mailings import ServiceLetter
from massmail_plugin.models import List, SignUp
from massmail_plugin.signed_links.sign_up_links import confirm_url
from massmail_plugin.translations import words_in


def confirmation_mail(host: Host, sign_up: SignUp, list_: List, *, again: bool) -> ServiceLetter:
    """The first mail, or with `again` a reminder. It names no address and nothing else that was filled in."""
    _ = words_in([sign_up.locale], host.config)
    organisation = host.config.organisation or host.config.domain
    title = list_.title_in(_.language)
    subject = _("Please confirm: %(list)s", list=title)
    if again:
        subject = _("Reminder: please confirm %(list)s", list=title)
    asked = _(
        "On %(date)s somebody, probably you, signed up for “%(list)s” from %(organisation)s with this address.",
        date=_.date(sign_up.created_at.date()),
        list=title,
        organisation=organisation,
    )
    days = _.plural(
        "The link works for %(number)s day.", "The link works for %(number)s days.", host.config.sign_up_days
    )
    ignore = _("If it was not you, do nothing: without your confirmation you get no mails from this list.")
    return ServiceLetter(
        host.config,
        _,
        subject,
        [asked, _("If that was you, open this page and confirm:")],
        confirm_url(host.config, sign_up.id),
        _("Confirm"),
        [days, ignore],
    )
