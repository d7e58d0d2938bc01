"""The vault seals credentials, and its master key is made once."""

import os
import stat
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from app.encryption import KEY_FILE, CredentialsUnreadable, MasterKeyInvalid, Vault
from app.settings import Secret, Settings

SECRETS = {"api_key": "smk-čšž-🔑-0123456789"}


def make_vault(*keys):
    return Vault([key.decode() for key in keys])


def test_what_is_sealed_is_unreadable_without_the_key():
    key, other = Fernet.generate_key(), Fernet.generate_key()

    sealed = make_vault(key).seal(SECRETS)

    assert b"smk" not in sealed
    assert make_vault(key).open(sealed) == SECRETS
    with pytest.raises(CredentialsUnreadable):
        make_vault(other).open(sealed)
    with pytest.raises(CredentialsUnreadable):
        make_vault(key).open(sealed[:-4] + b"AAA=")
    with pytest.raises(CredentialsUnreadable):
        make_vault(key).open(b"")


def test_a_key_is_replaced_without_losing_anything():
    old, new = Fernet.generate_key(), Fernet.generate_key()
    sealed = make_vault(old).seal(SECRETS)

    both = make_vault(new, old)
    rotated = both.rotate(sealed)

    assert both.open(sealed) == SECRETS
    assert make_vault(new).open(rotated) == SECRETS
    with pytest.raises(CredentialsUnreadable):
        make_vault(old).open(rotated)
    with pytest.raises(CredentialsUnreadable):
        make_vault(new).rotate(sealed)


def test_fingerprints_tell_secrets_apart_and_depend_on_the_key():
    vault, other = make_vault(Fernet.generate_key()), make_vault(Fernet.generate_key())

    assert vault.fingerprint({"a": "1", "b": "2"}) == vault.fingerprint({"b": "2", "a": "1"})
    assert vault.fingerprint({"a": "1"}) != vault.fingerprint({"a": "2"})
    assert vault.fingerprint({"a": "1"}) != other.fingerprint({"a": "1"})


def test_a_vault_shows_nothing_of_its_keys():
    key = Fernet.generate_key()

    assert key.decode() not in repr(make_vault(key)) + str(vars(make_vault(key)))


@pytest.mark.parametrize("keys", [[], ["short"], [Fernet.generate_key().decode(), "nonsense"]])
def test_what_is_no_key_is_refused_without_repeating_it(keys):
    with pytest.raises(MasterKeyInvalid) as refused:
        Vault(keys)
    assert not any(key in refused.value.message for key in keys)


def test_the_first_start_makes_a_key_that_nobody_else_may_read(tmp_path):
    settings = Settings(data_dir=tmp_path / "data")

    sealed = Vault.load_or_make(settings).seal(SECRETS)

    file = tmp_path / "data" / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path / "data") == [KEY_FILE]
    assert Vault.load_or_make(settings).open(sealed) == SECRETS


def test_keys_can_come_from_the_settings_newest_first(tmp_path):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Vault([old]).seal(SECRETS)

    vault = Vault.load_or_make(Settings(data_dir=tmp_path, master_key=Secret(f"{new}, {old}")))

    assert vault.open(sealed) == SECRETS
    assert Vault([new]).open(vault.seal(SECRETS)) == SECRETS
    assert not (tmp_path / KEY_FILE).exists()


def test_processes_that_start_together_agree_on_one_key(tmp_path):
    script = (
        "import sys, pathlib; from app.encryption import Vault; from app.settings import Settings;"
        "vault = Vault.load_or_make(Settings(data_dir=pathlib.Path(sys.argv[1]))); print(vault.fingerprint({'a': '1'}))"
    )

    processes = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) for _ in range(6)]
    fingerprints = {process.communicate(timeout=60)[0] for process in processes}

    assert [process.returncode for process in processes] == [0] * 6
    assert len(fingerprints) == 1
    assert os.listdir(tmp_path) == [KEY_FILE]
