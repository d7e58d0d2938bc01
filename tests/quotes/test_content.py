"""What a client sees of a job: exact amounts, versions, differences. Pure."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.quotes.content import ContentInvalid, content_hash, field_changes, line_changes, make_content, project, project_job, sum_up
from app.records.entities import JobLine

amounts = st.decimals(min_value="-1e9", max_value="1e9", allow_nan=False, allow_infinity=False, places=4)
quantities = st.decimals(min_value="-1e5", max_value="1e5", allow_nan=False, allow_infinity=False, places=4)
rates = st.sampled_from([Decimal(0), Decimal(10), Decimal("9.5"), Decimal(22)])


def line(name: str, quantity: str = "1", price: str = "10", rate: str = "0", position: int = 0) -> JobLine:
    return JobLine(
        external_id=name, description=name, quantity=Decimal(quantity), unit_price=Decimal(price), tax_rate=Decimal(rate), position=position
    )


@pytest.mark.parametrize(("currency", "amount", "tax"), [("EUR", "3.33", "0.33"), ("JPY", "3", "0"), ("KWD", "3.333", "0.333")])
def test_amounts_are_rounded_to_the_currency_s_exponent(currency, amount, tax):
    content = make_content("A", currency, [line("a", "3", "1.111", "10")])

    assert (content.lines[0].amount, content.lines[0].tax) == (Decimal(amount), Decimal(tax))


def test_half_a_cent_goes_up():
    assert make_content("A", "EUR", [line("a", "1", "0.125")]).subtotal == Decimal("0.13")


@given(st.lists(st.tuples(quantities, amounts, rates), max_size=8))
def test_sums_are_exactly_the_sums_of_the_lines(values):
    lines = [
        JobLine(external_id=str(place), description="x", quantity=quantity, unit_price=price, tax_rate=rate)
        for place, (quantity, price, rate) in enumerate(values)
    ]

    content = make_content("A", "EUR", lines)

    assert content.subtotal == sum((one.amount for one in content.lines), Decimal(0))
    assert content.total == content.subtotal + content.tax == sum((one.total for one in content.lines), Decimal(0))
    assert all(one.amount.as_tuple().exponent == -2 for one in content.lines)


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "Infinity", "sNaN", "1E+30"])
def test_numbers_that_are_none_are_refused(value):
    for lines in ([line("a", value)], [line("a", "1", value)]):
        with pytest.raises(ContentInvalid):
            make_content("A", "EUR", lines)


def test_the_same_line_twice_is_refused():
    with pytest.raises(ContentInvalid):
        make_content("A", "EUR", [line("a"), line("a")])


def test_a_job_that_is_none_is_refused_with_a_sentence():
    with pytest.raises(ContentInvalid, match="cannot be read as a quote"):
        project_job({"status": "quote", "lines": 7}, "EUR")


def test_zeros_after_a_number_and_the_order_of_lines_are_no_new_version():
    one = make_content("A", "EUR", [line("a", "1", "10.00"), line("b", position=1)])
    two = make_content("A", "EUR", [line("b"), line("a", "1.0000", "10")])

    assert content_hash(one) == content_hash(two)
    assert line_changes(one, two) == ()


@pytest.mark.parametrize(
    "other",
    [
        make_content("B", "EUR", [line("a")]),
        make_content("A", "USD", [line("a")]),
        make_content("A", "EUR", [line("a", "2")]),
        make_content("A", "EUR", [line("a", "1", "10.01")]),
        make_content("A", "EUR", [line("a", rate="10")]),
        make_content("A", "EUR", [line("a"), line("b")]),
        make_content("A", "EUR", []),
    ],
)
def test_everything_that_a_client_sees_makes_a_new_version(other):
    content = make_content("A", "EUR", [line("a")])

    assert content_hash(content) != content_hash(other)
    assert line_changes(content, other) or field_changes(content, other)


def test_differences_name_old_and_new_values():
    old = make_content("A", "EUR", [line("a"), line("b")])
    new = make_content("A", "EUR", [line("a", "2"), line("c")])

    changes = {change.external_id: change for change in line_changes(old, new)}

    assert {name: change.kind for name, change in changes.items()} == {"a": "changed", "b": "removed", "c": "added"}
    assert (changes["a"].old.quantity, changes["a"].new.quantity) == (1, 2)
    assert (changes["b"].new, changes["c"].old) == (None, None)
    assert [(field.name, field.old, field.new) for field in field_changes(old, new)] == [("total", "20.00", "30.00")]


def test_the_sum_of_no_lines_is_zero_in_the_currency_s_form():
    totals = sum_up("EUR", [], 3)

    assert (str(totals.total), totals.chosen, totals.of) == ("0.00", 0, 3)


OFFER = {
    "kind": "offer",
    "number": "PP1_7",
    "status": "quote",
    "currency": "EUR",
    "issued_on": "2026-03-01",
    "discount": "5",
    "lines": [
        {
            "external_id": "a",
            "name": "Work",
            "description": "Two days",
            "quantity": "2",
            "unit_price": "120.50",
            "discount": "10",
            "tax_rate": "22",
        }
    ],
}


def test_an_offers_line_is_shown_at_the_price_after_both_discounts():
    projected = project(OFFER, "USD")

    (only,) = projected.content.lines
    assert (only.unit_price, only.amount, only.tax) == (Decimal("103.0275"), Decimal("206.06"), Decimal("45.33"))
    assert (only.description, projected.content.title, projected.content.currency) == ("Work – Two days", "Quote PP1_7", "EUR")
    assert projected.issued_at is not None
    assert projected.issued_at.isoformat() == "2026-03-01T12:00:00+00:00"


def test_a_price_without_discounts_keeps_its_digits():
    plain = {**OFFER, "discount": "0", "lines": [{**OFFER["lines"][0], "discount": "0"}]}

    assert str(project(plain, "USD").content.lines[0].unit_price) == "120.50"


@pytest.mark.parametrize(
    "wrong", [{"discount_amount": "10"}, {"currency": "eur"}, {"currency": "E€R"}, {"discount": "NaN"}, {"lines": 7}, {"kind": "gift"}]
)
def test_an_offer_that_cannot_be_shown_says_why(wrong: dict[str, object]):
    with pytest.raises(ContentInvalid):
        project(OFFER | wrong, "EUR")


def test_a_document_without_a_currency_has_that_of_its_account():
    assert project(OFFER | {"currency": ""}, "USD").content.currency == "USD"
