"""Outcomes told to the outside world by HTTP, signed as Standard Webhooks says (https://www.standardwebhooks.com)."""

from massmail_plugin.outcomes.webhooks.register import (
    WebhookDraft,
    change,
    delete,
    new_secret,
    register,
    retry,
    switch,
)
from massmail_plugin.outcomes.webhooks.trial import Trial, try_out

__all__ = ["Trial", "WebhookDraft", "change", "delete", "new_secret", "register", "retry", "switch", "try_out"]
