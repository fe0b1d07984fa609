"""Touchpoints as staff see them: the map, one touchpoint, and how to put the probe on a page."""

from flask import Blueprint

bp = Blueprint(
    "probe_pages", __name__, template_folder="templates", static_folder="static", static_url_path="/probes/static"
)
