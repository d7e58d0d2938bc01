"""The contract that every connector keeps.

A connector reads streams and performs actions. A stream yields pages; a page is what was read *and the state that is
safe to save after it*. The hub stores both in one transaction, so a run that is killed anywhere goes on from its last
page. The state is opaque to the hub; only the connector understands it.

A connector never sees a tenant, a table or a web request. It is handed a Session: an ApiClient that is already
authorised, limited and logged, the connection's typed settings, and what the account said of itself.
"""

from app.connectors.base.actions import Action, Confirmation, DecidedLine, QuoteDecision, SaveSteps, Steps
from app.connectors.base.fields import FieldMapping, FieldRow
from app.connectors.base.objects import BadItem, Item, Mode, Page, Part, Reading, State, Walk
from app.connectors.base.provider import ApiVersion, Connector, RateLimit, Setting
from app.connectors.base.sessions import Account, Session
from app.connectors.base.streams import Stream, takes
from app.connectors.base.writers import RecordWrite, Writer

__all__ = [
    "Account",
    "Action",
    "ApiVersion",
    "BadItem",
    "Confirmation",
    "Connector",
    "DecidedLine",
    "FieldMapping",
    "FieldRow",
    "Item",
    "Mode",
    "Page",
    "Part",
    "QuoteDecision",
    "RateLimit",
    "Reading",
    "RecordWrite",
    "SaveSteps",
    "Session",
    "Setting",
    "State",
    "Steps",
    "Stream",
    "Walk",
    "Writer",
    "takes",
]
