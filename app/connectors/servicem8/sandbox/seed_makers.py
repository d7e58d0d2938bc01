"""Makes the values of single records for a seed: always the same from the same chance."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from . import schema
from .amounts import four_places
from .seed_names import COUNTRIES, LINE_ITEMS, SPECIAL_COMPANIES, SPECIAL_PEOPLE, WORK, Country
from .store import Account
from .table import Values, unique_key

# Nothing of a seed is edited after this moment (in the account's own time), so a restarted sandbox shows the same records. Where the
# sandbox's clock stands before it, the seed ends at the day before: what is edited from then on must look later.
LATEST_EDIT = datetime(2026, 11, 1, 17, 0)
SECONDS_OF_HISTORY = 400 * 24 * 3600
SPECIAL_EVERY = 40
BLANK = {name: one.blank() | {"active": 1} for name, one in schema.OBJECT_TYPES.items()}
LONG_DESCRIPTION = "\n".join(f"{number}. {WORK[number % len(WORK)]}." for number in range(1, 41))


class Maker:
    """Makes records for one account."""

    def __init__(self, account: Account, chance: Random) -> None:
        self.account = account
        self.chance = chance
        self.country: Country = COUNTRIES.get(account.config.country, COUNTRIES["Australia"])
        self.latest_edit = latest_edit(account)
        self.tax_rates = [one.uuid for one in account.tables["taxrate"]]
        self.rate = 1 + account.rate_of("")
        self._names_given = {unique_key(one.values["name"]) for one in account.tables["company"]}

    def uuid(self) -> str:
        digits = f"{self.chance.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"

    def moment(self) -> str:
        return str(self.latest_edit - timedelta(seconds=int(self.chance.random() ** 2 * SECONDS_OF_HISTORY)))

    def company(self, number: int) -> Values:
        """A business, or every fifth time a private person; about one in thirty is archived."""
        place, state, postcode = self.chance.choice(self.country.places)
        street, house = self.chance.choice(self.country.streets), str(self.chance.randint(1, 240))
        address = self.country.address.format(number=house, street=street, place=place, state=state, postcode=postcode)
        private = number % 5 == 0
        return BLANK["company"] | {
            "uuid": self.uuid(),
            "active": 0 if self.chance.random() < 0.03 else 1,
            "edit_date": self.moment(),
            "name": self._unused(self._company_name(number, private=private)),
            "address": address,
            "billing_address": address if self.chance.random() < 0.7 else f"PO Box {self.chance.randint(1, 999)}, {place}",
            "address_street": f"{house} {street}",
            "address_city": place,
            "address_state": state,
            "address_postcode": postcode,
            "address_country": self.account.config.country,
            "website": "" if private else f"https://client-{number}.{self.country.domain}",
            "abn_number": "" if private else f"{self.chance.randint(10**10, 10**11 - 1)}",
            "is_individual": "1" if private else "0",
            "customfield_account_manager": self.chance.choice(self.country.first_names),
        }

    def contact(self, company: Values, place: int) -> Values:
        """One of a company's contacts; a private person's first contact is that person."""
        first, last = self._person()
        if place == 0 and company["is_individual"] == "1":
            first, _, last = company["name"].partition(" ")
        number = self.chance.randint(0, 9_999_999)
        return BLANK["companycontact"] | {
            "uuid": self.uuid(),
            "edit_date": self.moment(),
            "company_uuid": company["uuid"],
            "first": first,
            "last": last,
            "phone": "" if number % 3 else f"08 9{number % 1000:03d} {number // 1000:04d}",
            "mobile": self.country.mobile.format(digits=number),
            "email": f"contact{place + 1}.{company['uuid'][:8]}@{self.country.domain}",
            "type": ("BILLING", "JOB", "")[place % 3],
            "is_primary_contact": "1" if place == 0 else "0",
        }

    def job(self, company: Values, status: str) -> Values:
        edited = self.moment()
        sent = 1 if status != "Quote" or self.chance.random() < 0.8 else 0
        description = LONG_DESCRIPTION if self.chance.random() < 0.02 else self.chance.choice(WORK)
        stamps = {schema.STATUS_STAMPS["Quote"]: edited, schema.STATUS_STAMPS[status]: edited}
        return BLANK["job"] | stamps | {
            "uuid": self.uuid(),
            "edit_date": edited,
            "generated_job_id": self.account.next_job_number(),
            "company_uuid": company["uuid"],
            "status": status,
            "date": edited[:10],
            "job_address": company["address"],
            "billing_address": company["billing_address"],
            "job_description": description,
            "work_done_description": description if status == "Completed" else "",
            "quote_sent": sent,
            "quote_sent_stamp": edited if sent else schema.NO_TIME,
            "purchase_order_number": f"PO-{self.chance.randint(100, 9999)}" if self.chance.random() < 0.2 else "",
            "customfield_site_access": self.chance.choice(("", "Key in lockbox", "Ring first", "Pes na dvorišču 🐕")),
        }  # fmt: skip

    def line(self, job: Values, place: int) -> Values:
        """A line, shown with tax or without."""
        name, price, divisible = self.chance.choice(LINE_ITEMS)
        with_tax = self.chance.random() < 0.5
        shown = four_places((Decimal(price) * self.rate).quantize(Decimal("0.01"))) if with_tax else price
        quantity = Decimal(self.chance.randint(1, 400)) / 8 if divisible else Decimal(self.chance.randint(1, 12))
        return BLANK["jobmaterial"] | {
            "uuid": self.uuid(),
            "edit_date": job["edit_date"],
            "job_uuid": job["uuid"],
            "name": name,
            "quantity": four_places(quantity),
            "price": four_places(Decimal(shown) / self.rate) if with_tax else price,
            "displayed_amount": shown,
            "displayed_amount_is_tax_inclusive": "1" if with_tax else "0",
            "tax_rate_uuid": self.tax_rates[0],
            "sort_order": str(place),
        }

    def note(self, job: Values) -> Values:
        return BLANK["note"] | {
            "uuid": self.uuid(),
            "edit_date": job["edit_date"],
            "create_date": job["edit_date"],
            "related_object": "job",
            "related_object_uuid": job["uuid"],
            "note": self.chance.choice(("Client rang, wants a morning start.", "Pokliči pred prihodom.", "Parking behind the building 🚐")),
        }

    def _person(self) -> tuple[str, str]:
        if self.chance.random() < 0.02:
            return self.chance.choice(SPECIAL_PEOPLE)
        return self.chance.choice(self.country.first_names), self.chance.choice(self.country.last_names)

    def _company_name(self, number: int, *, private: bool) -> str:
        if number % SPECIAL_EVERY == 1:
            return SPECIAL_COMPANIES[number // SPECIAL_EVERY % len(SPECIAL_COMPANIES)]
        if private:
            return " ".join(self._person())
        country, choose = self.country, self.chance.choice
        place = choose(country.places)[0] if self.chance.random() < 0.5 else ""
        words = {"trade_name": choose(country.trade_names), "trade": choose(country.trades), "form": choose(country.forms)}
        return " ".join(country.business.format(place=place, **words).split())

    def _unused(self, name: str) -> str:
        """A name that no other company of the account has: names are unique there."""
        free, again = name, 2
        while unique_key(free) in self._names_given:
            free, again = f"{name} {again}", again + 1
        self._names_given.add(unique_key(free))
        return free


def latest_edit(account: Account) -> datetime:
    """When the newest of a seed's records may have been edited, in the account's own time."""
    today = datetime.fromisoformat(account.now_text()[:10])
    return min(LATEST_EDIT, today - timedelta(days=1))
