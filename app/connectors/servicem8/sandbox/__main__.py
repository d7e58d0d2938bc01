"""`python -m app.connectors.servicem8.sandbox`: the sandbox by itself, with its control routes on."""

import argparse

import msgspec

from app.connectors.sandbox_kit.program import config_on_stdin, program_name, serve

from .app import create_app
from .config import AccountConfig, SandboxConfig
from .seed import demo_config


def main() -> None:
    """Read the arguments and serve until a signal."""
    arguments = _parser().parse_args()
    serve("ServiceM8", arguments.host, arguments.port, create_app(_config(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program_name(__package__), description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one")
    parser.add_argument("--seed", choices=("none", "demo", "companies", "jobs"), default="none")
    parser.add_argument("--count", type=int, default=1000, help="how many companies or jobs to seed")
    parser.add_argument("--api-key", action="append", default=[], help="again for the demo's second account")
    parser.add_argument("--page-size", type=int, default=1000)
    parser.add_argument("--limits-factor", type=float, default=1.0, help="multiplies the request limits; 0 switches them off")
    parser.add_argument("--config-on-stdin", action="store_true", help="one line of JSON instead; the sandbox ends when its input does")
    return parser


def _config(arguments: argparse.Namespace) -> SandboxConfig:
    if arguments.config_on_stdin:
        return config_on_stdin(SandboxConfig)
    return msgspec.structs.replace(
        _accounts(arguments.seed, arguments.api_key),
        page_size=arguments.page_size,
        limits_factor=arguments.limits_factor or None,
        control=True,
        seed=arguments.seed,
        seed_count=arguments.count,
    )


def _accounts(seed: str, api_keys: list[str]) -> SandboxConfig:
    if seed == "demo":
        return demo_config(*api_keys)
    return SandboxConfig(accounts=(AccountConfig(api_keys=tuple(api_keys)),)) if api_keys else SandboxConfig()


if __name__ == "__main__":
    main()
