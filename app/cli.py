"""The command line, a table of contents: each command reads the settings and calls one thing."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from app.errors import HubError
from app.settings import Settings

Organization = Annotated[str | None, typer.Option(help="the slug; needed where there are several")]


class Commands(TyperGroup):
    """A refusal is a sentence on standard error and exit status 1, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except HubError as error:
            sentence: str | None = error.message
        except Exception as error:
            sentence = _of_a_server(error)
            if sentence is None:
                raise
        typer.echo(sentence, err=True)
        raise typer.Exit(1)


def _of_a_server(error: Exception) -> str | None:
    """A sentence for what a named server did or did not do; None for any other error, which is a fault of ours."""
    import asyncpg
    from redis.exceptions import RedisError

    if not isinstance(error, ConnectionError | TimeoutError | asyncpg.PostgresError | asyncpg.InterfaceError | RedisError):
        return None
    return f"A server cannot be used ({type(error).__name__}: {error}). `crosswalk doctor` looks closer."


def _group(text: str) -> typer.Typer:
    return typer.Typer(cls=Commands, help=text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


app = _group("Crosswalk keeps business systems in step. Settings are environment variables; `crosswalk doctor` explains them.")


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(help="the first port to try", min=1, max=65535)] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="forget what earlier demos left")] = False,
    once: Annotated[bool, typer.Option("--once", help="exercise the main job, print one JSON line, end")] = False,
    external: Annotated[bool, typer.Option("--external", help="use the servers that the environment names")] = False,
) -> None:
    """Run the whole hub with a demo organization and a sandbox for ServiceM8, and print links that work."""
    from app.demo.command import Options, run

    if not run(Options(port=port, fresh=fresh, once=once, external=external)):
        raise typer.Exit(1)


@app.command()
def dev() -> None:
    """Run everything in one terminal: the hub's own servers (unless others are named), migrations, web and worker."""
    from app.commands import dev as command

    command.run(command.settings_for_dev(), tell=_tell)


@app.command()
def serve() -> None:
    """Run the web process: GraphQL API, client portal, operator console."""
    from app.commands.serving import serve

    serve(Settings.from_environment())


@app.command()
def worker() -> None:
    """Run a worker process; any number may run, on any machines."""
    from app.commands.serving import work

    work(Settings.from_environment())


@app.command()
def migrate() -> None:
    """Bring the database up to date. Safe to run at every start, from any number of machines at once."""
    from app.commands.servers import migrate_now, names_servers, with_servers

    settings = Settings.from_environment()
    if settings.database_owner_url or names_servers(settings):
        migrate_now(settings)
    else:
        with with_servers(settings):
            pass
    _tell("The database is up to date.")


@app.command()
def doctor() -> None:
    """Explain every setting, and look at everything that the hub leans on. Exit status 1 if something is bad."""
    from app.commands.doctor_page import show

    if not asyncio.run(show(Settings.from_environment())):
        raise typer.Exit(1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
def sandbox(context: typer.Context, provider: Annotated[str, typer.Argument(help="servicem8, …")]) -> None:
    """Run a provider's sandbox, a local imitation of it; what follows the name goes to the sandbox (--help lists it)."""
    from app.commands.sandbox import run

    run(provider, context.args)


@app.command()
def connectors() -> None:
    """List the providers that can be connected, and what is read and done there."""
    from app.commands.administration import connector_lines

    for line in connector_lines():
        _tell(line)


@app.command("sign-in")
def sign_in(email: str, organization: Organization = None) -> None:
    """Print a link with which a person signs in at the console, once."""
    from app.commands.administration import sign_in_link
    from app.commands.hub import on_hub

    _tell(on_hub(lambda hub: sign_in_link(hub, organization, email)))


organizations = _group("Organizations: the tenants of this deployment.")
app.add_typer(organizations, name="organization")


@organizations.command("create")
def create_organization(
    name: str,
    slug: Annotated[str, typer.Option(help="its part of an address: /console/SLUG")],
    owner_email: Annotated[str, typer.Option(help="who signs in first")],
    owner_name: Annotated[str, typer.Option()] = "Owner",
    time_zone: Annotated[str, typer.Option(help="such as Europe/Ljubljana")] = "UTC",
) -> None:
    """Make an organization and print its owner's first sign-in link."""
    from app.commands import administration
    from app.commands.hub import on_hub

    values = {"slug": slug, "owner_email": owner_email, "owner_name": owner_name, "time_zone": time_zone}
    _tell(on_hub(lambda hub: administration.create_organization(hub, name, **values)))


tokens = _group("API tokens: how programs prove who they are.")
app.add_typer(tokens, name="token")


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="what the token is for")] = "Command line",
    role: Annotated[str, typer.Option(help="owner, operator or viewer")] = "operator",
    days: Annotated[int | None, typer.Option(min=1, help="how long it works; for ever without it")] = None,
    organization: Organization = None,
) -> None:
    """Make an API token and print it; it is shown this once."""
    from app.commands import administration
    from app.commands.hub import on_hub

    _tell(on_hub(lambda hub: administration.create_token(hub, organization, name=name, role=role, days=days)))


syncs = _group("Syncs.")
app.add_typer(syncs, name="sync")


@syncs.command("run")
def run_sync(
    connection: UUID,
    stream: Annotated[list[str] | None, typer.Option(help="again for several; all without it")] = None,
    full: Annotated[bool, typer.Option("--full", help="read everything, not only what changed")] = False,
    wait: Annotated[bool, typer.Option(help="watch the run to its end")] = True,
    organization: Organization = None,
) -> None:
    """Start a sync run of a connection; a worker must be running. Exit status 1 if it does not complete."""
    from app.commands.hub import on_hub
    from app.commands.syncing import run

    mode = "full" if full else "incremental"
    if not on_hub(lambda hub: run(hub, organization, connection, streams=stream or (), mode=mode, wait=wait, tell=_tell)):
        raise typer.Exit(1)


schemas = _group("The GraphQL schema.")
app.add_typer(schemas, name="schema")


@schemas.command("export")
def export_schema(
    path: Annotated[Path, typer.Argument()] = Path("graphql/schema.graphql"),
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit status 1 if the file differs")] = False,
) -> None:
    """Write the schema to a file."""
    from app.commands import administration

    if not administration.export_schema(path, check=check):
        _tell(f"{path} is not what the code says; run `crosswalk schema export`.")
        raise typer.Exit(1)


@schemas.command("docs")
def document_schema(
    folder: Annotated[Path, typer.Argument()] = Path("docs"),
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit status 1 if a page differs")] = False,
) -> None:
    """Write the pages about the API that are made from the code: the reference and the list of errors."""
    from app.commands.api_pages import differing, write

    if not check:
        write(folder)
    elif pages := differing(folder):
        _tell(f"Not what the code says: {', '.join(map(str, pages))}; run `crosswalk schema docs`.")
        raise typer.Exit(1)


@schemas.command("explain")
def explain_schema(
    path: Annotated[Path, typer.Argument(help="a file of GraphQL queries")],
    variables: Annotated[str, typer.Option(help="their variables, as JSON")] = "{}",
    role: Annotated[str, typer.Option(help="owner, operator, viewer or client_contact")] = "operator",
) -> None:
    """Print the SQL that each query becomes, and why a field is answered by its resolver instead."""
    from app.commands.explaining import explained

    for line in explained(path.read_text(), variables, role):
        typer.echo(line)


audits = _group("The audit log.")
app.add_typer(audits, name="audit")


@audits.command("verify")
def verify_audit(organization: Organization = None) -> None:
    """Walk the hash chain of every organization. Exit status 1 if one is broken."""
    from app.commands import administration
    from app.commands.hub import on_hub

    lines, whole = on_hub(lambda hub: administration.verify_audit(hub, organization))
    for line in lines:
        _tell(line)
    if not whole:
        raise typer.Exit(1)


def _tell(line: str) -> None:
    print(line, file=sys.stdout, flush=True)


if __name__ == "__main__":
    app()
