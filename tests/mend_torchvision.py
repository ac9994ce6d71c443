"""Makes a torchvision that was built for another torch importable in this virtual environment.

Run by the Makefile after installing: `python tests/mend_torchvision.py`. Package indexes may pair
a CPU torch with a torchvision whose compiled operators it can't load; importing it then fails with
"operator torchvision::nms does not exist", and with it timm and segmentation-models-pytorch, though
none of them needs the operator. Only after that very error does this program write a small import
hook into the environment's site-packages. A torchvision that imports is left alone.
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

ERROR = "operator torchvision::nms does not exist"
HOOK = "torchvision_without_operators"
HOOK_SOURCE = '''\
"""Lets torchvision be imported without its compiled operators (see tests/mend_torchvision.py)."""

import sys

kept = []  # the library that holds the operators' definitions must outlive the import


class TorchvisionFinder:
    """Finds torchvision as usual, and runs its module a second time if the operators lack."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "torchvision":
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module):
            try:
                run(module)
            except RuntimeError as error:
                if "operator torchvision::nms does not exist" not in str(error) or kept:
                    raise
                for loaded in [m for m in sys.modules if m.startswith("torchvision.")]:
                    del sys.modules[loaded]
                define_operators()
                run(module)

        spec.loader.exec_module = exec_module
        return spec


def define_operators():
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    kept.append(library)


sys.meta_path.insert(0, TorchvisionFinder)
'''


def import_error() -> str:
    """The last line that a fresh interpreter says about `import torchvision`; empty if none."""
    run = subprocess.run(
        [sys.executable, "-c", "import torchvision"], capture_output=True, text=True, check=False
    )
    return run.stderr.strip().splitlines()[-1] if run.returncode else ""


def main() -> str:
    """What was done, in one line."""
    site = Path(sysconfig.get_path("purelib"))
    error = import_error()
    if not error:
        mended = (site / f"{HOOK}.pth").exists()
        return "torchvision imports" + (" (mended earlier)" if mended else "; nothing to mend")
    if ERROR not in error:
        return f"torchvision left alone: {error}"
    if sys.prefix == sys.base_prefix:
        return "torchvision left alone: not in a virtual environment"
    (site / f"{HOOK}.py").write_text(HOOK_SOURCE, encoding="utf-8")
    (site / f"{HOOK}.pth").write_text(f"import {HOOK}\n", encoding="utf-8")
    left = import_error()
    return f"torchvision is still broken: {left}" if left else f"torchvision mended in {site}"


if __name__ == "__main__":
    sys.stdout.write(main() + "\n")
