"""Which machines serve an open model the cheapest, as a way to be compared with calling an API?"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import streamlit as st

from core.costs.model_shapes import model_shapes
from core.costs.monthly import FleetWay
from core.costs.monthly_ways import Floats
from core.costs.selfhost import Operations, monthly_cost_usd
from core.costs.selfhost_ranking import RankedOffer, machine_of, rank_offers
from core.workload import Workload
from pages.parts import state
from pages.parts.state import tr

PRECISION = "fp8"
CACHED_S = 3_600


def open_models() -> list[str]:
    """Models whose shape is known, so that a fleet can be sized for them."""
    return sorted(model_shapes())


@st.cache_resource(show_spinner=False, ttl=CACHED_S, max_entries=64)
def _cheapest(
    _url: str, model: str, requests: int, input_tokens: int, output_tokens: int, peak: float, today: dt.date
) -> RankedOffer | None:
    workload = Workload(
        requests_per_month=requests, input_tokens=input_tokens, output_tokens=output_tokens, peak_to_average=peak
    )
    offers = state.catalog().gpu_offers(purchase_option="on_demand")
    found = rank_offers(offers, model, workload, Operations(), precision=PRECISION, today=today)
    return found[0] if found else None


def fleet_way(model: str, workload: Workload) -> FleetWay | None:
    """The fleet that is cheapest in the first month, billed for every volume; None when no offer holds the model."""
    ranked = _cheapest(
        state.settings().database_url,
        model,
        workload.requests_per_month,
        workload.input_tokens,
        workload.output_tokens,
        workload.peak_to_average,
        dt.datetime.now(dt.UTC).date(),
    )
    if ranked is None:
        return None
    machine = machine_of(ranked.offer, ranked.estimate)
    # The simulation's requests already hold the retries.
    plain, operations = replace(workload, retry_share=0.0), Operations()

    def cost(requests: Floats) -> Floats:
        return monthly_cost_usd(machine, plain, operations, np.asarray(requests))

    name = tr("monthly_cost.rent_name", model=model, gpu=ranked.offer.gpu_model, provider=ranked.offer.provider_id)
    return FleetWay(name=name, monthly_cost_usd=cost)
