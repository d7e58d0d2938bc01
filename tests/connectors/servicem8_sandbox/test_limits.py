"""180 requests a minute and 20,000 a day, per key; the refusal is plain text and says which."""

import asyncio

from app.connectors.servicem8.sandbox.testing import RunningSandbox

from .provider import Provider

MINUTE = "Number of allowed API requests per minute exceeded"
DAY = "Number of allowed API requests per day exceeded"


async def _statuses(provider: Provider, count: int) -> list[int]:
    answers = await asyncio.gather(*(provider.get("vendor.json") for _ in range(count)))
    return sorted(answer.status_code for answer in answers)


async def test_the_181st_request_of_a_minute_is_refused_as_text(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    await sandbox.settings(limits_factor=1)

    assert await _statuses(provider, 180) == [200] * 180
    answer = await provider.get("vendor.json")

    assert (answer.status_code, answer.text) == (429, MINUTE)
    assert answer.headers["content-type"].startswith("text/plain")
    assert "retry-after" not in answer.headers
    assert not [name for name in answer.headers if "limit" in name or "remaining" in name]


async def test_the_next_minute_counts_anew(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:59Z", scale=0)
    await sandbox.settings(limits_factor=2 / 180)

    assert await _statuses(provider, 3) == [200, 200, 429]
    await sandbox.set_clock("2026-03-01T04:01:00Z", scale=0)

    assert await _statuses(provider, 3) == [200, 200, 429]


async def test_a_day_has_a_limit_of_its_own_and_refused_requests_do_not_count(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(limits_factor=0.001)
    refusals = []
    for minute in range(120):
        await sandbox.set_clock(f"2026-03-01T{minute // 60:02d}:{minute % 60:02d}:00Z", scale=0)
        answer = await provider.get("vendor.json")
        refusals += [answer.text] if answer.status_code == 429 else []
    used = (await sandbox.counters())["limits"]["smk-perth"]
    await sandbox.set_clock("2026-03-02T00:00:00Z", scale=0)

    assert (len(refusals), set(refusals)) == (100, {DAY})
    assert used == {"minute": 0, "day": 20}
    assert await _statuses(provider, 1) == [200]


async def test_each_key_has_its_own_budget(sandbox: RunningSandbox, provider: Provider, ljubljana: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    await sandbox.settings(limits_factor=1 / 180)

    assert await _statuses(provider, 2) == [200, 429]
    assert await _statuses(Provider(provider.http, "smk-perth-2"), 2) == [200, 429]
    assert await _statuses(ljubljana, 2) == [200, 429]


async def test_the_refusal_can_be_json_as_the_description_shows_it(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(limits_factor=0.0001, json_limit_refusals=True)
    await provider.get("vendor.json")

    answer = await provider.get("vendor.json")

    assert answer.status_code == 429
    assert answer.json() == {"errorCode": 429, "message": MINUTE}


async def test_a_write_over_the_limit_does_nothing(sandbox: RunningSandbox, provider: Provider):
    job = await provider.quote()
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    await sandbox.settings(limits_factor=1 / 180)
    await provider.get("vendor.json")

    assert (await provider.post(f"job/{job}.json", {"status": "Work Order"})).status_code == 429
    assert (await sandbox.record("job", job))["status"] == "Quote"


async def test_control_requests_and_wrong_keys_cost_nothing(sandbox: RunningSandbox, provider: Provider):
    await Provider(provider.http, "smk-wrong").get("vendor.json")

    assert (await sandbox.counters())["limits"] == {key: {"minute": 0, "day": 0} for key in ("smk-perth", "smk-perth-2", "smk-ljubljana")}
