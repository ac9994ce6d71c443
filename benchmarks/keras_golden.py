"""What Keras computes with LikeUnet's published weights: tests/golden/likeunet_keras.npz.

    python benchmarks/keras_golden.py dark-light-pre.json dark-light-pre-50-0.9735.h5

Both files are the authors' (github.com/toytag/humanMatting, MIT). It needs `tf-keras` and
TensorFlow, in an environment of its own; nothing else in matte does. Three parts of the sample
portrait, in grey.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
PARTS = (
    ((0, 0, 512, 512), (256, 256)),
    ((128, 0, 384, 256), (256, 192)),
    ((0, 256, 512, 512), (320, 128)),
)


def main() -> None:
    """Run the network and write the file."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tf_keras

    design, weights = sys.argv[1:]
    network = tf_keras.models.model_from_json(Path(design).read_text())
    network.load_weights(weights)
    sample = Image.open(ROOT / "matte/media/samples/astronaut.jpg").convert("L")
    found: dict[str, Any] = {}
    for number, (part, size) in enumerate(PARTS):
        grey = np.asarray(sample.crop(part).resize(size, Image.Resampling.BOX))
        person = network.predict(grey.astype(np.float32)[None, ..., None], verbose=0)[0, ..., 1]
        found[f"picture{number}"] = grey
        found[f"person{number}"] = np.rint(person * 65535).astype(np.uint16)
    np.savez_compressed(ROOT / "tests/golden/likeunet_keras.npz", **found)


if __name__ == "__main__":
    main()
