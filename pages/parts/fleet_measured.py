"""Which speed has the reader measured, and of what? It takes the place of the estimates of "rent or call"."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.costs.selfhost_ranking import RankedOffer
from pages.parts import address, number_field
from pages.parts.fleet_offered import gpus
from pages.parts.state import fmt, tr

SPEED, GPU, GPUS = "sh_measured", "sh_measured_gpu", "sh_measured_gpus"
NOTICE = "_sh_notice"
"""A sentence for the next run: what became of an input that was changed."""
MAX_TOKENS_PER_S, MAX_GPUS = 10_000_000, 128
ANY = ""
_WINNER = "_sh_winner"


def fields() -> Sequence[address.Field]:
    """Output tokens per second of one replica, the GPU's model, and the replica's number of GPUs."""
    return (
        address.Field(key=SPEED, kind="float", default=None, low=1, high=MAX_TOKENS_PER_S),
        address.Field(key=GPU, kind="choice", default=ANY, options=(ANY, *gpus()), named=_named),
        address.Field(key=GPUS, kind="int", default=None, low=1, high=MAX_GPUS),
    )


def _named(gpu_model: str) -> str:
    return gpu_model or tr("self_host.measured_gpu_any")


def draw() -> None:
    """Draws the three fields."""
    number_field.number_field(
        tr("self_host.measured"), 1, MAX_TOKENS_PER_S, key=SPEED, placeholder="–", help=tr("self_host.measured_help"),
        on_change=_take,
    )  # fmt: skip
    st.selectbox(tr("self_host.measured_gpu"), (ANY, *gpus()), key=GPU, format_func=_named)
    number_field.number_field(
        tr("self_host.measured_gpus"), 1, MAX_GPUS, key=GPUS, is_whole=True, placeholder="–",
        help=tr("self_host.measured_gpus_help"),
    )  # fmt: skip


def _take() -> None:
    """A measurement without a GPU is of the fleet that was cheapest when it was typed, whatever is cheapest later."""
    gpu_model, gpu_count = st.session_state.get(_WINNER, (ANY, None))
    if st.session_state.get(SPEED) and not st.session_state.get(GPU):
        address.set_value(GPU, gpu_model)
        address.set_value(GPUS, gpu_count)


def drop() -> None:
    """Forgets the measurement, which is of one model in one precision, when one of them is changed, and says so."""
    speed = address.kept(SPEED)
    if speed is not None:
        st.session_state[NOTICE] = tr("self_host.measured_dropped", speed=fmt().number(speed))
        for key, empty in ((SPEED, None), (GPU, ANY), (GPUS, None)):
            address.set_value(key, empty)


def remember_winner(best: RankedOffer | None) -> None:
    """Notes which GPU, and how many to a replica, a measurement typed now is taken to be of."""
    if best is not None:
        st.session_state[_WINNER] = (best.offer.gpu_model, best.estimate.gpus_per_replica)
