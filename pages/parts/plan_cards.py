"""How do a month's bill and the budget read on a card, on every page that shows them?"""

from __future__ import annotations

import math

from core.costs.monthly import Simulation, WayResult
from pages.parts import widgets
from pages.parts.monthly_charts import plain_money
from pages.parts.state import fmt, tr

LEVEL_SHARE = 0.005
"""Months that differ by less cost the same a month."""


def month_value(way: WayResult, simulation: Simulation) -> tuple[str, str]:
    """The first month's bill, `/mo` with it where every month costs the same, else words for the note beside it."""
    amount = fmt().money_short(float(way.planned_usd[0]))
    known = [usd for usd in way.planned_usd.tolist() if math.isfinite(usd)]
    if not known or max(known) - min(known) <= LEVEL_SHARE * abs(max(known)):
        return f"{amount} {tr('common.per_month')}", ""
    return amount, season_text(simulation) or tr("monthly_cost.in_first_month")


def season_text(simulation: Simulation) -> str:
    """Which month the first one is, where a season makes it unlike others; nothing without a season."""
    if not simulation.workload.seasonality:
        return ""
    month, year = fmt().month(simulation.starts[0])
    return tr("monthly_cost.in_season", month=month, year=year)


def budget_card(simulation: Simulation, way: WayResult) -> None:
    """How likely a way costs more than the budget of all months, and what it is planned over or under that."""
    budget = simulation.workload.budget_usd_per_month
    chance, worst = way.total_over_budget_share, way.over_budget_share
    if budget is None or chance is None or worst is None or way.total_usd is None:
        return
    show, months = fmt(), len(simulation.starts)
    over = way.total_usd - budget * months
    widgets.card(
        tr("monthly_cost.risk"), show.percent(chance),
        tr(f"monthly_cost.{'over' if over > 0 else 'under'}_as_planned", name=way.name,
           amount=show.money_short(abs(over))),
        is_good=over <= 0,
        explained=tr(
            "monthly_cost.risk_help", name=way.name, months=widgets.months_text(months), budget=plain_money(budget),
            total=plain_money(budget * months), paths=show.number(simulation.path_count),
            share=show.percent(float(worst.max())),
        ),
    )  # fmt: skip
