"""Commands that only calculate: no database, no clock."""

import json
from decimal import Decimal, InvalidOperation

import click

from experience.releases import gate as launch


class Percent(click.ParamType[Decimal]):
    """A percentage kept exactly as written, such as 59.99."""

    name = "percent"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The number, or a usage error."""
        try:
            return Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} 不是数字 · is not a number", param, ctx)


@click.command()
@click.option("--approvals", required=True, type=int)
@click.option("--total", required=True, type=int)
@click.option("--threshold", default="60", show_default=True, type=Percent(), help="Percent of approvals needed.")
@click.option("--minimum", default=launch.MINIMUM, show_default=True, type=click.IntRange(min=0))
def gate(approvals: int, total: int, threshold: Decimal, minimum: int) -> None:
    """上线门禁算术 · launch-gate arithmetic: pass, vetoed or undecidable, with rate and interval, as JSON."""
    found = launch.decide(approvals, total, threshold_percent=threshold, minimum=minimum)
    shown = {
        "decision": found.decision,
        "approvals": found.approvals,
        "total": found.total,
        "rate": None if found.rate is None else round(found.rate, 6),
        "interval": None if found.low is None or found.high is None else [round(found.low, 6), round(found.high, 6)],
        "threshold": float(found.threshold_percent),
        "minimum": found.minimum,
    }
    click.echo(json.dumps(shown, ensure_ascii=False))
