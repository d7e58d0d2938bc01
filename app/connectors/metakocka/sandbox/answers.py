"""Replies, the codes of failures, and the HTML pages that come instead of JSON."""

from app.connectors.sandbox_kit.delivery import Answer

HTML = "text/html;charset=utf-8"

INTERNAL, INVALID, WRONG_KEY, WRONG_ADDRESS, QUOTA, RULE, UNKNOWN_PRODUCT = "1", "2", "3", "4", "5", "6", "8"


class Failed(Exception):
    """A failure that the provider tells in the body, with HTTP 200."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def invalid(text: str) -> Failed:
    return Failed(INVALID, text)


def must_be_set(name: str) -> Failed:
    return Failed(INVALID, f"Paramether {name} must be set")


def page(status: int, title: str, text: str) -> Answer:
    """One of the server's own pages."""
    body = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
    return Answer(status, body.encode(), HTML)


NOT_FOUND = page(404, "HTTP Status 404 - Not Found", "The requested resource is not available.")
NOT_ALLOWED = page(405, "HTTP Status 405 - Method Not Allowed", "The specified HTTP method is not allowed for the requested resource.")
SERVER_ERROR = page(500, "HTTP Status 500 - Internal Server Error", "The server encountered an unexpected condition.")
MAINTENANCE = page(200, "Nadgradnja", "Sistem se nadgrajuje. Poskusite znova čez nekaj minut.")
