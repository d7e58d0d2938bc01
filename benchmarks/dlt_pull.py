"""The same pull as benchmarks/pulling.py, done with dlt: merged into Postgres by the partner's id, from the same pages.

Runs in a virtual environment of its own, which benchmarks/sync.py makes; nothing of the hub is imported.
As dlt comes, nested lists become tables of their own; with the argument `flat` they stay JSON in the one table.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import dlt
from dlt.common import json as dlt_json
from dlt.sources.helpers import requests

PAGE_SIZE = 1000


def main() -> None:
    where = json.load(sys.stdin)
    pipeline = dlt.pipeline(
        "crosswalk_benchmark",
        pipelines_dir=where["data_dir"] + "/dlt",
        # A host is required; the one in the query, a folder with a socket, is the one that counts.
        destination=dlt.destinations.postgres(credentials=where["admin_url"].replace("@/", "@localhost/")),
        dataset_name="partners_by_dlt",
    )
    results = {}
    for name in where["passes"].split():
        wall, cpu = time.perf_counter(), time.process_time()
        pipeline.run(partners(where)).raise_on_failed_jobs()
        seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        records = pipeline.last_trace.last_normalize_info.row_counts["partners"]
        assert _rows(pipeline) == records, "not everything was merged"
        results[name] = {
            "records": records,
            "records_per_second": records / seconds,
            "cpu_seconds": cpu_seconds,
            "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    print(json.dumps(results))


def _rows(pipeline: dlt.Pipeline) -> int:
    with pipeline.sql_client() as client:
        return int(client.execute_sql("SELECT count(*) FROM partners")[0][0])


@dlt.resource(name="partners", write_disposition="merge", primary_key="mk_id", max_table_nesting=0 if sys.argv[1:] == ["flat"] else None)
def partners(where: dict[str, str]) -> Iterator[list[dict[str, Any]]]:
    """Pages until one is empty."""
    offset = 0
    while True:
        body = {"secret_key": where["secret_key"], "company_id": where["company_id"], "offset": str(offset), "limit": str(PAGE_SIZE)}
        reply = dlt_json.loadb(requests.post(where["sandbox_url"] + "/rest/eshop/v1/get_partner", json=body).content)
        page = reply.get("partner_list")
        if not page:
            return
        yield page
        offset += len(page)


if __name__ == "__main__":
    main()
