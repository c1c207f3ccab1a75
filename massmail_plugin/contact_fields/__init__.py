"""What a ContactSource declares, as named, typed fields, checked once at start. Rooms enter; nothing is committed."""

from massmail_plugin.contact_fields.kinds import kind_of
from massmail_plugin.contact_fields.reading import register
from massmail_plugin.contact_fields.registered import ContactField, FieldRegister, RelatedRows

__all__ = ["ContactField", "FieldRegister", "RelatedRows", "kind_of", "register"]
