"""The sandbox's clock, and how ServiceM8 writes its moments."""

from zoneinfo import ZoneInfo

from app.connectors.sandbox_kit.clock import Clock as AnyClock


class Clock(AnyClock):
    """Tells the sandbox's time."""

    def local_text(self, zone: ZoneInfo) -> str:
        """The moment as ServiceM8 writes it: without offset, in the account's zone, so an autumn hour comes twice."""
        return self.now().astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
