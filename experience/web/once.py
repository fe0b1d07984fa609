"""Take a page's form once: sending it twice does the act once and leads to the same place."""

import secrets
from collections.abc import Callable

from flask import redirect, request
from werkzeug.wrappers import Response

from experience.organisation.operations.repeats import Repeat, remember, seen_before
from experience.web import door

SEE_OTHER = 303


def form_token() -> str:
    """A fresh token for one sending of one form."""
    return secrets.token_urlsafe(12)


def once(act: Callable[[], str]) -> Response:
    """Does the act unless this form was taken before, and redirects to where it says; commits both together.

    The act raises the house's refusals, which leave nothing behind: the door rolls back.
    """
    token = request.form.get("form_token", "")
    repeat = Repeat(f"page:{door.scope().user_id}", token, request.path)
    if token:
        seen = seen_before(door.db(), repeat)
        if seen is not None:
            return redirect(seen[1], SEE_OTHER)
    where = act()
    if token:
        remember(door.db(), repeat, (SEE_OTHER, where), now=door.now())
    door.commit()
    return redirect(where, SEE_OTHER)
