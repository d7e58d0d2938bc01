"""What happens to a decision or a record on its way to a provider, step by step: recorded, being sent, confirmed."""

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


def push_steps(delivery: Delivery, now: datetime, zone: str) -> list[Step]:
    """How far a record has come on its way to a provider."""
    provider = delivery.provider_title
    queued = Step("done", "Queued", formats.at(delivery.created_at, now, zone).capitalize())
    confirmed = Step("todo", f"Confirmed by {provider}")
    match delivery.status:
        case DeliveryStatus.CONFIRMED if (delivery.confirmation or {}).get("unchanged"):
            return [
                queued,
                Step("done", "Nothing had to be sent", f"{provider} shows what the hub has, or a conflict waits for a decision."),
            ]
        case DeliveryStatus.CONFIRMED:
            at = f" {formats.at(delivery.finished_at, now, zone)}" if delivery.finished_at else ""
            return [queued, Step("done", f"Sent to {provider}"), Step("done", f"Confirmed by {provider}{at}")]
        case DeliveryStatus.NOT_APPLIED:
            return [
                queued,
                Step("done", f"{provider} had changed it meanwhile", "Both were merged first; what is left is sent after that."),
            ]
        case DeliveryStatus.FAILED:
            return [queued, Step("wrong", f"{provider} did not take it", delivery.error_message or "")]
        case DeliveryStatus.QUEUED if not delivery.attempts:
            return [Step("now", "Queued", "A worker takes it up in a moment."), Step("todo", f"Being sent to {provider}"), confirmed]
        case _:
            trouble = f"{delivery.error_message} It is tried again by itself." if delivery.error_message else ""
            return [queued, Step("now", f"Being sent to {provider}", trouble), confirmed]


def is_push_settled(delivery: Delivery) -> bool:
    """Whether nothing more will happen to this delivery."""
    return delivery.status in _SETTLED


def delivery_sentence(delivery: Delivery | None, zone: str) -> str:
    """One sentence for a receipt."""
    if delivery is None:
        return "Your decision is recorded and will be sent."
    when = f", {formats.exact(delivery.finished_at, zone)}" if delivery.finished_at else ""
    return f"{delivery.explanation.rstrip('.')}{when}."
