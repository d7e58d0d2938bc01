"""What a plain program would do with the provider: its requests with a key, and short ways to make records."""

from typing import Any

import httpx


class Provider:
    """Requests of one account."""

    def __init__(self, http: httpx.AsyncClient, api_key: str) -> None:
        self.http = http
        self.headers = {"X-API-Key": api_key}

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.http.get(f"/api_1.0/{path}", params=query, headers=self.headers)

    async def filtered(self, path: str, text: str, **query: str) -> httpx.Response:
        return await self.get(path, **{"$filter": text}, **query)

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        json = {} if body is None and options else {"json": body}
        return await self.http.post(f"/api_1.0/{path}", headers=self.headers, **json, **options)

    async def delete(self, path: str) -> httpx.Response:
        return await self.http.delete(f"/api_1.0/{path}", headers=self.headers)

    async def request(self, method: str, path: str) -> httpx.Response:
        return await self.http.request(method, f"/api_1.0/{path}", headers=self.headers)

    async def made(self, object: str, /, **values: Any) -> str:
        """Create a record that must be accepted; its id."""
        answer = await self.post(f"{object}.json", values)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-record-uuid"]

    async def quote(self, **values: Any) -> str:
        return await self.made("job", status="Quote", **values)

    async def line(self, job_uuid: str, price: str = "100", quantity: str = "1", **values: Any) -> str:
        """A line shown without tax."""
        return await self.made("jobmaterial", job_uuid=job_uuid, quantity=quantity, price=price, displayed_amount=price, **values)

    async def one(self, path: str) -> dict[str, Any]:
        """A record by path, which must be there."""
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def tax_rate(self, name: str = "GST") -> str:
        return next(rate["uuid"] for rate in (await self.get("taxrate.json")).json() if rate["name"] == name)


async def walk(provider: Provider, path: str, **query: str) -> list[list[dict[str, Any]]]:
    """All pages of a list, followed by their cursors."""
    pages, cursor = [], "-1"
    while cursor:
        answer = await provider.get(path, cursor=cursor, **query)
        pages.append(answer.json())
        cursor = answer.headers.get("x-next-cursor", "")
    return pages


def refused(answer: httpx.Response, status: int, part: str) -> bool:
    """Whether the answer is the provider's JSON refusal with this status and text."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert set(body) == {"errorCode", "message"}
    assert answer.status_code == status, body
    assert part in body["message"], body
    return True
