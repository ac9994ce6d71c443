import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="signals as Linux has them")
def test_the_main_thread_gets_no_stack_for_signals() -> None:
    """OpenVINO frees it with its network: the next Ctrl-C would end in a crash."""
    code = (
        "import ctypes\n"
        "from matte.configs.loader import merge_settings\n"
        "from matte.pipeline.build import build_segmenter\n"
        "class Stack(ctypes.Structure):\n"
        "    _fields_ = [('sp', ctypes.c_void_p), ('flags', ctypes.c_int), ('n', ctypes.c_long)]\n"
        "flags = {'backend': 'openvino', 'precision': 'fp32'}\n"
        "session = build_segmenter(merge_settings('fast', flags=flags).config)\n"
        "stack = Stack()\n"
        "ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack))\n"
        "print('none' if stack.flags & 2 else 'one')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "none\n"), done.stderr
