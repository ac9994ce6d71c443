"""Workers without networks."""

import pytest

from matte.photos.batch import Batch, MattedPhoto
from matte.photos.jobs import PhotoJob
from matte.pipeline.run import BuiltPipeline
from tests.fleet.clusters import OwnCluster


@pytest.fixture
def own_cluster(monkeypatch: pytest.MonkeyPatch) -> OwnCluster:
    """Workers in this process, whose pipelines have no networks."""
    cluster = OwnCluster()
    for name in ("build", "build_for_photos"):
        monkeypatch.setattr(f"matte.fleet.worker.{name}", cluster.build)
    matte_photo = Batch._matte

    def watched(self: Batch, pipeline: BuiltPipeline, job: PhotoJob) -> MattedPhoto:
        cluster.on_photo(job)
        return matte_photo(self, pipeline, job)

    monkeypatch.setattr(Batch, "_matte", watched)
    return cluster
