"""How `crosswalk doctor` looks."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from app.commands.doctor import examine, setting_lines
from app.commands.findings import Finding, Verdict
from app.settings import Settings

# A word and a sign: the meaning never stands on colour alone.
SIGNS = {Verdict.GOOD: ("✓", "green"), Verdict.ATTENTION: ("!", "yellow"), Verdict.BAD: ("✗", "red")}


async def show(settings: Settings, console: Console | None = None) -> bool:
    """Print the settings and the findings; whether nothing is bad."""
    console = console or Console()
    _print_settings(settings, console)
    console.print()
    worst = Verdict.GOOD
    async for finding in examine(settings):
        console.print(_line(finding), highlight=False, soft_wrap=True)
        worst = Verdict.BAD if finding.verdict is Verdict.BAD else worst
    return worst is not Verdict.BAD


def _print_settings(settings: Settings, console: Console) -> None:
    for variable, value, meaning in setting_lines(settings):
        console.print(f"[bold]{variable}[/bold] = {escape(value)}", highlight=False, soft_wrap=True)
        console.print(Padding(escape(meaning), (0, 0, 0, 4)), highlight=False, style="dim", soft_wrap=not console.is_terminal)


def _line(finding: Finding) -> str:
    sign, colour = SIGNS[finding.verdict]
    word = "" if finding.verdict is Verdict.GOOD else f"{finding.verdict.value}: "
    return f"[{colour}]{sign}[/{colour}] [bold]{finding.subject}[/bold]: {word}{escape(finding.sentence)}"
