"""JMESPath expressions under guard, for what a plain path cannot read. Pull only.

What an expression may be is checked when it is saved; what it may cost is limited while it runs: a budget of visits for
each record, and a cap on every list and text. The check matters most: piped multi-selects share what they hold, so they
double with each step for almost no visits. JMESPath's own words about a wrong type would write the whole value out.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

import jmespath.exceptions
import jmespath.functions
import jmespath.parser
import jmespath.visitor

LONGEST = 500
"""Characters of an expression."""
MULTI_SELECTS = 2
DEEPEST = 50
"""Levels of an expression's parts within each other."""
VISITS = 20_000
"""Steps that all expressions may take for one record."""
LARGEST = 10_000
"""Elements of a list, characters of a text; elements of all that an expression gives."""
MOST_CHARACTERS = 100_000
"""Of all texts that an expression gives."""

_TAKE_EXPRESSIONS = frozenset({"map", "sort_by", "max_by", "min_by"})
_Node = dict[str, Any]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def reader(expression: str) -> Callable[[Any, "Evaluation"], Any]:
    """Reads by the checked expression, within a record's evaluation. Raises ValueError with a sentence."""
    tree = parse(expression)
    return lambda document, evaluation: evaluation.search(tree, document)


def names(expression: str) -> frozenset[str]:
    """The keys that an expression reads, wherever it reads them."""
    return frozenset(node["value"] for node, _, _ in _nodes(parse(expression)) if node["type"] == "field")


def parse(expression: str) -> _Node:
    """The tree of an expression, checked. Raises ValueError with a sentence."""
    if len(expression) > LONGEST:
        raise ValueError(f"the expression has {len(expression)} characters; at most {LONGEST} are allowed")
    try:
        tree: _Node = jmespath.parser.Parser().parse(expression).parsed
    except jmespath.exceptions.LexerError as error:
        raise ValueError(f"the expression cannot be read at character {error.lex_position + 1}") from None
    except jmespath.exceptions.ParseError as error:
        raise ValueError(f"the expression cannot be read at character {(error.lex_position or 0) + 1}") from None
    except (jmespath.exceptions.JMESPathError, RecursionError, ValueError):
        raise ValueError("the expression cannot be read") from None
    _check(tree)
    return tree


def _check(tree: _Node) -> None:
    multi_selects = 0
    for node, parent, depth in _nodes(tree):
        multi_selects += node["type"] in ("multi_select_list", "multi_select_dict")
        if depth > DEEPEST:
            raise ValueError(f"the expression is nested more than {DEEPEST} levels deep")
        if multi_selects > MULTI_SELECTS:
            raise ValueError(f"the expression has more than {MULTI_SELECTS} lists or objects that it makes")
        if node["type"] == "function_expression":
            _check_call(node)
        if node["type"] == "expref" and not (parent and parent.get("value") in _TAKE_EXPRESSIONS):
            raise ValueError("& belongs before an argument of map, sort_by, max_by or min_by")


def _nodes(tree: _Node) -> Iterator[tuple[_Node, _Node | None, int]]:
    """Every node with its parent and depth, without recursion. A slice's children are numbers."""
    waiting: list[tuple[_Node, _Node | None, int]] = [(tree, None, 1)]
    while waiting:
        node, parent, depth = waiting.pop()
        yield node, parent, depth
        waiting += [(child, node, depth + 1) for child in node["children"] if isinstance(child, dict)]


def _check_call(node: _Node) -> None:
    function = _Functions.FUNCTION_TABLE.get(node["value"])
    if function is None:
        raise ValueError(f"there is no function {node['value'][:40]}()")
    wanted, given = function["signature"], len(node["children"])
    variadic = bool(wanted) and bool(wanted[-1].get("variadic"))
    if given < len(wanted) or (given > len(wanted) and not variadic):
        raise ValueError(f"the function {node['value']}() takes {len(wanted)} arguments, not {given}")


class Evaluation(jmespath.visitor.TreeInterpreter):  # type: ignore[misc]  # jmespath carries no types
    """What all expressions of one record share: the budget."""

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self._left = VISITS

    def search(self, tree: _Node, document: Any) -> Any:
        """The expression's value. Raises ValueError with a sentence."""
        try:
            return _bounded(self.visit(tree, document))
        except TooMuch:
            raise
        except jmespath.exceptions.JMESPathTypeError as error:
            raise ValueError(f"the function {error.function_name}() was given a value of the type {error.actual_type}") from None
        except (TypeError, ArithmeticError, LookupError, AttributeError, RecursionError, ValueError):
            raise ValueError("the expression does not work on this document") from None

    def visit(self, node: _Node, *arguments: Any, **named: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise TooMuch(f"the expressions of this record take more than {VISITS} steps")
        result = super().visit(node, *arguments, **named)
        if isinstance(result, (list, str)) and len(result) > LARGEST:
            raise TooMuch(f"an expression reads or makes more than {LARGEST} elements or characters")
        return result


class TooMuch(ValueError):
    """An expression costs more than it may."""


def _bounded(value: Any) -> Any:
    """The value; copies that it shares with itself would each be written out. Raises TooMuch."""
    elements, characters, waiting = 0, 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            characters += len(one)
        elif isinstance(one, (list, dict)):
            elements += len(one)
            waiting += one.values() if isinstance(one, dict) else one
        if elements > LARGEST or characters > MOST_CHARACTERS:
            raise TooMuch(f"an expression gives more than {LARGEST} elements or {MOST_CHARACTERS} characters")
    return value


def _takes(*types: str) -> Callable[[_Function], _Function]:
    """Marks a function with the types of its arguments, as JMESPath looks for them; none: any."""

    def mark(function: _Function) -> _Function:
        function.signature = [{"types": names.split()} for names in types]  # type: ignore[attr-defined]  # that is the mark
        return function

    return mark


class _Functions(jmespath.functions.Functions):  # type: ignore[misc]  # jmespath carries no types
    """JMESPath's functions with exact numbers and without two that could fill the memory."""

    @_takes("string number boolean null")
    def _func_to_string(self, value: Any) -> str:
        if isinstance(value, bool) or value is None:
            return "null" if value is None else str(value).lower()
        return f"{value:f}" if isinstance(value, Decimal) else str(value)

    @_takes("")
    def _func_to_number(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else None
        try:
            number = Decimal(value.strip())
        except ArithmeticError:
            return None
        return number if number.is_finite() and abs(number.adjusted()) <= 20 else None

    @_takes("string", "array-string")
    def _func_join(self, separator: str, texts: list[str]) -> str:
        if sum(map(len, texts)) + len(separator) * len(texts) > LARGEST:
            raise TooMuch(f"an expression makes a text of more than {LARGEST} characters")
        return separator.join(texts)

    @_takes("")
    def _func_type(self, value: Any) -> str:
        return str(self._convert_to_jmespath_type(type(value).__name__))

    def _get_allowed_pytypes(self, types: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
        allowed, elements = super()._get_allowed_pytypes(types)
        if "float" in allowed:
            allowed.append("Decimal")
        return allowed, [(*names, "Decimal") if "float" in names else names for names in elements]

    def _convert_to_jmespath_type(self, name: str) -> Any:
        return "number" if name == "Decimal" else super()._convert_to_jmespath_type(name)


_OPTIONS = jmespath.visitor.Options(custom_functions=_Functions())
