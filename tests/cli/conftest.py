import pytest

from tests import fakes


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """`matte image` and `matte video` without networks."""
    monkeypatch.setattr("matte.pipeline.build.build", fakes.build)
    monkeypatch.setattr("matte.pipeline.networks.NetworkOpener", lambda config: None)
