"""What this sandbox's own control requests carry, checked."""

import msgspec

from .config import PositiveInt, SeedKind


class SeedWish(msgspec.Struct, forbid_unknown_fields=True):
    """Records to add; `count` is the number of companies or jobs, and means nothing for the demo."""

    kind: SeedKind
    count: PositiveInt = 1000
