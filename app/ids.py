"""Ids that sort by the time they were made."""

import os
import time
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as DatabaseUUID


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562, 5.7): ids sort by the time they were made, told apart to a quarter of a microsecond (6.2, method 3).

    Of the kind that asyncpg reads and writes, which is made and sent in half the time; it is a UUID like any other.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    made: UUID = DatabaseUUID((milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | random).to_bytes(16))
    return made
