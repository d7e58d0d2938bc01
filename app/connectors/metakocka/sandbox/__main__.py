"""`python -m app.connectors.metakocka.sandbox`: the sandbox by itself, with its control routes on."""

import argparse

import msgspec

from app.connectors.sandbox_kit.program import config_on_stdin, program_name, serve

from .app import create_app
from .config import CompanyConfig, SandboxConfig, Sizes

SIZES = Sizes.__struct_fields__


def main() -> None:
    """Read the arguments and serve until a signal."""
    arguments = _parser().parse_args()
    config = config_on_stdin(SandboxConfig) if arguments.config_on_stdin else _config(arguments)
    serve("Metakocka", arguments.host, arguments.port, create_app(config))


def _parser() -> argparse.ArgumentParser:
    company, sizes = CompanyConfig(), Sizes()
    parser = argparse.ArgumentParser(prog=program_name(__package__), description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8110, help="0 takes a free one")
    parser.add_argument("--company-id", default=company.company_id)
    parser.add_argument("--secret-key", default=company.secret_key)
    parser.add_argument("--seed", type=int, default=1, help="another number makes other records of the same kinds")
    for name in SIZES:
        parser.add_argument(f"--{name}", type=int, default=getattr(sizes, name), help=f"how many {name} to start with")
    parser.add_argument("--sound", action="store_true", help="no records that are broken on purpose")
    parser.add_argument("--quota", type=int, help="calls a minute, beyond which opr_code 5 is told")
    parser.add_argument("--requests-per-second", type=int, help="calls a second, beyond which opr_code 5 is told")
    parser.add_argument("--concurrent-calls", type=int, help="calls at the same time, beyond which opr_code 5 is told")
    parser.add_argument("--clock-scale", type=float, default=1.0, help="sandbox seconds for a real one; limits and waits follow it")
    parser.add_argument("--config-on-stdin", action="store_true", help="one line of JSON instead; the sandbox ends when its input does")
    return parser


def _config(arguments: argparse.Namespace) -> SandboxConfig:
    given = {
        "companies": [{"company_id": arguments.company_id, "secret_key": arguments.secret_key}],
        "seed": arguments.seed,
        "sizes": {name: getattr(arguments, name) for name in SIZES},
        "broken_records": not arguments.sound,
        "quota_per_minute": arguments.quota,
        "requests_per_second": arguments.requests_per_second,
        "concurrent_calls": arguments.concurrent_calls,
        "clock_scale": arguments.clock_scale,
        "control": True,
    }
    return msgspec.convert(given, type=SandboxConfig)


if __name__ == "__main__":
    main()
