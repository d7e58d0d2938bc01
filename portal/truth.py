"""What happens to a decision after it was made, step by step: recorded, being sent, confirmed."""

from datetime import datetime

from app.deliveries.models import Delivery, DeliveryStatus
from app.quotes.models import Decision, Quote
from portal import formats
from portal.statuses import Step

_SETTLED = frozenset({DeliveryStatus.CONFIRMED, DeliveryStatus.NOT_APPLIED, DeliveryStatus.FAILED})


def decision_steps(quote: Quote, now: datetime, zone: str) -> list[Step]:
    """The three steps; none without a decision."""
    if quote.decision is None:
        return []
    recorded = Step("done", "Recorded", f"{formats.at(quote.decision.decided_at, now, zone).capitalize()}, by {_who(quote.decision)}")
    return [recorded, *_downstream(quote.delivery, quote.provider_title, now, zone)]


def _who(decision: Decision) -> str:
    return decision.signature_name or str(decision.decided_by.get("name") or "you")


def _downstream(delivery: Delivery | None, provider: str, now: datetime, zone: str) -> list[Step]:
    confirmed = Step("todo", f"Confirmed by {provider}")
    match delivery and delivery.status:
        case DeliveryStatus.CONFIRMED:
            moment = delivery.finished_at if delivery else None
            at = f" {formats.at(moment, now, zone)}" if moment else ""
            return [Step("done", f"Sent to {provider}"), Step("done", f"Confirmed by {provider}{at}")]
        case DeliveryStatus.NOT_APPLIED:
            return [Step("wrong", f"Not applied at {provider}", delivery.explanation if delivery else "")]
        case DeliveryStatus.FAILED:
            return [Step("wrong", f"Not sent to {provider}", delivery.explanation if delivery else ""), confirmed]
        case _:
            trouble = delivery.explanation if delivery and delivery.error_code else "This usually takes less than a minute."
            return [Step("now", f"Being sent to {provider}", trouble), confirmed]


def is_settled(quote: Quote) -> bool:
    """Whether nothing more will happen by itself."""
    return quote.decision is None or (quote.delivery is not None and quote.delivery.status in _SETTLED)


def delivery_sentence(delivery: Delivery | None, zone: str) -> str:
    """One sentence for a receipt."""
    if delivery is None:
        return "Your decision is recorded and will be sent."
    when = f", {formats.exact(delivery.finished_at, zone)}" if delivery.finished_at else ""
    return f"{delivery.explanation.rstrip('.')}{when}."
