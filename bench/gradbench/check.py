"""check.py PROGRAM [ARGUMENT…]: asks a tool of the suite for every function at small sizes, and compares with
reference.py. Says what is wrong, and ends with 1 then."""
import json
import subprocess
import sys

from inputs import FUNCTIONS, SMALL, make
from reference import RIGHT

TOLERANCE = 1e-10


class Tool:
    """A program that speaks the protocol."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.id = 0

    def ask(self, kind, **message):
        self.id += 1
        print(json.dumps({"id": self.id, "kind": kind} | message), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        if answer["id"] != self.id:
            raise ValueError(f"message {self.id} was answered as {answer['id']}")
        return answer

    def evaluate(self, module, function, given):
        return self.ask("evaluate", module=module, function=function, input=given)

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def difference(a, b):
    """The largest, relative to numbers above 1; infinite where the structure differs."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return max(difference(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max((difference(x, y) for x, y in zip(a, b)), default=0)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) / max(1, abs(a), abs(b))
    return float("inf")


def wrong(tool, module, function, given):
    answer = tool.evaluate(module, function, given)
    if not answer["success"]:
        return answer.get("error")
    tolerance = 1e-6 if module == "particle" else TOLERANCE  # a descent ends where it may
    far = difference(RIGHT[module](given, function), answer["output"])
    return None if far <= tolerance else f"off by {far}"


def refusals(tool):
    """What is no input of an evaluation is an error with a sentence."""
    bad = [("ode", "primal", {"x": [1]}), ("gmm", "objective", {"d": 2}), ("det", "primal", {"A": [1, 2], "ell": 2}),
           ("lse", "nothing", {"x": [1]}), ("ba", "objective", {"n": 0, "m": 1, "p": 1}), ("nothing", "primal", {})]
    for module, function, given in bad:
        answer = tool.evaluate(module, function, given)
        if answer["success"] or not answer.get("error"):
            yield f"{module}: {function} at {given}: not refused"


def main():
    tool, faults, count = Tool(sys.argv[1:]), [], 0
    if not tool.ask("start")["tool"] or tool.ask("define", module="nothing")["success"]:
        faults.append("start, or define of what there is not")
    for module, functions in FUNCTIONS.items():
        if not tool.ask("define", module=module)["success"]:
            faults.append(f"{module} is not there")
            continue
        for size in SMALL[module]:
            given = make(module, size)
            for function in functions:
                count += 1
                fault = wrong(tool, module, function, given)
                if fault:
                    faults.append(f"{module} {function} {size}: {fault}")
    faults += refusals(tool)
    if tool.close():
        faults.append("the program failed")
    print("\n".join(faults) or f"{count} functions are right")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
