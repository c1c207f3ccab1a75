"""The words and tones screens use for states, outcomes and acts. Views and templates enter; a table of texts only."""

from typing import NamedTuple

from massmail_plugin.vocabulary import (
    Act,
    CampaignState,
    ConsentWay,
    EnrolmentState,
    EventKind,
    HoldReason,
    MachineReason,
    MailingState,
    MessageState,
    OptOutWhy,
    Outcome,
    ReceivedState,
    RefusalReason,
    SignUpState,
    SkipReason,
    SubscriptionState,
    SuppressionReason,
    SuppressionScope,
)


class Word(NamedTuple):
    """How a state is shown: its words, and the tone (good, busy, waiting, warning, bad, quiet) that gives the shape."""

    label: str
    tone: str = "quiet"


MAILING_STATES = {
    MailingState.DRAFT: Word("Draft"),
    MailingState.SCHEDULED: Word("Scheduled", "waiting"),
    MailingState.FILLING: Word("Gathering recipients", "busy"),
    MailingState.SENDING: Word("Sending", "busy"),
    MailingState.PAUSED: Word("Paused", "warning"),
    MailingState.FINISHED: Word("Finished", "good"),
    MailingState.CANCELLED: Word("Cancelled", "bad"),
}
MESSAGE_STATES = {
    MessageState.PLANNED: Word("Waiting", "waiting"),
    MessageState.DEFERRED: Word("Will be tried again", "waiting"),
    MessageState.SENT: Word("Sent", "good"),
    MessageState.REFUSED: Word("Failed", "bad"),
    MessageState.UNCERTAIN: Word("Uncertain", "warning"),
    MessageState.SKIPPED: Word("Skipped"),
    MessageState.CANCELLED: Word("Cancelled"),
}
CAMPAIGN_STATES = {
    CampaignState.DRAFT: Word("Draft"),
    CampaignState.ACTIVE: Word("Active", "busy"),
    CampaignState.PAUSED: Word("Paused", "warning"),
}
ENROLMENT_STATES = {
    EnrolmentState.ACTIVE: Word("In the campaign", "busy"),
    EnrolmentState.FINISHED: Word("Finished", "good"),
    EnrolmentState.LEFT: Word("Left"),
}
SUBSCRIPTION_STATES = {
    SubscriptionState.SUBSCRIBED: Word("Subscribed", "good"),
    SubscriptionState.UNSUBSCRIBED: Word("Unsubscribed"),
}
SIGN_UP_STATES = {
    SignUpState.WAITING: Word("Waiting", "waiting"),
    SignUpState.CONFIRMED: Word("Confirmed", "good"),
    SignUpState.EXPIRED: Word("Expired"),
}
RECEIVED_STATES = {
    ReceivedState.MATCHED: Word("About your mail", "good"),
    ReceivedState.UNMATCHED: Word("Unmatched", "warning"),
    ReceivedState.IGNORED: Word("Other"),
}
RECEIVED_KINDS = {
    EventKind.BOUNCE.value: "Bounce",
    EventKind.DELAY.value: "Delay",
    EventKind.COMPLAINT.value: "Complaint",
    EventKind.REPLY.value: "Reply",
    EventKind.AUTOREPLY.value: "Automatic reply",
    EventKind.DELIVERED.value: "Delivered",
    EventKind.OPEN.value: "Open",
    EventKind.CLICK.value: "Click",
    EventKind.OPT_OUT.value: "Opt-out",
    EventKind.OPT_BACK_IN.value: "Subscription",
    "report-not-complaint": "Report that is no complaint",
    "none": "Ordinary mail",
}
"""Of mails and provider events that came in, by their kind."""
WORDS: dict[str, dict[str, Word]] = {
    "mailing": {state.value: word for state, word in MAILING_STATES.items()},
    "message": {state.value: word for state, word in MESSAGE_STATES.items()},
    "campaign": {state.value: word for state, word in CAMPAIGN_STATES.items()},
    "received": {state.value: word for state, word in RECEIVED_STATES.items()},
    "sign_up": {state.value: word for state, word in SIGN_UP_STATES.items()},
    "enrolment": {state.value: word for state, word in ENROLMENT_STATES.items()},
    "subscription": {state.value: word for state, word in SUBSCRIPTION_STATES.items()},
}

OUTCOMES = {
    Outcome.SENT: "Sent",
    Outcome.FAILED: "Failed",
    Outcome.READ: "Read",
    Outcome.CLICKED: "Clicked",
    Outcome.BOUNCED: "Bounced",
    Outcome.REMOVED: "Removed (opted out)",
    Outcome.COMPLAINED: "Complained",
}

REASONS: dict[str, str] = {
    SkipReason.NO_ADDRESS: "has no address",
    SkipReason.BAD_ADDRESS: "the address is not valid",
    SkipReason.OPTED_OUT: "opted out",
    SkipReason.SUPPRESSED: "is on the suppression list",
    SkipReason.DUPLICATE: "the same address gets it already",
    SkipReason.INACTIVE: "is not active",
    SkipReason.CONTACT_GONE: "is no longer among the contacts",
    SkipReason.LEFT_LIST: "left the list",
    SkipReason.VETOED: "held back by the application",
    SkipReason.EXCLUDED: "is on a list that is left out",
    SkipReason.OTHER_STATUS: "has another status",
    SkipReason.MAILED_LATELY: "got mail within the resend window",
    SkipReason.WANTS_FEWER: "wants fewer mails",
    RefusalReason.REFUSED_BY_SERVER: "refused by the mail server",
    RefusalReason.GAVE_UP: "tried until the time was up",
    RefusalReason.NOT_BUILT: "the message could not be built",
    RefusalReason.POISON: "stopped the worker more than once",
    RefusalReason.NOT_RETRIED: "put off by the server, and not to be tried again by itself",
    HoldReason.BY_PERSON: "paused by a person",
    HoldReason.SENDER_FAULT: "the sender does not work",
    HoldReason.NOT_FILLED: "its recipients could not be gathered",
    HoldReason.LATE: "nothing ran when it was due",
    HoldReason.CRASHED: "workers crashed over it",
    SuppressionReason.OPT_OUT: "Opted out",
    SuppressionReason.COMPLAINT: "Complained",
    SuppressionReason.HARD_BOUNCE: "Address does not exist",
    SuppressionReason.SOFT_BOUNCES: "Mail did not arrive again and again",
    SuppressionReason.BY_PERSON: "Added by hand",
    SuppressionReason.BY_PROVIDER: "On the provider’s own list",
    SuppressionReason.PAUSE: "Wants a pause",
    OptOutWhy.TOO_MANY: "There are too many mails",
    OptOutWhy.NOT_FOR_ME: "They are not about what I care for",
    OptOutWhy.NEVER_ASKED: "I never asked for them",
    OptOutWhy.HAVE_IT: "I have what I was looking for",
    OptOutWhy.OTHER: "Another reason",
    SuppressionReason.ERASED: "Erased on request",
    SuppressionScope.ALL_BUT_TRANSACTIONAL: "every mailing",
    SuppressionScope.TOPIC: "one topic",
    SuppressionScope.LIST: "one list",
    MachineReason.PROXY: "the image proxy of a mail service, perhaps for its reader",
    MachineReason.ROBOT: "a robot, by its name",
    MachineReason.SCANNER: "a mail filter, by its name",
    MachineReason.NO_AGENT: "it gave no name",
    MachineReason.HEAD: "it asked without wanting to see",
    MachineReason.PREFETCH: "fetched ahead, before anybody looked",
    MachineReason.PART: "it asked for a part only",
    MachineReason.HIDDEN_LINK: "it followed the hidden link",
    MachineReason.BURST: "it followed many links at once",
    MachineReason.TOO_SOON: "too soon after sending, and not as a person does",
}

WAYS: dict[str, str] = {
    ConsentWay.PERSON: "by a colleague",
    ConsentWay.FILE: "by a file",
    ConsentWay.FORM: "signed up and confirmed",
    ConsentWay.PAGE: "chose it on a page",
    ConsentWay.ONE_CLICK: "pressed the button of the mail program",
    ConsentWay.MAIL: "wrote a mail",
    ConsentWay.HOST: "in the application",
    ConsentWay.PROVIDER: "at the mail provider",
    ConsentWay.CAMPAIGN: "by a campaign",
    "": "",
}
"""How a change to a subscription came about."""

ACTS = {
    Act.TEMPLATE_EDIT: "work on templates",
    Act.LIST_MANAGE: "manage lists",
    Act.CRITERION_EDIT: "work on criteria",
    Act.SUPPRESSION_MANAGE: "manage suppressions",
    Act.MAILING_PREPARE: "prepare mailings",
    Act.MAILING_TEST: "send tests",
    Act.MAILING_SEND: "send mailings",
    Act.CAMPAIGN_EDIT: "work on campaigns",
    Act.CAMPAIGN_ACTIVATE: "start and stop campaigns",
    Act.SENDER_MANAGE: "manage senders",
    Act.WEBHOOK_MANAGE: "manage webhooks",
    Act.RESULTS_VIEW: "see results",
    Act.PEOPLE_VIEW: "see recipients",
    Act.PRIVACY_MANAGE: "see and erase what is held about people",
    Act.SYSTEM_VIEW: "see the state of the system",
}


def word(kind: str, state: str) -> Word:
    """The word for a state of `kind` (a key of WORDS); an unknown state is shown as it is."""
    return WORDS[kind].get(state, Word(state))


def reason(name: str) -> str:
    """The words for a reason's name; an unknown one is shown as it is, an empty one as nothing."""
    return REASONS.get(name, name.replace("_", " "))
