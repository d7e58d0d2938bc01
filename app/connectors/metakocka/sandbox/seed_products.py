"""Seeded products: services and materials with stock in two warehouses, each made from its number alone."""

from dataclasses import dataclass

from .seed_names import MATERIALS, SERVICES, Dice
from .wire import Values

FIRST_ID = 150_100_000_000
STEP = 10
FIRST_NUMBER = 100
SERVICE_EVERY = 5


@dataclass(frozen=True)
class ProductMaker:
    """Makes the products of one seed."""

    seed: int

    def make(self, index: int) -> Values:
        """The product, with its price and its stock by warehouse, which replies show when asked."""
        dice = Dice(self.seed, index, 3)
        service = is_service(index)
        names = SERVICES if service else MATERIALS
        product: Values = {
            "mk_id": str(FIRST_ID + index * STEP),
            "count_code": f"PA_{FIRST_NUMBER + index}_PA",
            "code": code_of(index),
            "name": f"{names[dice.below(len(names))]} {index}",
            "unit": "ura" if service else "kos",
            "service": "true" if service else "false",
            "sales": "true",
            "purchasing": "false" if service else "true",
            "activated": "false" if index % 41 == 40 else "true",
            "_price": price_of(self.seed, index),
        }
        if index % 6 == 1:
            product["name_desc"] = "Opis <b>artikla</b>, cena na kos<br>"
        if not service:
            product["_stock"] = {"GL": str(dice.below(200)), "MB": str(dice.below(80))}
        return product


def is_service(index: int) -> bool:
    return index % SERVICE_EVERY == 0


def code_of(index: int) -> str:
    return f"{'STO' if is_service(index) else 'ART'}-{index:05d}"


def price_of(seed: int, index: int) -> str:
    dice = Dice(seed, index, 4)
    return f"{dice.below(400) + 5}.{dice.below(10)}5"


def index_of_code(code: str) -> int:
    return _number_in(code[4:])


def index_of_number(count_code: str) -> int:
    return _number_in(count_code.removeprefix("PA_").removesuffix("_PA")) - FIRST_NUMBER


def _number_in(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1
