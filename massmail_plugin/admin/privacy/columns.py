"""Which columns of what is held about a person a page shows; a download holds them all. The screen enters; a table."""

from massmail_plugin.upkeep.privacy.held import VALUES

SHOWN: dict[str, dict[str, str]] = {
    "lists": {"list": "List", "state": "State", "since": "Since", "evidence": "How we know"},
    "consent_history": {
        "list": "List",
        "state": "State",
        "at": "When",
        "evidence": "How we know",
        "origin": "From",
        "agreed_to": "Agreed to",
    },
    "sign_ups": {
        "list": "List",
        "address": "Address",
        "state": "State",
        "created_at": "When",
        "origin": "From",
        "agreed_to": "Agreed to",
    },
    "lost_links": {"address": "Address", "at": "When", "network": "From"},
    "suppressions": {
        "reason": "Reason",
        "scope": "Reach",
        "list": "List",
        "address": "Address",
        "created_at": "Since",
        "note": "Note",
    },
    "released_suppressions": {
        "reason": "Reason",
        "list": "List",
        "address": "Address",
        "created_at": "Since",
        "released_at": "Until",
        "release_note": "Why it ended",
    },
    "fewer_mails": {"days": "One mail in so many days", "since": "Since"},
    "opt_out_reasons": {"mailing": "Mailing", "reason": "Reason", "comment": "Comment", "at": "When"},
    "mails": {
        "mailing": "Mailing",
        "address": "Address",
        "state": "State",
        "settled_at": "When",
        "reply_text": "The server said",
    },
    "past_mails": {"mailing": "Mailing", "id": "Number"},
    "service_mails": {"subject": "Subject", "mailing_id": "Mailing number"},
    "events": {
        "kind": "What",
        "at": "When",
        "link": "Link",
        "user_agent": "Program",
        "machine_reason": "Why no person",
        "detail": "Words",
    },
    "outcomes": {"outcome": "Outcome", "at": "When", "status_set": "Status set", "state": "Delivery"},
    "webhook_deliveries": {"webhook": "Webhook", "state": "State", "tried_at": "When", "problem": "Problem"},
    "statuses": {"place": "Of", "outcome": "Outcome", "status": "Status"},
    "campaigns": {"campaign": "Campaign", "state": "State", "entered_at": "Since", "next_due_at": "Next mail"},
    "received": {"kind": "What", "at": "When", "address": "Address", "subject": "Subject", "note": "Read out of it"},
    "provider_lists": {"feed": "Provider", "address": "Address", "at": "Since"},
    VALUES: {"message_id": "Mail", "at": "When", "values": "Values"},
}
"""Name of the table -> column -> heading."""
