"""How many rows a page's whole list has, where the ordinary executor answers the page: the same statement's count."""

from typing import Any, cast
from uuid import UUID

from graphql.execution.values import VariableValues, get_argument_values

from app.api.context import Info
from app.api.reads.planner import Planner
from app.api.reads.selections import Selections
from app.api.reads.statement import Values
from app.api.reads.viewers import environment_of, viewer_of
from app.database import fetch_value


async def total(info: Info, of: UUID | None = None) -> int:
    """The count of the list that the field `info` is of; `of` is the id of the row that the list belongs to."""
    raw = info._raw_info
    # The library hands resolvers the coerced values alone; where they came from matters for nothing here.
    actor, variables = info.context.actor, VariableValues({}, cast(dict[str, Any], raw.variable_values))
    selections = Selections(raw.schema, raw.fragments, variables)
    planner = Planner(viewer_of(actor), selections, lambda definition, node: get_argument_values(definition, node, variables))
    sql = planner.total(raw.parent_type, raw.field_nodes, of)
    arguments = [get_argument_values(definition, node, variables) for definition, node in planner.calls]
    values = Values(actor.organization_id, actor.scope.client_id, environment_of(info.context.hub), arguments)
    return int(await fetch_value(actor.scope, sql, *(binder(values) for binder in planner.binders)))
