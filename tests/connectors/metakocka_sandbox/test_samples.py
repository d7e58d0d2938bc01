"""The samples written from the vendor's pages: what the sandbox answers to their requests has their shape."""

import json
from pathlib import Path
from typing import Any

import pytest

import app.connectors.metakocka.sandbox as package
from app.connectors.metakocka.sandbox.testing import RunningSandbox, partner_id

from .provider import Provider

FOLDER = Path(package.__file__).parents[1] / "samples"
SAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def missing(sample: Any, answered: Any, path: str = "") -> list[str]:
    """Where the answer lacks a key of the sample or has another type there."""
    if type(sample) is not type(answered):
        return [f"{path}: {type(answered).__name__} instead of {type(sample).__name__}"]
    if isinstance(sample, list):
        return missing(sample[0], answered[0], f"{path}[0]") if sample and answered else []
    if not isinstance(sample, dict):
        return []
    gaps = [f"{path}.{name} is missing" for name in sample.keys() - answered.keys()]
    return gaps + [gap for name in sample.keys() & answered.keys() for gap in missing(sample[name], answered[name], f"{path}.{name}")]


async def prepare(sandbox: RunningSandbox, provider: Provider) -> None:
    """The records that the samples' requests speak of, made as in the samples."""
    address = {"mk_id": str(int(partner_id(0)) + 1), "country": "Slovenija"}
    await sandbox.edit_partner(partner_id(0), customer="Prvi d.o.o.", partner_delivery_address_list=[address])
    await provider.done("put_document", **SAMPLES["put_document_sales_offer"]["request"])
    whole = SAMPLES["get_partner"]["reply"]["partner_list"][0]
    await sandbox.add_partner(**{name: value for name, value in whole.items() if name != "mk_id"})


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
async def test_an_answer_has_what_the_sample_has(sandbox: RunningSandbox, provider: Provider, sample: Any):
    await prepare(sandbox, provider)
    answered = (await provider.call(sample["call"], **sample["request"])).json()

    assert missing(sample["reply"], answered) == []
    assert answered.get("opr_code") == sample["reply"].get("opr_code")


async def test_the_sample_of_an_offer_adds_up_as_it_says(sandbox: RunningSandbox, provider: Provider):
    sample = SAMPLES["get_document_sales_offer"]
    await prepare(sandbox, provider)
    answered = (await provider.call("get_document", **sample["request"])).json()
    sums = {name: value for name, value in sample["reply"].items() if name.startswith("sum_")}

    assert {name: answered[name] for name in sums} == sums
