"""The processes that are measured: ours and the peers. Each keeps its cases open while the driver goes round."""
import json
import os
import subprocess
import sys
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))

# What a peer runs for each method; one formulation is one row. A method that is not named has the default (None); where
# there is none, the peer is not asked.
SCALAR_TAPE = {"gaussian": ["plain", "factored"]}
FORMULATIONS = {
    "ours": {None: [""]},
    "jax": {"score": ["folx", "hvp", "hvp-jvp", "curvature"], "cd": ["scan", "unrolled"],
            "langevin": ["scan", "unrolled"], None: ["jit"]},
    "torch": {"score": ["backward", "hvp", "curvature"], None: ["eager"]},
    "hand": {**{method: ["unfused"] for method in ("nce", "ml-is", "cd", "score", "denoise", "langevin", "gaussian",
                                                  "full")},
             **{method: ["loops"] for method in ("gmm", "kmeans")}},
    "adolc": SCALAR_TAPE, "cppad": SCALAR_TAPE, "stan": SCALAR_TAPE,
}
COMPILED = {"score": ["compiled-curvature"], "nce": ["compiled"], "ml-is": ["compiled"]}
NATIVE = {"hand": ["float32", "float64"], "adolc": ["float64"], "cppad": ["float64"], "stan": ["float64"]}


def formulations(peer, method, dtype, compiled):
    if dtype not in NATIVE.get(peer, [dtype]):
        return []
    table = FORMULATIONS[peer]
    extra = COMPILED.get(method, []) if peer == "torch" and compiled else []
    return table.get(method, table.get(None, [])) + extra


class Worker:
    """A process on `threads` CPUs that answers a line with a line. `missing` is the reason why there is none."""

    def __init__(self, command, threads):
        cpus = sorted(os.sched_getaffinity(0))[-threads:]
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
        self.missing, self.hello, self.errors = None, {}, tempfile.TemporaryFile("w+")
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                            stderr=self.errors, env=environment,
                                            preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        except OSError as error:
            self.process, self.missing = None, error.strerror
            return
        self.hello = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.errors.seek(0)
        self.missing = (self.errors.read().strip().splitlines() or ["it ended"])[-1]
        return {"status": "refused", "reason": self.missing}

    def send(self, line):
        if self.missing:
            return {"status": "refused", "reason": self.missing}
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.read()

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


class Ours(Worker):
    name = "ours"

    def __init__(self, program, dtype, threads):
        super().__init__([program, "serve", dtype, str(threads)], threads)

    def open(self, case, file, formulation):
        return self.send(f"open {case['name']} {file}")

    def measure(self, formulation, seconds):
        return self.send(f"measure {seconds}")

    def floor(self, case, seconds):
        return self.send(f"floor {case['name']} {seconds}")

    def close(self):
        return self.send("close")


class Peer(Worker):
    """A program of `native`, or a script that `python` runs."""

    def __init__(self, name, python, native, dtype, threads):
        program = [os.path.join(native, name)] if name in NATIVE else [
            python, os.path.join(FOLDER, "peers", f"{name}_peer.py")]
        super().__init__([*program, dtype, str(threads)], threads)
        self.name = name
        if self.missing:
            print(f"{name} is missing: {self.missing}", file=sys.stderr)

    def open(self, case, file, formulation):
        return self.send(json.dumps({"command": "open", "case": case, "file": file, "formulation": formulation}))

    def measure(self, formulation, seconds):
        return self.send(json.dumps({"command": "measure", "formulation": formulation, "seconds": seconds}))

    def close(self):
        return self.send(json.dumps({"command": "close"}))
