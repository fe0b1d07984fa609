"""Reads about surveys: the surveys themselves, their publications, their responses and numbers."""

from surveys.queries.lists import editable, publications, survey, visible

__all__ = ["editable", "publications", "survey", "visible"]
