"""The public names of massmail-plugin; everything else may change between minor versions."""

from massmail_plugin.contracts import (
    Account,
    Answer,
    Carriage,
    ContactRef,
    ContactSource,
    Email,
    Fax,
    Field,
    OutcomeFact,
    Outgoing,
    Phone,
    PreferenceFact,
    Provider,
    Related,
    SendFact,
    Stage,
    StatusFact,
    StatusMapping,
)
from massmail_plugin.errors import ConfigError, MassMailError, SetupError
from massmail_plugin.extension import MassMail
from massmail_plugin.vocabulary import Act, Outcome

__all__ = [
    "Account",
    "Act",
    "Answer",
    "Carriage",
    "ConfigError",
    "ContactRef",
    "ContactSource",
    "Email",
    "Fax",
    "Field",
    "MassMail",
    "MassMailError",
    "Outcome",
    "OutcomeFact",
    "Outgoing",
    "Phone",
    "PreferenceFact",
    "Provider",
    "Related",
    "SendFact",
    "SetupError",
    "Stage",
    "StatusFact",
    "StatusMapping",
]
