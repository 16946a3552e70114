"""Real processes that start at once: forked from one that has imported all that they need.

`python -m multiprocessing`'s fork server has one thread and forks on demand, so a start costs
hundredths of a second where a fresh interpreter costs one. Each child is a process that can be
killed, and inherits nothing that the tests have changed in theirs.
"""

from __future__ import annotations

import multiprocessing

WARM = "tests.forking.warm"
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([WARM])
