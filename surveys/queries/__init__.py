"""Reads about surveys: the surveys themselves, their publications, their responses and numbers."""

from surveys.queries.lists import (
    customer_id,
    editable,
    first_site,
    open_definitions,
    owner,
    publications,
    survey,
    surveys,
    visible,
)

__all__ = [
    "customer_id",
    "editable",
    "first_site",
    "open_definitions",
    "owner",
    "publications",
    "survey",
    "surveys",
    "visible",
]
