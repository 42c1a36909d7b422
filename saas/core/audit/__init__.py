"""The audit trail: records inserted without locks, chained by the sealer, heads signed by Vault."""

from saas.core.audit.events import Event
from saas.core.audit.services import record

__all__ = ["Event", "record"]
