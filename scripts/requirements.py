"""Writes docs/requirements.md: every required capability with the tests that prove it, or *open*.

The rows are in docs/requirements.tsv; a test proves a row by carrying its id: @pytest.mark.requirement("SM8-14").
A row may name its GraphQL equivalent and remark on what the hub does instead.
`python scripts/requirements.py` writes the page, `--check` only says whether it is in step.
"""

import ast
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = ROOT / "docs" / "requirements.tsv"
PAGE = ROOT / "docs" / "requirements.md"
MOST_IDS = 3
_FAMILIES = {
    "MKD": "Metakocka: sales documents",
    "MKC": "Metakocka: contacts",
    "ERP": "ERP integration",
    "AMZ": "Amazon",
    "SM8": "ServiceM8 and the client portal",
}


def marked_tests() -> dict[str, list[str]]:
    """Requirement id → the tests that carry it. Raises ValueError for an unknown id or too many at one test."""
    known = {row["id"] for row in rows()}
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, ids in _marks(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(ROOT).as_posix()}::{name}"
            if len(ids) > MOST_IDS or not known.issuperset(ids):
                raise ValueError(f"{where} names {ids}: at most {MOST_IDS} ids, and only known ones.")
            for identifier in ids:
                found[identifier].append(where)
    return found


def _marks(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            ids = [
                argument.value
                for decorator in node.decorator_list
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.requirement"
                for argument in decorator.args
                if isinstance(argument, ast.Constant)
            ]
            if ids:
                yield node.name, ids


def rows() -> list[dict[str, str]]:
    with ROWS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, restval=""))


def page() -> str:
    """The page as it should be."""
    tests = marked_tests()
    proven = sum(1 for row in rows() if row["id"] in tests)
    lines = [
        "# Required capabilities",
        "",
        "Made by `scripts/requirements.py` from the tests' marks; do not edit. "
        f"{proven} of {len(rows())} rows are proven by a test, the others are *open*.",
    ]
    family = ""
    for row in rows():
        if (prefix := row["id"].split("-")[0]) != family:
            family = prefix
            lines += ["", f"## {_FAMILIES[family]}", "", "| id | capability | tests |", "|---|---|---|"]
        where = "<br>".join(f"`{test}`" for test in tests.get(row["id"], [])) or "*open*"
        lines.append(f"| {row['id']} | {_capability(row)} | {where} |")
    return "\n".join(lines) + "\n"


def _capability(row: dict[str, str]) -> str:
    operations = ", ".join(f"`{name}`" for name in equivalents(row))
    remark = f"*{row['remark']}*" if row["remark"] else ""
    return "<br>".join(filter(None, (row["capability"], f"GraphQL: {operations}" if operations else "", remark)))


def equivalents(row: dict[str, str]) -> list[str]:
    """The root fields that do what the row asks for, some with the argument that matters: `mappings(externalId)`."""
    return [name.strip() for name in row["graphql"].split(",") if name.strip()]


def main() -> int:
    wanted = page()
    if "--check" in sys.argv:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
            return 0
        print("docs/requirements.md is not in step with the tests; run python scripts/requirements.py")
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
