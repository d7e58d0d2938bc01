"""What every connector promises: credentials, errors, silence about secrets, samples, a complete README."""

import json
import logging
import os
from pathlib import Path

import msgspec
import pytest
from rich.pretty import pretty_repr

import app.connectors
from app.connectors.base import Account, Mode, Part, Walk
from app.connectors.errors import ConnectorError, CredentialsRefused, ProviderUnavailable, RateLimited, UnexpectedResponse
from app.mappings.translate import Translator
from tests.connectors.contract import CONNECTORS, STREAMS, Provider, each_provider, each_stream
from tests.connectors.kit import read_all

FOLDER = Path(app.connectors.__file__).parent
SAMPLES = sorted(FOLDER.glob("*/samples/*/*.json"))


@pytest.mark.requirement("SM8-01")
@each_provider
async def test_good_credentials_show_the_account_and_bad_ones_are_refused_in_words(provider: Provider):
    async with provider.session() as opened:
        account = await provider.connector.check(opened.session)
    async with provider.session_of(provider.subject.refused_settings(provider.sandbox)) as opened:
        with pytest.raises(CredentialsRefused) as refused:
            await provider.connector.check(opened.session)

    assert account.id
    assert account.name
    assert len(opened.log.calls) == 1
    assert "reconnect" in refused.value.message


@pytest.mark.requirement("SM8-51", "SM8-52", "SM8-86")
@pytest.mark.parametrize(
    ("fault", "error"),
    [("too_many", RateLimited), ("broken", ProviderUnavailable), ("cut", ProviderUnavailable), ("nonsense", UnexpectedResponse)],
)
@each_stream
async def test_a_fault_becomes_the_error_that_says_who_can_fix_it(
    provider: Provider, stream: str, fault: str, error: type[ConnectorError], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    await provider.subject.fill(provider.sandbox)
    async with provider.session(attempts=2) as opened:
        await provider.sandbox.fault(provider.subject.faults[fault], times=None)
        with pytest.raises(error) as raised:
            await read_all(provider.connector.streams[stream], opened.session, Walk(Mode.FULL))

    settings = provider.subject.settings(provider.sandbox)
    shown = [raised.value.message, repr(raised.value), repr(opened.log.calls), repr(opened.session), caplog.text]
    for name in provider.connector.secret_names:
        assert not any(settings[name] in text for text in shown)


@pytest.mark.requirement("SM8-52")
@each_provider
async def test_a_provider_that_is_too_slow_is_an_error_of_time(provider: Provider):
    async with provider.session(attempts=1, timeout_seconds=1) as opened:
        await provider.sandbox.fault(provider.subject.faults["slow"], milliseconds=3000)
        with pytest.raises(ProviderUnavailable):
            await provider.connector.check(opened.session)


@each_provider
def test_settings_show_no_secret(provider: Provider):
    settings = provider.connector.settings_class(**provider.subject.settings(provider.sandbox))

    for name in provider.connector.secret_names:
        assert getattr(settings, name) not in repr(settings) + pretty_repr(settings)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.parent.parent.name}/{path.parent.name}/{path.stem}")
def test_every_sample_translates_to_the_record_beside_it(path: Path):
    connector, stream = CONNECTORS[path.parent.parent.parent.name], path.parent.name
    sample = json.loads(path.read_text())
    reads = connector.streams[stream]
    account = msgspec.convert(sample["account"], Account)
    parts = [Part(kind, str(n), "", json.dumps(part).encode()) for kind, found in sample["parts"].items() for n, part in enumerate(found)]

    document = reads.assemble(json.dumps(sample["object"]).encode(), parts, account)
    record = Translator(reads.entity, reads.fields).translate(document, account)

    assert msgspec.json.decode(msgspec.json.encode(record)) == sample["record"]


@pytest.mark.parametrize(("provider", "stream"), STREAMS)
def test_every_stream_has_a_sample(provider: str, stream: str):
    mapped = CONNECTORS[provider].streams[stream].record_stream

    assert any(path.parent.name == mapped and path.parent.parent.parent.name == provider for path in SAMPLES)


@pytest.mark.parametrize("provider", list(CONNECTORS))
def test_the_readme_names_every_setting_stream_and_action(provider: str):
    connector = CONNECTORS[provider]
    text = (FOLDER / provider / "README.md").read_text()
    names = [*(setting.name for setting in connector.settings), *connector.streams, *connector.actions]

    assert [name for name in names if f"`{name}`" not in text] == []
    assert os.path.basename(connector.documentation_url) in text
