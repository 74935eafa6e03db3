"""Rows as a measurement gives them."""

from dataclasses import replace
from typing import Any

from pytest_potmodels.verification.benchmark import machine
from pytest_potmodels.verification.benchmark.row import SCHEMA, Row

DESK = {"processor": "Desk", "cores": "2", "memory_gb": "8", "system": "Linux"}
SERVER = {**DESK, "processor": "Server", "cores": "64"}


def row(backend: str = "torch", **facts: Any) -> Row:
    where = facts.pop("machine", DESK)
    usual = Row(
        schema=SCHEMA,
        run="r1",
        time="2026-01-01T00:00:00+00:00",
        model_id="org/model",
        file_path="model.onnx",
        backend=backend,
        status="ok",
        source="converted",
        was_converted=True,
        p50_ms=4.0 if backend == "torch" else 2.0,
        p90_ms=5.0,
        inputs={"input_ids": "1x32"},
        versions={"python": "3.11"},
        machine=where,
        machine_key=machine.key_of(where),
    )
    return replace(usual, **facts)
