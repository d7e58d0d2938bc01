"""What becomes of a client's decision on an offer. Metakocka has no accepting and no rejecting: an approval is an order made from the
offer, a rejection a note in it, and either may have a status. README.md tells the policy.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.connectors.base import Confirmation, QuoteDecision, SaveSteps, Session, Steps
from app.connectors.metakocka.decisions import CarryOut, DecisionSteps


@dataclass(slots=True, eq=False)
class DecisionAction:
    """One kind of decision."""

    name: str
    carry_out: Callable[[CarryOut], Awaitable[Confirmation]]
    needs: int
    """Requests of an attempt that nothing interrupts: looks, writes, and all of it read back."""

    def requests(self, decision: QuoteDecision) -> int:
        return self.needs

    async def perform(self, session: Session, decision: QuoteDecision, steps: Steps, save: SaveSteps) -> Confirmation:
        """Carry the decision out, or go on where an earlier attempt stopped. Raises NotApplied, RequestRejected, ConnectorError."""
        return await self.carry_out(CarryOut(session, decision, DecisionSteps.of(steps), save))


APPROVE_QUOTE = DecisionAction("approve_quote", CarryOut.approve, 10)
APPROVE_QUOTE_PARTIALLY = DecisionAction("approve_quote_partially", CarryOut.approve, 10)
REJECT_QUOTE = DecisionAction("reject_quote", CarryOut.reject, 6)
ACTIONS = (APPROVE_QUOTE, APPROVE_QUOTE_PARTIALLY, REJECT_QUOTE)
