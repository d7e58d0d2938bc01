"""What is written: a client's decision on a quote, as staff would carry it out in ServiceM8.

A quote is a job in status Quote; there is no acceptance by line. Lines that were declined are removed, then the status is set, then a
note says who decided what. Order, guards and undoing are those of `decisions.py`; README.md tells the policy.
"""

from dataclasses import dataclass

from app.connectors.base import Confirmation, QuoteDecision, SaveSteps, Session, Steps
from app.connectors.servicem8.decisions import CarryOut, DecisionSteps
from app.connectors.servicem8.payloads import UNSUCCESSFUL, WORK_ORDER

_REQUESTS = 12
"""Job and lines looked at twice, the status written and read, the note looked for, written and read, all read back."""
_REQUESTS_OF_A_DECLINED_LINE = 2


@dataclass(slots=True, eq=False)
class DecisionAction:
    """Brings a job into a status; with `removes_declined` without the lines that the client declined."""

    name: str
    status: str
    stamp: str
    """The job's field in which ServiceM8 notes when it last came into that status."""
    removes_declined: bool = False

    def requests(self, decision: QuoteDecision) -> int:
        return _REQUESTS + _REQUESTS_OF_A_DECLINED_LINE * len(self._declined(decision))

    async def perform(self, session: Session, decision: QuoteDecision, steps: Steps, save: SaveSteps) -> Confirmation:
        """Carry the decision out, or go on where an earlier attempt stopped. Raises NotApplied, RequestRejected, ConnectorError."""
        work = CarryOut(session, decision, self.status, self.stamp, self._declined(decision), DecisionSteps.of(steps), save)
        return await work.perform()

    def _declined(self, decision: QuoteDecision) -> tuple[str, ...]:
        """The lines to remove."""
        return tuple(line.external_id for line in decision.lines if not line.approved) if self.removes_declined else ()


APPROVE_QUOTE = DecisionAction("approve_quote", WORK_ORDER, "work_order_date")
APPROVE_QUOTE_PARTIALLY = DecisionAction("approve_quote_partially", WORK_ORDER, "work_order_date", removes_declined=True)
REJECT_QUOTE = DecisionAction("reject_quote", UNSUCCESSFUL, "unsuccessful_date")
