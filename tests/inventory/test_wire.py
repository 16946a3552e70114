from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from types import FrameType

import msgspec

import engine.inventory.wire as wire

learnt = []


def watch(frame: FrameType, event: str, _argument: object) -> None:
    if event == "call" and frame.f_code.co_name == "get_class_annotations":
        learnt.append(frame.f_locals)


shapes = [s for s in vars(wire).values() if isinstance(s, type) and issubclass(s, msgspec.Struct)]


class Control(msgspec.Struct):
    field: int


sys.setprofile(watch)
for shape in shapes:
    msgspec.convert([], list[shape])
late = len(learnt)
msgspec.convert([], list[Control])
sys.setprofile(None)
print(len(shapes) > 10, late, len(learnt) - late)
"""


def test_every_shape_is_known_to_msgspec_before_threads_can_meet_there() -> None:
    """Two threads at a shape's first use end the process; `Control` shows that the watch sees."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["True", "0", "1"], done.stderr
