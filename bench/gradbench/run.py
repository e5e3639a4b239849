"""run.py PROGRAM PYTHON [MODULE…]: times the evaluations by the tape, by hand and in JAX, in turns, on one CPU, and
prints a table: the time of the tape (CPU time, the least of the rounds' medians) and what the others take over it.
Outputs must agree first. --quick: the smallest and the middle size of each."""
import os
import statistics
import sys

from check import Tool, difference
from inputs import FUNCTIONS, SIZES, make

ROUNDS, SECONDS, TOLERANCE = 3, 0.15, 1e-7


def median(tool, module, name, given):
    """In seconds, and the output; NaN where the tool has no such function."""
    answer = tool.evaluate(module, name, given)
    if not answer["success"]:
        return float("nan"), answer["error"]
    times = [t["nanoseconds"] for t in answer["timings"] if t["name"] == "evaluate"]
    return 1e-9 * statistics.median(times), answer["output"]


def timed(given):
    return given | {"min_runs": 1, "min_seconds": SECONDS} if isinstance(given, dict) else given


def measure(tools, module, name, size):
    given = timed(make(module, size))
    least, output = {}, {}
    for _ in range(ROUNDS):
        for who, tool in tools.items():
            own, output[who] = median(tool, module, name, given)
            least[who] = min(own, least.get(who, own))
    for who in tools:
        if least[who] == least[who] and module != "particle" and difference(output["tape"], output[who]) > TOLERANCE:
            raise SystemExit(f"{module} {name} {size}: {who} does not agree")
    return least


def row(module, name, size, least):
    ratios = [f"{least[who] / least['tape']:.2f}" if least.get(who, 0) > 0 else "" for who in ("hand", "jax")]
    return f"| {module} {name} | {' '.join(map(str, size))} | {1e6 * least['tape']:.4g} | {ratios[0]} | {ratios[1]} |"


def main():
    program, python, *modules = [a for a in sys.argv[1:] if a != "--quick"]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    folder = os.path.dirname(os.path.abspath(__file__))
    tools = {"tape": Tool([program, "tape", "cpu"]), "hand": Tool([program, "hand", "cpu"])}
    if python != "-":
        tools["jax"] = Tool([python, os.path.join(folder, "jax_tool.py"), "cpu"])
    print("| function | size | µs | hand | JAX |\n| --- | --- | --- | --- | --- |")
    for module in modules or FUNCTIONS:
        sizes = SIZES[module]
        for size in sizes[:len(sizes) // 2 + 1:max(1, len(sizes) // 2)] if "--quick" in sys.argv else sizes:
            for name in FUNCTIONS[module]:
                print(row(module, name, size, measure(tools, module, name, size)), flush=True)
    for tool in tools.values():
        tool.close()


if __name__ == "__main__":
    main()
