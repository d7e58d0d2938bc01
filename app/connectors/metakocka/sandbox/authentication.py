"""Who asks: the key and the company in the body of every request, and the addresses that a company allows."""

from .answers import WRONG_ADDRESS, WRONG_KEY, Failed
from .company import Company
from .wire import Values, text_of


def authenticate(companies: dict[str, Company], given: Values, address: str) -> Company:
    """The company whose key was sent; a number is taken for its id too."""
    company = companies.get(text_of(given.get("company_id")))
    if company is None or text_of(given.get("secret_key")) != company.described.secret_key:
        raise Failed(WRONG_KEY, "Wrong secret_key or company_id.")
    if company.described.allowed_ips and address not in company.described.allowed_ips:
        raise Failed(WRONG_ADDRESS, f"Access from IP {address} is not allowed.")
    return company
