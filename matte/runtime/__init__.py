"""Sessions that run networks: one file for each runtime, all behind the Session protocol."""

import os
import sys

# Runtimes report their use to their makers: OpenVINO if this package can be imported, ONNX Runtime
# from its import on unless it is told not to. Nothing that matte does is reported anywhere.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: no such module
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
