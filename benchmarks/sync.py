"""Pull of 50,000 partners from Metakocka's sandbox, beside the simplest loop that does the same work and beside dlt.

    .venv/bin/python benchmarks/sync.py [--records 50000] [--rounds 3] [--only hub,bare]
    .venv/bin/python benchmarks/sync.py --memory          # peak memory of 100,000 and of 1,000,000 records

All read the same pages over local HTTP without limits. The bare loop fetches, decodes and upserts into one table, a page
at a time, and does nothing else: no tenants, no mapping, no checkpoints, no payloads. The hub does all that it promises.
dlt merges by the partner's id, once as it comes, with tables of their own for nested lists, and once flat, with those as
JSON in the one table; it is installed on demand into benchmarks/.venv-dlt and is no part of the project.

Each round has new servers, and each subject a process of its own; the subjects take turns. The sandbox, warmed up by one
walk, and Postgres run in processes of their own: CPU seconds and peak memory are those of the measured process.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import venv
from pathlib import Path

import asyncpg
import httpx

from app.connectors.metakocka.sandbox.config import SandboxConfig, Sizes
from app.connectors.metakocka.sandbox.testing import RunningSandbox, start_sandbox
from app.embedded import Embedded
from benchmarks.pulling import PAGE_SIZE, PASSES, Where
from benchmarks.servers import own_servers

HERE = Path(__file__).resolve().parent
DLT = HERE / ".venv-dlt"
DLT_VERSION = "1.31.0"
SUBJECTS = ("bare", "hub", "dlt", "dlt flat")

Figures = dict[str, dict[str, float]]
"""By pass."""


def main() -> None:
    arguments = _arguments()
    print(f"load before: {os.getloadavg()[0]:.2f}")
    if arguments.memory:
        _compare_memory(arguments.memory_records)
    else:
        _compare(arguments.records, arguments.rounds, arguments.only.split(","))
    print(f"load after: {os.getloadavg()[0]:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(SUBJECTS), help="subjects, separated by commas")
    parser.add_argument("--memory", action="store_true", help="compare peak memory instead")
    parser.add_argument("--memory-records", type=int, nargs=2, default=(100_000, 1_000_000))
    return parser.parse_args()


def _compare(records: int, rounds: int, subjects: list[str]) -> None:
    sandbox = _sandbox(records)
    try:
        found: dict[str, list[Figures]] = {subject: [] for subject in subjects}
        for number in range(rounds):
            turn = subjects[number % len(subjects) :] + subjects[: number % len(subjects)]
            for subject, figures in _round(sandbox, turn, PASSES).items():
                found[subject].append(figures)
                print(f"round {number + 1}: {subject} {_in_short(figures)}", file=sys.stderr)
    finally:
        sandbox.stop()
    _print(records, found)


def _sandbox(records: int) -> RunningSandbox:
    """Without records that are broken on purpose; the first walk, which makes the partners, is not measured."""
    sandbox = start_sandbox(SandboxConfig(sizes=Sizes(partners=records), broken_records=False))
    body = {"secret_key": sandbox.secret_key, "company_id": sandbox.company_id, "limit": str(PAGE_SIZE)}
    with httpx.Client(base_url=sandbox.url) as client:
        for offset in range(0, min(records, 60 * PAGE_SIZE), PAGE_SIZE):
            client.post("/rest/eshop/v1/get_partner", json=body | {"offset": str(offset)}).raise_for_status()
    return sandbox


def _round(sandbox: RunningSandbox, subjects: list[str], passes: tuple[str, ...]) -> dict[str, Figures]:
    with own_servers() as (folder, servers):
        where = _where(sandbox, servers, folder) | {"passes": " ".join(passes)}
        figures = {}
        for subject in subjects:
            asyncio.run(_run_in(servers))
            figures[subject] = _measure(subject, where)
        return figures


async def _run_in(servers: Embedded) -> None:
    """Leave WAL files to use again, as a server that has been running has: 600 MB are written, and a checkpoint frees them.

    A new one makes each of them at somebody's commit, which takes that 50 ms for 16 MB.
    """
    connection = await asyncpg.connect(servers.admin_url)
    await connection.execute("CREATE TABLE written AS SELECT repeat('x', 1000) FROM generate_series(1, 600000)")
    await connection.execute("DROP TABLE written")
    await connection.execute("CHECKPOINT")
    files = await connection.fetchval("SELECT count(*) FROM pg_ls_waldir()")
    await connection.close()
    assert files > 10, f"{files} WAL files are too few to have been freed"


def _where(sandbox: RunningSandbox, servers: Embedded, folder: Path) -> Where:
    return {
        "database_url": servers.app_url,
        "admin_url": servers.owner_url,
        "redis_url": servers.redis_url,
        "data_dir": str(folder),
        "sandbox_url": sandbox.url,
        "company_id": sandbox.company_id,
        "secret_key": sandbox.secret_key,
    }


def _measure(subject: str, where: Where) -> Figures:
    name, *variant = subject.split()
    ours = [sys.executable, "-m", "benchmarks.pulling", name]
    command = [str(_dlt_python()), str(HERE / "dlt_pull.py"), *variant] if name == "dlt" else ours
    environment = os.environ | {"DLT_DATA_DIR": where["data_dir"], "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, input=json.dumps(where), stdout=subprocess.PIPE, text=True, check=True, cwd=HERE.parent, env=environment)
    measured: Figures = json.loads(done.stdout.splitlines()[-1])
    return measured


def _dlt_python() -> Path:
    """The interpreter of dlt's virtual environment, which is made when it is not there."""
    python = DLT / "bin" / "python"
    if not (DLT / "complete").exists():
        venv.create(DLT, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"dlt[postgres]=={DLT_VERSION}"], check=True)
        (DLT / "complete").touch()
    return python


def _print(records: int, found: dict[str, list[Figures]]) -> None:
    """The median of each figure over the rounds; ratios are those of one round, and their median is shown."""
    print(f"\n{records:,} partners, pages of {PAGE_SIZE:,}, median of {len(next(iter(found.values())))} rounds\n")
    print("| pass | subject | records/s | CPU s | peak MB | of the bare loop |\n|---|---|---|---|---|---|")
    for name in PASSES:
        for subject, rounds in found.items():
            figures = {key: statistics.median(one[name][key] for one in rounds) for key in rounds[0][name]}
            print(
                f"| {name} | {subject} | {figures['records_per_second']:,.0f} | {figures['cpu_seconds']:.1f}"
                f" | {figures['peak_megabytes']:.0f} | {_ratio(found, name, subject, 'bare')} |"
            )
    for name, other in itertools.product(PASSES, ("dlt", "dlt flat")):
        print(f"\n{name}: {_ratio(found, name, 'hub', other)} times as fast as {other}", end="")
    written = [one["unchanged"]["rows_written"] for one in found.get("hub", [])]
    print(f"\nrows that the hub wrote for unchanged records: {max(written, default='-')}")


def _ratio(found: dict[str, list[Figures]], name: str, subject: str, base: str) -> str:
    if subject not in found or base not in found:
        return "-"
    pairs = zip(found[subject], found[base], strict=True)
    ratios = [one[name]["records_per_second"] / other[name]["records_per_second"] for one, other in pairs]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _in_short(figures: Figures) -> str:
    return ", ".join(f"{name} {one['records_per_second']:,.0f}/s" for name, one in figures.items())


def _compare_memory(sizes: tuple[int, int]) -> None:
    peaks = []
    for records in sizes:
        sandbox = _sandbox(records)
        try:
            figures = _round(sandbox, ["hub"], ("first",))["hub"]["first"]
        finally:
            sandbox.stop()
        peaks.append(figures["peak_megabytes"])
        print(f"{records:,} records: peak {figures['peak_megabytes']:.0f} MB, {figures['records_per_second']:,.0f} records/s")
    print(f"peak of {sizes[1]:,} records: {peaks[1] / peaks[0] - 1:+.0%}")


if __name__ == "__main__":
    main()
