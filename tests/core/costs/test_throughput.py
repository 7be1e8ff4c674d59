"""Every pair of a model and a GPU gets an answer with a band; measurements near it count."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.facts import DATA
from core.costs.gpu_specs import UnknownGpuError, gpu_spec, gpu_specs, offered_spec
from core.costs.model_shapes import UnknownShapeError, model_shape, model_shapes, precision_named
from core.costs.throughput import ModelDoesNotFitError, estimate_throughput
from core.costs.throughput_fit import SPLITS, nested
from core.costs.throughput_latency import reply_speed
from core.costs.throughput_measured import Known, alike, log_factor, measured_rows
from core.costs.throughput_precision import can_serve, served_precision
from core.costs.throughput_roofline import Constants, Point, exchange_s, roofline_tokens_per_s


def test_at_least_twenty_open_models_dense_and_mixture_are_known() -> None:
    shapes = model_shapes()

    assert len(shapes) >= 20
    assert any(shape.experts > 1 for shape in shapes.values())
    assert all(shape.source for shape in shapes.values())


@pytest.mark.parametrize("model_id", sorted(model_shapes()))
def test_every_model_has_an_answer_on_every_gpu_with_a_spec(model_id: str) -> None:
    for gpu_model, gpu_form in gpu_specs():
        found = estimate_throughput(model_id, gpu_model, gpu_form=gpu_form, gpu_count=256, precision="fp8")

        assert 0 < found.low < found.output_tokens_per_s < found.high
        assert found.basis


def test_publishers_left_out_of_everything_are_estimated_within_the_promised_error_and_band() -> None:
    found = nested(measured_rows(), SPLITS["publisher"])

    assert found.median_error_share <= 0.25
    assert found.within_factor_two_share >= 0.88
    assert 0.75 <= found.in_band_share <= 0.85
    assert asdict(found) == shipped_report()["nested"]["publisher"]


@pytest.mark.parametrize("split", SPLITS)
def test_the_shipped_report_keeps_the_promise_on_rows_that_had_no_part_in_the_fit(split: str) -> None:
    found = shipped_report()["nested"][split]

    assert found["median_error_share"] <= 0.25
    assert found["within_factor_two_share"] >= 0.88
    assert 0.75 <= found["in_band_share"] <= 0.85


def shipped_report() -> dict[str, Any]:
    """What the fit wrote beside its constants."""
    found: dict[str, Any] = json.loads((DATA / "throughput_fit.json").read_text(encoding="utf-8"))
    return found


ONE = Constants(
    flops_share=0.5, bandwidth_share=0.5, gpu_penalty=0.25, prefill_share=0.5, step_ms=1.0, fp4_share=0.7,
    amd_share=0.6, expert_width=4_000.0,
)  # fmt: skip


def point(**changes: Any) -> Point:
    plain: dict[str, Any] = {
        "shape": model_shape("llama-3.1-8b"), "spec": gpu_spec("H100"), "precision": "fp16", "gpus_per_replica": 1,
        "replica_count": 1, "input_tokens": 1_000.0, "output_tokens": 1_000.0, "concurrency_per_replica": 10.0,
    }  # fmt: skip
    return Point(**(plain | changes))


def test_a_roofline_worked_out_by_hand() -> None:
    # Memory: 8.03e9 x 2 bytes of weights and 10 x 1,500 tokens x 131,072 bytes (2 x 8 heads x 128 x 32 layers x 2
    # bytes) over half of 3,350 GB/s: 10.7618 ms. Compute: 2 x 8.03e9 x 10 over half of 989 TFLOP/s: 0.3248 ms. Step:
    # 1 ms. Prefill: (2 x 8.03e9 x 1,000 + 2 x 32 x 4,096 x 1,000^2) over 494.5 TFLOP/s, of 10 requests spread over
    # 1,000 tokens: 0.3301 ms. 10 tokens every 12.4167 ms are 805.4 a second.
    assert roofline_tokens_per_s(point(), ONE) == pytest.approx(805.4, rel=1e-3)


def test_two_gpus_share_the_work_and_pay_the_penalty_and_an_idle_replica_gives_nothing() -> None:
    # Work 11.4167 / 2 x 1.25 = 7.1355 ms, step 1 ms: 10 tokens every 8.1355 ms. Half a request at once per replica
    # means that one of two replicas serves one request.
    alone = roofline_tokens_per_s(point(concurrency_per_replica=1.0), ONE)

    assert roofline_tokens_per_s(point(gpus_per_replica=2), ONE) == pytest.approx(1_229.2, rel=1e-3)
    assert roofline_tokens_per_s(point(replica_count=2, concurrency_per_replica=0.5), ONE) == pytest.approx(alone)


def test_rows_that_are_alike_move_the_estimate_by_a_share_of_what_they_say() -> None:
    # One row twice as fast as the roofline, one on it that counts 0.15: 0.3 x ln 2 / 1.15 = 0.18082.
    row = measured_rows()[0]
    weak = replace(row, scenario="server-burst")
    known = [Known(row=row, residual=math.log(2)), Known(row=weak, residual=0.0)]

    assert log_factor(known) == pytest.approx(0.18082, abs=1e-5)
    assert log_factor([]) == 0
    assert [one.row for one in alike(known, row.point.shape, row.point.spec.gpu_model, row.point.precision)]
    assert alike(known, row.point.shape, row.point.spec.gpu_model, "int8") == ()


def test_a_measured_configuration_is_named_as_the_basis() -> None:
    found = estimate_throughput(
        "llama-3.3-70b", "H100", gpu_count=2, gpus_per_replica=2, precision="fp8", input_tokens=128, output_tokens=128
    )

    assert found.basis_kind == "scaled"
    assert "H100-80GB" in found.basis
    assert found.nearest_source


def test_most_measurements_lie_in_their_own_band() -> None:
    rows = measured_rows()
    inside = 0
    for row in rows:
        point = row.point
        found = estimate_throughput(
            point.shape, point.spec.gpu_model, gpu_form=point.spec.gpu_form, precision=point.precision,
            gpu_count=point.gpus_per_replica * point.replica_count, gpus_per_replica=point.gpus_per_replica,
            input_tokens=point.input_tokens, output_tokens=point.output_tokens,
            concurrency=point.concurrency_per_replica and point.concurrency_per_replica * point.replica_count,
        )  # fmt: skip
        inside += found.low <= row.output_tokens_per_s <= found.high

    assert inside / len(rows) >= 0.8


def test_an_own_measurement_replaces_the_estimate() -> None:
    found = estimate_throughput("llama-3.1-8b", "L4", measured_tokens_per_s=777.0)

    assert (found.output_tokens_per_s, found.low, found.high) == (777.0, 777.0, 777.0)
    assert found.basis_kind == "own_measurement"


def test_a_model_that_does_not_fit_says_what_would() -> None:
    with pytest.raises(ModelDoesNotFitError) as caught:
        estimate_throughput("llama-3.1-405b", "L4", gpu_count=1, precision="fp8")

    needed = caught.value.gpus_needed
    assert needed > 16
    assert str(needed) in str(caught.value)
    assert estimate_throughput("llama-3.1-405b", "L4", gpu_count=needed, gpus_per_replica=needed).low > 0


def test_unknown_names_come_with_the_nearest() -> None:
    with pytest.raises(UnknownShapeError) as shape:
        estimate_throughput("llama-3.3-70", "H100-80GB")
    with pytest.raises(UnknownGpuError) as gpu:
        estimate_throughput("llama-3.3-70b", "H100-90GB")

    assert "llama-3.3-70b" in shape.value.suggestions
    assert "H100-80GB" in gpu.value.suggestions


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gpu_count", 0), ("gpu_count", 8.0), ("gpu_count", None), ("gpu_count", "8"), ("gpu_count", True),
        ("gpus_per_replica", 0), ("gpus_per_replica", 2), ("gpus_per_replica", "2"), ("gpus_per_replica", 2.5),
        ("precision", "fp3"), ("precision", ["fp8"]), ("precision", None), ("input_tokens", 0),
        ("input_tokens", None), ("input_tokens", "100"), ("output_tokens", -1), ("concurrency", 0),
        ("concurrency", "100"), ("concurrency", math.nan), ("measured_tokens_per_s", 0), ("gpu_form", "foo"),
        ("gpu_form", 5),
    ],
)  # fmt: skip
def test_an_input_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field} is .*: (give|H100-80GB is known as PCIe, SXM)"):
        estimate_throughput("llama-3.1-8b", "H100-80GB", **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [None, 5])
def test_what_is_no_name_is_refused_by_its_field(wrong: Any) -> None:
    with pytest.raises(ValueError, match="model is"):
        estimate_throughput(wrong, "H100")
    with pytest.raises(ValueError, match="gpu is"):
        estimate_throughput("llama-3.1-8b", wrong)


CONFIGURATIONS = (
    st.sampled_from(sorted(model_shapes())),
    st.sampled_from(sorted(gpu_specs())),
    st.sampled_from([1, 2, 3, 4, 6, 8, 16]),
    st.sampled_from(["fp16", "fp8", "fp4"]),
    st.integers(1, 20_000),
    st.integers(1, 4_096),
)


def tokens_or_none(model: str, gpu: tuple[str, str], **given: Any) -> float | None:
    try:
        return estimate_throughput(model, gpu[0], gpu_form=gpu[1], **given).output_tokens_per_s
    except ModelDoesNotFitError:
        return None


@settings(max_examples=150, deadline=None)
@given(*CONFIGURATIONS, st.floats(0.1, 3_000), st.floats(1, 20), st.booleans())
def test_more_concurrency_shorter_prompts_and_lower_precision_never_give_less(
    model: str, gpu: tuple[str, str], gpus: int, precision: str, prompt: int, reply: int, asked: float, factor: float,
    is_one_replica: bool,
) -> None:  # fmt: skip
    given = {
        "gpu_count": gpus, "precision": precision, "input_tokens": prompt, "output_tokens": reply,
        "concurrency": asked, "gpus_per_replica": gpus if is_one_replica else None,
    }  # fmt: skip
    found = tokens_or_none(model, gpu, **given)
    if found is None:
        return
    better: list[dict[str, Any]] = [
        {"concurrency": asked * factor}, {"concurrency": None}, {"input_tokens": max(1, prompt / factor)},
        {"precision": {"fp16": "fp8", "fp8": "fp4", "fp4": "fp4"}[precision]},
    ]  # fmt: skip

    for change in better:
        other = tokens_or_none(model, gpu, **(given | change))
        assert other is not None
        assert other >= found * (1 - 1e-9), change


@pytest.mark.parametrize("gpus", [1, 2, 4, 8, 64])
def test_a_single_request_is_counted_once_however_many_replicas_there_are(gpus: int) -> None:
    def tokens(count: int, concurrency: float) -> float:
        return estimate_throughput(
            "llama-3.1-8b", "H100", gpu_count=count, gpus_per_replica=1, concurrency=concurrency
        ).output_tokens_per_s

    assert tokens(gpus, 1) == pytest.approx(tokens(1, 1))
    assert tokens(gpus, gpus) == pytest.approx(gpus * tokens(1, 1))


def test_without_a_size_the_replicas_are_those_that_give_the_most() -> None:
    def tokens(size: int | None) -> float:
        return estimate_throughput("llama-3.3-70b", "H100-80GB", gpu_count=8, gpus_per_replica=size).output_tokens_per_s

    assert tokens(None) == max(tokens(size) for size in (1, 2, 4, 8))


def test_gpus_that_make_no_replica_are_said_to_be_idle() -> None:
    found = estimate_throughput("llama-3.3-70b", "H100", gpu_count=6, gpus_per_replica=4)

    assert (found.replica_count, found.idle_gpus) == (1, 2)
    assert found.basis.endswith("; 2 of 6 GPUs idle")


def test_a_long_prompt_takes_larger_replicas_before_it_is_refused() -> None:
    # 70.6 GB of weights in 2 x 72 GB leave 73.4 GB; 500,000 tokens of 163,840 bytes take 82 GB.
    found = estimate_throughput("llama-3.3-70b", "H100", gpu_count=8, input_tokens=500_000)

    assert found.gpus_per_replica >= 3
    with pytest.raises(ModelDoesNotFitError, match="or a lower precision or shorter prompts"):
        estimate_throughput("llama-3.3-70b", "H100", gpu_count=2, input_tokens=500_000)


def test_a_lower_precision_is_not_advised_where_there_is_none() -> None:
    with pytest.raises(ModelDoesNotFitError, match=r"take 41 of them\.$"):
        estimate_throughput("kimi-k2", "T4", precision="fp4")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(model_shapes())),
    st.sampled_from(["fp16", "fp8", "fp4"]),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(64, 8192),
    st.integers(16, 4096),
)
def test_two_replicas_give_twice_one(
    model_id: str, precision: str, per_replica: int, given_in: int, given_out: int
) -> None:
    def tokens(gpu_count: int) -> float:
        return estimate_throughput(
            model_id, "MI325X", gpu_count=gpu_count, gpus_per_replica=per_replica, precision=precision,
            input_tokens=given_in, output_tokens=given_out,
        ).output_tokens_per_s  # fmt: skip

    if model_shape(model_id).weight_gb(precision) < 0.8 * 256 * per_replica:
        assert tokens(2 * per_replica) == pytest.approx(2 * tokens(per_replica))


def test_experts_touched_grow_with_the_batch_up_to_all() -> None:
    shape = model_shape("qwen3-235b-a22b")

    assert shape.params_touched_b(1) == pytest.approx(shape.params_active_b)
    assert shape.params_touched_b(1) < shape.params_touched_b(8) < shape.params_touched_b(10_000)
    assert shape.params_touched_b(10_000) == pytest.approx(shape.params_total_b)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.3-70b"), ("Llama 3.3 70B", "llama-3.3-70b"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "mistral-7b"), ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3-235b-a22b"), ("google/gemma-3-27b-it", "gemma-3-27b"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama-3.1-8b"), ("deepseek-v3", "deepseek-v3"),
        ("nvidia/Llama-3.3-70B-Instruct-FP4", "llama-3.3-70b"), ("Llama-3.1-8B-Instruct-GPTQ-INT4", "llama-3.1-8b"),
        ("llama-3-8b", "llama-3.1-8b"), ("Meta-Llama-3-70B-Instruct", "llama-3.1-70b"), ("Qwen/QwQ-32B", "qwen2.5-32b"),
        ("deepseek-v3.1", "deepseek-v3"), ("deepseek-r1-distill-llama-70b", "llama-3.3-70b"),
        ("mistral-nemo", "mistral-nemo"), ("Mistral-Nemo-Instruct-2407", "mistral-nemo"),
        ("mistral-large-2411", "mistral-large"), ("google/gemma-3-12b-it", "gemma-3-12b"),
    ],
)  # fmt: skip
def test_a_release_is_known_by_its_shape(name: str, meant: str) -> None:
    assert model_shape(name).model_id == meant


@pytest.mark.parametrize("name", ["deepseek-r1-distill-gemma-70b", "-instruct", "", ".", "llama"])
def test_another_model_is_not_taken_for_one_with_a_like_name(name: str) -> None:
    with pytest.raises(UnknownShapeError):
        model_shape(name)


@pytest.mark.parametrize(
    ("name", "model", "form"),
    [
        ("H100", "H100-80GB", "SXM"), ("h100 sxm", "H100-80GB", "SXM"), ("NVIDIA H100 80GB HBM3", "H100-80GB", "SXM"),
        ("H100-PCIe", "H100-80GB", "PCIe"), ("NVIDIA A100-SXM4-40GB", "A100-40GB", "SXM"),
        ("H100-80GB", "H100-80GB", "SXM"), ("A100-80GB", "A100-80GB", "SXM"), ("Tesla T4", "T4", None),
        ("GeForce RTX 4090", "RTX 4090", None), ("AMD Instinct MI300X", "MI300X", "OAM"),
        ("A100 80GB PCIe", "A100-80GB", "PCIe"), ("H100 SXM5 80GB", "H100-80GB", "SXM"),
        ("Tesla V100-SXM2-16GB", "V100-16GB", "SXM"), ("A6000", "RTX A6000", None), ("A5000", "RTX A5000", None),
        ("RTX PRO 6000 Blackwell", "RTX PRO 6000", None), ("H20", "H20", "SXM"),
        ("H200-141GB", "H200", "SXM"), ("RTXPRO6000", "RTX PRO 6000", None), ("GH200-144", "GH200", None),
    ],
)  # fmt: skip
def test_a_gpu_is_known_by_what_its_driver_or_seller_calls_it(name: str, model: str, form: str | None) -> None:
    found = gpu_spec(name)

    assert found.gpu_model == model
    assert form in {None, found.gpu_form}


@pytest.mark.parametrize(
    ("said", "meant"), [("PCIe", "PCIe"), ("pcie", "PCIe"), ("sxm", "SXM"), ("SXM5", "SXM"), ("", "SXM")]
)
def test_a_form_that_is_said_counts_more_than_the_name(said: str, meant: str) -> None:
    assert gpu_spec("H100", said).gpu_form == meant


def test_an_offer_that_does_not_say_its_form_counts_as_the_slowest_board() -> None:
    silent, said = offered_spec("H100-80GB", None), offered_spec("H100-80GB", "SXM5")

    assert silent is not None
    assert said is not None
    assert (silent.gpu_form, said.gpu_form) == ("PCIe", "SXM")


@pytest.mark.parametrize(
    ("name", "meant"), [("FP8", "fp8"), ("int4", "int4"), ("NVFP4", "fp4"), ("int8", "int8"), ("bfloat16", "bf16")]
)
def test_a_precision_is_known_by_its_usual_names(name: str, meant: str) -> None:
    assert precision_named(name) == meant
    assert estimate_throughput("llama-3.1-8b", "H100", precision=name).low > 0


@pytest.mark.parametrize("model", ["qwen3-30b-a3b", "llama-4-scout", "mixtral-8x7b", "llama-3.3-70b"])
@pytest.mark.parametrize("gpu", ["H100", "H200", "A100-40GB", "B200"])
def test_as_many_requests_as_fit_give_no_less_than_512_at_once(model: str, gpu: str) -> None:
    limited, full = (
        estimate_throughput(model, gpu, gpu_count=8, precision="fp16", concurrency=most).output_tokens_per_s
        for most in (512, None)
    )

    assert full >= limited * 0.95


@pytest.mark.parametrize(
    ("gpu", "precision", "served", "serves"),
    [
        ("V100-32GB", "fp8", "fp8w16", False), ("V100-32GB", "fp16", "fp16", True), ("T4", "fp8", "fp8w16", True),
        ("A100-80GB", "fp8", "fp8w16", True), ("A100-80GB", "fp4", "int4", True), ("L40S", "fp8", "fp8", True),
        ("H100", "fp8", "fp8", True), ("H100", "fp4", "fp4", True), ("B200", "fp4", "fp4", True),
        ("MI300X", "fp8", "fp8", True), ("MI250X", "fp8", "fp8w16", False),
    ],
)  # fmt: skip
def test_narrow_weights_are_computed_in_the_units_a_gpu_has(
    gpu: str, precision: str, served: str, serves: bool
) -> None:
    assert served_precision(gpu_spec(gpu), precision) == served
    assert can_serve(gpu_spec(gpu), precision) == serves


def test_fp8_on_a_gpu_without_its_units_saves_memory_and_no_arithmetic() -> None:
    eight = estimate_throughput("llama-3.3-70b", "A100-80GB", gpu_count=2, gpus_per_replica=2, precision="fp8")
    stored = estimate_throughput("llama-3.3-70b", "A100-80GB", gpu_count=2, gpus_per_replica=2, precision="fp8w16")

    assert eight.output_tokens_per_s == stored.output_tokens_per_s
    assert eight.computed_in == "fp16"
    assert estimate_throughput("llama-3.1-8b", "H100", precision="fp8").computed_in == "fp8"
    assert estimate_throughput("llama-3.1-8b", "H100", precision="fp4").computed_in == "fp8"


def test_gpus_without_a_fabric_exchange_over_pcie() -> None:
    # 2 a layer x 32 layers x 4,096 values x 2 bytes x 2 x 7/8 = 917,504 bytes a token, at 0.8 x 32 GB/s one way.
    shared = point(spec=gpu_spec("RTX A4000"), gpus_per_replica=8)

    assert exchange_s(shared) == pytest.approx(917_504 / 25.6e9)
    assert exchange_s(point(spec=gpu_spec("RTX A4000"))) == 0
    assert exchange_s(point(gpus_per_replica=8)) == 0  # NVLink
    assert exchange_s(point(spec=gpu_spec("A40"), gpus_per_replica=2)) == 0  # a bridge joins two
    assert exchange_s(point(spec=gpu_spec("A40"), gpus_per_replica=4)) > 0
    linked = replace(gpu_spec("RTX A4000"), interconnect="NVLink4")
    assert roofline_tokens_per_s(shared, ONE) < roofline_tokens_per_s(replace(shared, spec=linked), ONE)


def speed_at(load: float, **changes: Any) -> Any:
    plain: dict[str, Any] = {
        "gpus_per_replica": 1, "precision": "fp8", "input_tokens": 1_000, "output_tokens": 500,
        "load_tokens_per_s": load,
    }  # fmt: skip
    return reply_speed(model_shape("llama-3.1-8b"), "H100-80GB", "SXM", **(plain | changes))


def test_a_user_of_a_busier_replica_sees_slower_answers() -> None:
    alone, some, full = (speed_at(load) for load in (1.0, 3_000.0, 1e9))
    most = estimate_throughput(
        "llama-3.1-8b", "H100", precision="fp8", input_tokens=1_000, output_tokens=500
    ).output_tokens_per_s

    assert alone.requests_at_once == pytest.approx(1, abs=1e-5)
    assert alone.tokens_per_s > some.tokens_per_s > full.tokens_per_s
    assert some.tokens_per_s * some.requests_at_once == pytest.approx(3_000, rel=1e-3)
    assert full.tokens_per_s * full.requests_at_once == pytest.approx(most, rel=1e-3)


def test_a_longer_prompt_delays_the_first_token_and_a_measured_replica_scales_all() -> None:
    plain, longer, half = (
        speed_at(1.0), speed_at(1.0, input_tokens=2_000),
        speed_at(1.0, measured_tokens_per_s=speed_at(1e9).tokens_per_s * speed_at(1e9).requests_at_once / 2),
    )  # fmt: skip

    assert longer.first_token_s > 2 * plain.first_token_s
    assert half.tokens_per_s == pytest.approx(plain.tokens_per_s / 2, rel=0.02)
    assert half.first_token_s == pytest.approx(plain.first_token_s * 2, rel=0.02)
