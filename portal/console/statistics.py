"""What a connection did, day by day, in drawings and in numbers."""

from starlette.requests import Request
from starlette.responses import Response

from portal.console.numbers import charts_of, day_name, rate, sum_of
from portal.console.pages import connection_of, connector_of, staff_page
from portal.session import actor, hub

SECTION = "Connections"
PERIODS = (7, 30, 90)


async def show(request: Request) -> Response:
    connection = await connection_of(request)
    connector, days = connector_of(request, connection), _period(request)
    found = await hub(request).statistics.by_day(actor(request), connection.id, days=days)
    total = sum_of(found)
    return await staff_page(
        request,
        "statistics.html",
        SECTION,
        connection=connection,
        connector=connector,
        days=found,
        period=days,
        periods=PERIODS,
        total=total,
        ever=await hub(request).statistics.total(actor(request), connection.id),
        charts=charts_of(found, total, connector.title),
        day_name=day_name,
        rate=rate,
    )


def _period(request: Request) -> int:
    """One of those that are offered; whatever else an address asks for is the usual one."""
    given = request.query_params.get("days", "")
    return int(given) if given in map(str, PERIODS) else 30
