"""What cannot work says why, in one sentence."""

import subprocess
import sys

import pytest

from app.embedded.platform_support import unsupported
from tests.platform.conftest import ROOT


@pytest.mark.parametrize(
    ("platform", "libc", "reason"),
    [
        ("linux", "glibc 2.36", None),
        ("linux", "glibc 2.28", None),
        ("darwin", None, None),
        ("linux", "glibc 2.17", "need glibc 2.28 or later, and this Linux has 2.17"),
        ("linux", None, "musl, as on Alpine"),
        ("win32", None, "not on win32; on Windows use WSL 2"),
    ],
)
def test_a_platform_that_cannot_run_the_servers_is_told_why(platform, libc, reason):
    said = unsupported(platform, libc)

    assert said is None if reason is None else reason in str(said)


def test_a_missing_package_is_named_with_the_way_to_install_it(tmp_path):
    program = (
        "import sys; sys.path = [p for p in sys.path if 'site-packages' not in p]; from app.embedded.programs import installed_programs"
    )
    script = f"{program}\ntry:\n    installed_programs()\nexcept Exception as error:\n    print(error)"

    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "pip install 'crosswalk[embedded]'" in said
    assert "CROSSWALK_DATABASE_URL" in said
    assert len(said.splitlines()) == 1
