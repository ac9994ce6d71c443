"""Makes the int8 files of shipped networks, calibrated on pictures that they were trained on.

    python benchmarks/quantise_weights.py --data DATA [NAME…] [--out FOLDER]

DATA is the folder that `matte train` was given. The recipe's own split is made anew, so that no
picture is taken that it holds back; as many of each set as its weight says. NAME.int8.onnx goes
into FOLDER. Whether it may stand in the manifest, benchmarks/precision.py tells.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from held_back import RECIPES, AnyRecipe

from matte.arrays import Image
from matte.conversion.quantise import PICTURES, quantise_weights
from matte.errors import MatteError
from matte.training.collection import collect, fraction
from matte.training.recipes import read_recipe
from matte.weights.store import all_weights, stored


def main() -> None:
    """Quantises, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path())
    given = parser.parse_args()
    try:
        for name in given.names or sorted(n for n, w in all_weights().items() if w.recipe):
            pictures = trained_on(name, given.data)
            path = given.out / f"{name}.int8.onnx"
            done = quantise_weights(stored(name), pictures, path, overwrite=True)
            farthest = max(done.differences, key=lambda d: d.mean)
            size = path.stat().st_size / 1e6
            far = f"at most {farthest.mean:.4f} from fp32 on average ({farthest.runtime})"
            print(f"{path}: {size:.1f} MB, {done.pictures} pictures; {far}")
    except MatteError as error:
        parser.exit(1, f"Error: {error}\n")


def trained_on(name: str, data: Path) -> list[Image]:
    """PICTURES that the network's recipe trains on, of each set as its weight says."""
    weights = stored(name)
    recipe: AnyRecipe = read_recipe(RECIPES[weights.kind], weights.recipe)
    sets = [
        (chosen.weight, [s for s in samples if s.kind in ("mask", "alpha")])
        for chosen, samples in collect(recipe.data, recipe.collect, data, print).sets
    ]
    whole = sum(weight for weight, samples in sets if samples)

    def drawn() -> Iterator[Image]:
        for weight, samples in sets:
            count = round(PICTURES * weight / whole) if samples else 0
            for sample in sorted(samples, key=lambda s: fraction(s.name))[:count]:
                yield Image(sample.picture)

    return list(drawn())


if __name__ == "__main__":
    main()
