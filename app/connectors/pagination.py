"""Walking through pages by a cursor that the provider hands out."""

from dataclasses import dataclass, field

from app.connectors.errors import UnexpectedResponse


@dataclass(slots=True)
class CursorWatch:
    """Notices a provider that sends a walk in circles: without it such a walk would never end."""

    seen: set[str] = field(default_factory=set)

    def next(self, asked: str, answered: str | None) -> str | None:
        """The cursor of the next page, None after the last. Raises UnexpectedResponse for a cursor that was used before."""
        self.seen.add(asked)
        if not answered:
            return None
        if answered in self.seen:
            raise UnexpectedResponse(f"The provider's page after {asked[:80]!r} leads back to {answered[:80]!r}; the walk would never end.")
        return answered
