"""The words for consent: subscriptions, ways to consent, opt-outs and suppressions."""

from enum import StrEnum


class SubscriptionState(StrEnum):
    """A contact's standing on a list."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class ConsentWay(StrEnum):
    """How a change to a subscription came about."""

    PERSON = "person"
    """A user did it, one by one or for a selection."""
    FILE = "file"
    FORM = "form"
    """The contact filled in the sign-up form and confirmed."""
    PAGE = "page"
    """The contact chose on a page behind a link in a mail."""
    ONE_CLICK = "one_click"
    MAIL = "mail"
    """The contact wrote to the address in List-Unsubscribe."""
    HOST = "host"
    PROVIDER = "provider"
    CAMPAIGN = "campaign"

    @property
    def by_contact(self) -> bool:
        """True where the contact said so, whoever passed it on."""
        return self not in (ConsentWay.PERSON, ConsentWay.FILE, ConsentWay.CAMPAIGN)


class SignUpState(StrEnum):
    """Where a sign-up stands."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"


class OptOutWhy(StrEnum):
    """Reasons for opting out that are offered."""

    TOO_MANY = "too_many"
    NOT_FOR_ME = "not_for_me"
    NEVER_ASKED = "never_asked"
    HAVE_IT = "have_it"
    OTHER = "other"


class SuppressionScope(StrEnum):
    """How far a suppression reaches."""

    ALL_BUT_TRANSACTIONAL = "all_but_transactional"
    TOPIC = "topic"
    LIST = "list"


class SuppressionReason(StrEnum):
    """Why an address or contact must not be written to."""

    OPT_OUT = "opt_out"
    COMPLAINT = "complaint"
    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCES = "soft_bounces"
    BY_PERSON = "by_person"
    BY_PROVIDER = "by_provider"
    PAUSE = "pause"
    """The contact wants no mail for a while."""
    ERASED = "erased"
    """The person was erased on request."""

    @property
    def is_wish(self) -> bool:
        """True where the contact wants no mailings, for good or for a while: they opted out."""
        return self in (SuppressionReason.OPT_OUT, SuppressionReason.PAUSE)

    @property
    def yields(self) -> bool:
        """True where a mail that was asked for just now may go all the same, and signing up ends it."""
        return self.is_wish or self is SuppressionReason.ERASED
