"""docs/requirements.md says which test proves which row; it is generated and must be in step."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_of_requirements_is_in_step_with_the_tests():
    result = subprocess.run([sys.executable, "scripts/requirements.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert result.returncode == 0, result.stdout + result.stderr
