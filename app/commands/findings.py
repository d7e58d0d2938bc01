"""What the doctor found out: one line each, and whether it is well."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; the sentence says what is so and, unless it is good, what to do."""

    subject: str
    verdict: Verdict
    sentence: str


def good(subject: str, sentence: str) -> Finding:
    return Finding(subject, Verdict.GOOD, sentence)


def attention(subject: str, sentence: str) -> Finding:
    return Finding(subject, Verdict.ATTENTION, sentence)


def bad(subject: str, sentence: str) -> Finding:
    return Finding(subject, Verdict.BAD, sentence)
