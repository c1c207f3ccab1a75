"""What is held about a person, and erasing it. The command line and a screen enter and commit."""

from massmail_plugin.upkeep.privacy.erase import Erased, erase, erasures
from massmail_plugin.upkeep.privacy.held import Held, as_json, held
from massmail_plugin.upkeep.privacy.people import Person, people_of, person_at, person_of

__all__ = ["Erased", "Held", "Person", "as_json", "erase", "erasures", "held", "people_of", "person_at", "person_of"]
