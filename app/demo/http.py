"""A plain HTTP client, so that what the demo sees is what anybody would see: no connector, no service of ours."""

import json
import urllib.error
import urllib.request
from typing import Any

from app.demo.settings import DemoRefused

SECONDS = 15.0


def get_json(url: str, headers: dict[str, str]) -> Any:
    """The JSON at this address. Raises DemoRefused for any other answer."""
    return _json(urllib.request.Request(url, headers=headers))


def post_json(url: str, body: object, headers: dict[str, str] | None = None) -> Any:
    """The JSON that answers this JSON. Raises DemoRefused for any other answer."""
    return _json(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}))


def _json(request: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise DemoRefused(f"{request.full_url} answered {error.code}: {error.read(500).decode(errors='replace')}") from None
    except (OSError, ValueError) as error:
        raise DemoRefused(f"{request.full_url} gave no answer that can be read: {error}.") from None
