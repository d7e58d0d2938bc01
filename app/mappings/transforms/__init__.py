"""The transforms that a field mapping's rows may name. Pure: a value and the account in, a value out.

Each is a pair: the way from the provider to the hub, and the way back where there is one. A value that cannot be
transformed raises ValueError with a sentence; the record becomes a failed record.
"""

import inspect
from collections.abc import Callable, Mapping

from app.mappings.transforms import numbers, texts, times, words
from app.mappings.transforms.pairs import Pair

TRANSFORMS: Mapping[str, Callable[..., Pair]] = {
    "trim": texts.trim,
    "upper": texts.upper,
    "lower": texts.lower,
    "text": texts.text,
    "prefix": texts.prefix,
    "without_prefix": texts.without_prefix,
    "empty_to_none": texts.empty_to_none,
    "default": texts.default,
    "json_list": texts.json_list,
    "number": numbers.number,
    "integer": numbers.integer,
    "flag": numbers.flag,
    "local_time": times.local_time,
    "date": times.day,
    "enum": words.enum,
    "country": words.country,
}


def build(name: str, *arguments: str) -> Pair:
    """The transform of that name with its arguments. Raises ValueError with a sentence for one that cannot be."""
    make = TRANSFORMS.get(name)
    if make is None:
        raise ValueError(f"there is no transform {name!r}")
    try:
        inspect.signature(make).bind(*arguments)
    except TypeError as error:
        raise ValueError(f"the transform {name!r} was given wrong arguments: {error}") from None
    return make(*arguments)
