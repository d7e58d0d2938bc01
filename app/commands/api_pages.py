"""The pages of docs/ about the API that are made from the code."""

from pathlib import Path

from app.api.schema import schema
from app.commands.api_errors import errors_page
from app.commands.api_reference import named_operations, reference


def pages() -> dict[str, str]:
    """Their texts by the names of their files."""
    return {
        "api-reference.md": reference(schema()._schema, named_operations()),
        "api-errors.md": errors_page(),
    }


def write(folder: Path) -> None:
    for name, text in pages().items():
        (folder / name).write_text(text)


def differing(folder: Path) -> list[Path]:
    """Those that are not as the code says."""
    return [folder / name for name, text in pages().items() if not (folder / name).exists() or (folder / name).read_text() != text]
