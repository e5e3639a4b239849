"""What the examples' reports and tables hold, beyond being there. Run by check.sh in its folder."""
import csv
import json
import math
import sys
import traceback


def read(name):
    def no_constant(text):  # NaN and Infinity are no JSON
        raise ValueError(f"{name}: {text}")

    with open(name, encoding="utf-8") as file:
        return json.load(file, parse_constant=no_constant)


def density2d():
    four, again = read("four.json"), read("again.json")
    names = [row["loss"] for row in four["losses"]]
    assert names == ["ml-is", "cd", "score-matching", "nce"], names
    assert four["training_rows"] + four["held_out_rows"] == 272
    for row, twin in zip(four["losses"], again["losses"]):
        assert row["error"] == "" and row["normalisable"], row["loss"]
        assert row["steps"] == len(row["history_loss"]) == 20 and 0 <= row["best_step"] <= 20
        assert all(math.isfinite(value) for value in row["history_loss"])
        assert row["history_loss"] == twin["history_loss"], "the same seed gives the same numbers"
        # The density on its grid, added up, is 1, but for what lies outside the picture.
        with open(f"deep/er/density2d-{row['loss']}.csv", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        x, y = (sorted({float(line[axis]) for line in table}) for axis in "xy")
        assert len(x) * len(y) == len(table)
        mass = sum(float(line["density"]) for line in table) * (x[1] - x[0]) * (y[1] - y[0])
        assert 0.02 < mass < 1.01, (row["loss"], mass)
        point = table[len(table) // 2]
        log_density = -float(point["E"]) - row["log_z_doubled"]
        assert math.isclose(math.log(float(point["density"])), log_density, abs_tol=1e-9), row["loss"]
    assert four["losses"][1]["log_z_estimate"] is None and four["losses"][3]["log_z_estimate"] is not None
    failed = read("failed.json")["losses"][0]
    assert failed["error"].startswith("step ") and failed["held_out_mean_log_likelihood"] is None
    assert [row["loss"] for row in read("line.json")["losses"]] == ["cd", "nce"]


def geyer():
    panels = {panel["figure"]: panel for panel in read("geyer.json")["panels"]}
    assert len(panels) == 6
    for panel in panels.values():
        assert len(panel["theta"]) == len(panel["truth"]) == 7 and len(panel["estimates"]) == panel["draws"]
        for low, mean, high in zip(panel["min"], panel["mean"], panel["max"]):
            assert low <= mean <= high
    for name, panel in panels.items():  # J by its formula; its minimum is at the MLE
        n, mle = panel["rows"], panel["mle"]
        for theta, truth in zip(panel["theta"], panel["truth"]):
            exact = n * (mle**2 / (2 * theta**2) + 0.5 * math.log(2 * math.pi * theta**2))
            assert math.isclose(exact, truth, rel_tol=1e-12), name
    # The wide proposal with many points is close to the truth, the narrow one with few is not.
    wide, narrow = (abs(panels[f"geyer-{name}"]["largest_gap_of_the_mean"]) for name in ("2b", "1b"))
    assert wide < 2 < narrow, (wide, narrow)
    assert abs(panels["geyer-2b"]["theta_mean"] - panels["geyer-2b"]["mle"]) < 0.05
    assert 0 < panels["geyer-2b"]["theta_noise_error"] < panels["geyer-2b"]["theta_standard_error"]


try:
    density2d()
    geyer()
except (AssertionError, KeyError, OSError, ValueError) as problem:
    line = traceback.extract_tb(problem.__traceback__)[-1].lineno
    sys.exit(f"failed: check.py, line {line}: {problem!r}")
