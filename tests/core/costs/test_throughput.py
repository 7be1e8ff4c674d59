"""Every pair of a model and a GPU gets an answer with a band; measurements near it count."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.gpu_specs import UnknownGpuError, gpu_spec, gpu_specs
from core.costs.model_shapes import UnknownShapeError, model_shape, model_shapes
from core.costs.throughput import ModelDoesNotFitError, estimate_throughput
from core.costs.throughput_fit import SPLITS, held_out_errors, summary
from core.costs.throughput_measured import measured_rows, shipped_fit


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


@pytest.mark.parametrize("split", SPLITS)
def test_rows_that_were_held_out_are_estimated_within_the_promised_error(split: str) -> None:
    fit = shipped_fit()
    errors, _ = held_out_errors(measured_rows(), fit.constants, fit.distances, SPLITS[split])

    assert summary(errors)["median_error_share"] <= 0.25
    assert summary(errors)["within_factor_two_share"] >= 0.88


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
    [("gpu_count", 0), ("precision", "fp3"), ("input_tokens", 0), ("output_tokens", -1), ("concurrency", 0)],
)
def test_an_input_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        estimate_throughput("llama-3.1-8b", "H100-80GB", **{field: value})  # type: ignore[arg-type]


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
    ],
)  # fmt: skip
def test_a_release_is_known_by_its_shape(name: str, meant: str) -> None:
    assert model_shape(name).model_id == meant


@pytest.mark.parametrize("name", ["deepseek-r1-distill-llama-70b", "-instruct", "", ".", "llama"])
def test_another_model_is_not_taken_for_one_with_a_like_name(name: str) -> None:
    with pytest.raises(UnknownShapeError):
        model_shape(name)


@pytest.mark.parametrize(
    ("name", "model", "form"),
    [
        ("H100", "H100-80GB", "SXM"), ("h100 sxm", "H100-80GB", "SXM"), ("NVIDIA H100 80GB HBM3", "H100-80GB", "SXM"),
        ("H100-PCIe", "H100-80GB", "PCIe"), ("NVIDIA A100-SXM4-40GB", "A100-40GB", "SXM"),
        ("H200-141GB", "H200", "SXM"), ("RTXPRO6000", "RTX PRO 6000", None), ("GH200-144", "GH200", None),
    ],
)  # fmt: skip
def test_a_gpu_is_known_by_what_its_driver_or_seller_calls_it(name: str, model: str, form: str | None) -> None:
    found = gpu_spec(name)

    assert found.gpu_model == model
    assert form in {None, found.gpu_form}


def test_a_form_that_is_said_counts_more_than_the_name() -> None:
    assert gpu_spec("H100", "PCIe").gpu_form == "PCIe"


@pytest.mark.parametrize("model", ["qwen3-30b-a3b", "llama-4-scout", "mixtral-8x7b", "llama-3.3-70b"])
@pytest.mark.parametrize("gpu", ["H100", "H200", "A100-40GB", "B200"])
def test_as_many_requests_as_fit_give_no_less_than_512_at_once(model: str, gpu: str) -> None:
    limited, full = (
        estimate_throughput(model, gpu, gpu_count=8, precision="fp16", concurrency=most).output_tokens_per_s
        for most in (512, None)
    )

    assert full >= limited * 0.95
