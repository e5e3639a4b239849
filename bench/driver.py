#!/usr/bin/env python3
"""Measures ours, the floor and every available peer alternately in one run. Called by script/bench, which builds the
bench program and sets up the peers.

For each number type and case: every process opens the case, its answer is compared with the reference that ours wrote
in float64, and whoever agrees is measured, one after the other, round after round, with one thread and with two. A
figure is the median over the rounds of the median step of a round.
"""
import argparse
import collections
import datetime
import fnmatch
import json
import os
import statistics
import subprocess
import sys

import report
from workers import FORMULATIONS, Ours, Peer, formulations

FOLDER = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(FOLDER, "out")
ORDER = list(FORMULATIONS)

# Who runs a case, and how.
Key = collections.namedtuple("Key", "name formulation threads")


def arguments():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--case", action="append", metavar="NAME", help="only these (* and ? match; may be repeated)")
    parser.add_argument("--dtype", choices=["float32", "float64"], action="append", help="only this number type")
    parser.add_argument("--threads", type=int, choices=[1, 2], action="append", help="only so many threads")
    parser.add_argument("--rounds", type=int, help="rounds (5; 2 with --quick)")
    parser.add_argument("--seconds", type=float, help="of one measurement (0.3; 0.1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="a few small cases on one thread")
    parser.add_argument("--compiled", action="store_true", help="torch.compile too: minutes of compilation")
    parser.add_argument("--blas-kernels", metavar="NAME", help="OpenBLAS' kernels for the floor and the hand-written peer "
                        "(Haswell, SkylakeX, …); left to itself it takes those of the processor, whatever OPENBLAS_ "
                        "variables the environment has")
    parser.add_argument("--update", action="store_true", help="write bench/results.md")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--python", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--native", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--called", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (2 if chosen.quick else 5)
    chosen.seconds = chosen.seconds or (0.1 if chosen.quick else 0.3)
    chosen.dtype = chosen.dtype or ["float32", "float64"]
    chosen.threads = chosen.threads or ([1] if chosen.quick else [1, 2])
    return chosen


def choose_cases(options):
    cases = json.loads(subprocess.check_output([options.program, "list"], text=True))
    if options.case:
        cases = [c for c in cases if any(fnmatch.fnmatch(c["name"], pattern) for pattern in options.case)]
    elif options.quick:
        cases = [c for c in cases if c["quick"]]
    if not cases:
        sys.exit("script/bench: no case has that name")
    return cases


def write_reference(program, case):
    folder = os.path.join(OUT, "reference")
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, case["name"] + ".safetensors")
    subprocess.check_call([program, "write", case["name"], file])
    return file


# ---- One case: a row for each number of threads ----


def go_round(runners, refused, ours, case, options):
    """Times by runner, and the floor's: a list with one figure a round. A runner that fails drops out: refused."""
    times, floors = {key: [] for key in runners}, []
    for _ in range(options.rounds):
        for key in list(times):
            answer = runners[key].measure(key.formulation, options.seconds)
            if "us" in answer:
                times[key].append(answer["us"])
            else:
                del times[key]
                refused[key] = answer.get("reason", "it failed while it was measured")
        floors.append(ours.floor(case, options.seconds))
    return times, floors


def open_all(teams, case, file, dtype, options):
    """Who agrees with the reference, and the reasons why the others do not. A formulation's runs with one thread and
    with two follow each other, so that their ratio is of the same second."""
    runners, refused = {}, {}
    wanted = [(Key(worker.name, formulation, threads), worker)
              for threads, team in teams.items() for worker in team if not worker.missing or worker.name == "ours"
              for formulation in formulations(worker.name, case["method"], dtype, options.compiled)]
    for key, worker in sorted(wanted, key=lambda pair: (ORDER.index(pair[0].name), pair[0].formulation)):
        answer = worker.open(case, file, key.formulation)
        if answer["status"] == "ok":
            runners[key] = worker
        else:
            refused[key] = answer["reason"]
    return runners, refused


def summary(key, times, refused):
    if key not in times:
        return {"refused": refused[key]}
    return {"us": statistics.median(times[key]), "rounds": times[key]}


def over_one_thread(key, times):
    """How much faster than with one thread, in the same rounds."""
    one, own = times.get(key._replace(threads=1)), times.get(key)
    return statistics.median(a / b for a, b in zip(one, own)) if key.threads > 1 and one and own else None


def make_row(case, dtype, threads, keys, times, floors, refused):
    floor_us = [f["us"] / threads for f in floors if f.get("us")]
    own = Key("ours", "", threads)
    row = {"case": case["name"], "dtype": dtype, "threads": threads, "ours": summary(own, times, refused),
           "floor_us": statistics.median(floor_us) if floor_us else None, "floor_block": floors[0].get("block"),
           "floor_flops": floors[0].get("flops"), "ours_over_floor": None,
           "over_one_thread": over_one_thread(own, times), "peers": {}}
    ours = row["ours"].get("us")
    if ours and row["floor_us"]:
        row["ours_over_floor"] = ours / row["floor_us"]
    for key in keys:
        if key.name == "ours" or key.threads != threads:
            continue
        result = summary(key, times, refused)
        if "us" in result:
            result["over_ours"] = result["us"] / ours if ours else None
        row["peers"].setdefault(key.name, {})[key.formulation] = result
    return row


def measure_case(teams, case, file, dtype, options):
    runners, refused = open_all(teams, case, file, dtype, options)
    times, floors = go_round(runners, refused, next(iter(teams.values()))[0], case, options)
    for team in teams.values():
        for worker in team:
            worker.close()
    keys = list(runners) + [key for key in refused if key not in runners]
    return [make_row(case, dtype, threads, keys, times, floors, refused) for threads in teams]


# ---- All rows ----


def asked(cases, dtypes, compiled):
    """The peers that do something of it."""
    return [name for name in FORMULATIONS if name != "ours"
            if any(formulations(name, case["method"], dtype, compiled) for case in cases for dtype in dtypes)]


def start_team(cases, options, dtype, threads):
    """Ours, which comes first, and the peers."""
    return [Ours(options.program, dtype, threads)] + [Peer(name, options.python, options.native, dtype, threads)
                                                      for name in asked(cases, [dtype], options.compiled)]


def measure_all(cases, files, options, results):
    cpus = len(os.sched_getaffinity(0))
    if max(options.threads) > cpus:
        print(f"{max(options.threads)} threads are left out: there are fewer CPUs", file=sys.stderr)
    for dtype in options.dtype:
        teams = {threads: start_team(cases, options, dtype, threads) for threads in options.threads if threads <= cpus}
        workers = [worker for team in teams.values() for worker in team]
        results["peers"].update({w.name: w.missing and f"missing: {w.missing}" or w.hello["version"]
                                 for w in workers if w.name != "ours"})
        for case in cases:
            for row in measure_case(teams, case, files[case["name"]], dtype, options):
                results["rows"].append(row)
                print(report.text_row(row), flush=True)
        for worker in workers:
            worker.stop()


def save(results, options):
    versions = [f"{name} {told}" if told.startswith("missing") else told for name, told in results["peers"].items()]
    results["machine"] = report.machine(options.program, versions)
    for what in "memory", "products":
        told = subprocess.check_output([options.program, what], text=True)
        results[what] = [json.loads(line) for line in told.splitlines()]
    results["machine"]["load_at_the_start"] = results.pop("load")
    path = os.path.join(OUT, "results.json")
    with open(path, "w") as file:
        json.dump(results, file, indent=1)
    print("written:", os.path.relpath(path))
    if options.update:
        path = os.path.join(FOLDER, "results.md")
        with open(path, "w") as file:
            file.write(report.markdown(results))
        print("written:", os.path.relpath(path))


def set_kernels(name):
    """What the processor gets, or what was asked for: not what this machine's environment happens to say."""
    for variable in [v for v in os.environ if v.startswith("OPENBLAS_")]:
        print(f"{variable}={os.environ.pop(variable)} of the environment is left out", file=sys.stderr)
    if name:
        os.environ["OPENBLAS_CORETYPE"] = name


def main():
    options = arguments()
    set_kernels(options.blas_kernels)
    cases = choose_cases(options)
    results = {"command": ("script/bench " + options.called).strip(), "rows": [], "peers": {},
               "date": datetime.date.today().isoformat(), "load": f"{os.getloadavg()[0]:.2f}",
               "rounds": options.rounds, "seconds": options.seconds}
    files = {case["name"]: write_reference(options.program, case) for case in cases}
    print(report.text_header(asked(cases, options.dtype, options.compiled)))
    try:
        measure_all(cases, files, options, results)
    finally:
        if results["rows"]:
            save(results, options)
    refused = list(report.refusals(results["rows"]))
    for sentence in refused:
        print("refused:", sentence)
    return 1 if any(sentence.startswith("ours") for sentence in refused) else 0


if __name__ == "__main__":
    sys.exit(main())
