from __future__ import annotations

import subprocess
import sys

import pytest

import journeylib.evidence as evidence


def test_every_public_name_of_the_room_can_be_taken_from_it():
    assert len(evidence.__all__) == 18
    assert all(callable(getattr(evidence, name)) for name in evidence.__all__)
    assert dir(evidence) == evidence.__all__


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'wilson'"):
        evidence.wilson  # noqa: B018


def test_importing_the_room_loads_no_heavy_library():
    line = "import sys, journeylib.evidence; print({'statsmodels', 'scipy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
