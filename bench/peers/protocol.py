"""What the peers share: the conversation with the driver, the comparison with the reference, the clock.

A peer is started as `PEER.py DTYPE THREADS`, reads one JSON request a line and answers each with one line:
{"command": "open", "case": {...}, "formulation": name, "file": path}
{"command": "measure", "formulation": name, "seconds": s}
{"command": "close"}, which forgets all that is open.
A problem that a peer makes has answer() -> (value, flat gradient) at the file's parameters and points, and step().
"""
import json
import math
import os
import statistics
import sys
import time

import numpy
from safetensors.numpy import load_file

TOLERANCE = {"float64": 1e-9, "float32": 1e-3}
MOST_SAMPLES = 20000


def parameter_names(case):
    """The order in which the reference's gradient lies."""
    others = {"gaussian": ["theta"], "gmm": ["alpha", "mu", "q", "l"], "kmeans": ["centroids"]}
    if case["method"] in others:
        return others[case["method"]]
    names = [name for layer in range(1, case["layers"] + 1) for name in (f"W{layer}", f"b{layer}")]
    return names + ["v"] + (["log_z"] if case["method"] in ("nce", "full") else [])


def flatten(arrays):
    return numpy.concatenate([numpy.asarray(a, dtype="float64").ravel() for a in arrays])


def compare(answer, reference, dtype):
    """None when the answer is the reference's, else the reason why not."""
    value, gradient = answer
    want, want_gradient = float(reference["value"]), reference["gradient"].ravel()
    if gradient.shape != want_gradient.shape:
        return f"a gradient of {gradient.size} numbers; the reference has {want_gradient.size}"
    value_error = abs(float(value) - want) / max(1.0, abs(want))
    gradient_error = float(numpy.linalg.norm(gradient - want_gradient) / numpy.linalg.norm(want_gradient))
    if value_error <= TOLERANCE[dtype] and gradient_error <= TOLERANCE[dtype]:
        return None
    return f"value off by {value_error:.2g}, gradient by {gradient_error:.2g}; allowed is {TOLERANCE[dtype]:.0e}"


def median_step(step, seconds):
    """As bench/timing.c: one call untimed, then the median of a call, in microseconds; short calls in groups."""
    start = time.perf_counter()
    step()
    once = time.perf_counter() - start
    calls = math.ceil(20e-6 / max(once, 1e-8)) if once < 20e-6 else 1
    samples, end = [], time.perf_counter() + seconds
    while not samples or (time.perf_counter() < end and len(samples) < MOST_SAMPLES):
        start = time.perf_counter()
        for _ in range(calls):
            step()
        samples.append((time.perf_counter() - start) / calls)
    return 1e6 * statistics.median(samples)


class Peer:
    def __init__(self, make, dtype):
        self.make, self.dtype, self.problems = make, dtype, {}

    def open(self, request):
        reference = load_file(request["file"])
        numbers = {name: a.astype(self.dtype) for name, a in reference.items() if name not in ("value", "gradient")}
        problem = self.make(request["case"], numbers, request["formulation"])
        reason = compare(problem.answer(), reference, self.dtype)
        if reason:
            return {"status": "refused", "reason": reason}
        self.problems[request["formulation"]] = problem
        return {"status": "ok"}

    def measure(self, request):
        return {"status": "ok", "us": median_step(self.problems[request["formulation"]].step, request["seconds"])}

    def close(self, request):
        self.problems = {}
        return {"status": "ok"}

    def obey(self, request):
        try:
            return {"open": self.open, "measure": self.measure, "close": self.close}[request["command"]](request)
        except Exception as error:  # a peer's failure is a refused row, not the end of the bench
            return {"status": "refused", "reason": f"{type(error).__name__}: {error}"[:500]}


def serve(make, dtype, hello):
    """Answers until standard input ends. Whatever the peer's libraries print goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    peer = Peer(make, dtype)
    print(json.dumps({"status": "ok", **hello}), file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(peer.obey(json.loads(line))), file=out, flush=True)
