"""check.py PART iris.csv [tiny]: what the reports and tables of a part hold, beyond being there. Run by check.sh in its
folder. With `tiny` every report must be JSON and every table numbers; what longer runs find is not asked."""
import csv
import json
import math
import os
import re
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
    settings = four["settings"]
    assert settings["seed"] == settings["split_seed"] == 1 and settings["hidden"] == [8, 8], settings
    whole = [settings["seed"], settings["split_seed"], settings["batch"], *settings["hidden"]]
    whole += [row["settings"]["steps"] for row in four["losses"]] + [four["losses"][1]["settings"]["cd_steps"]]
    assert all(isinstance(value, int) for value in whole), "a whole number is written as one"
    assert [row["settings"].get("noise_ratio") for row in four["losses"]] == [2, None, None, 2]
    assert four["losses"][1]["settings"]["cd_steps"] == 10 and four["losses"][2]["settings"]["data_noise"] == 0.2
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
    assert math.isclose(four["log_jacobian"], -sum(map(math.log, four["sd"])), rel_tol=1e-12)
    five = read("five.json")
    assert len(five["mean"]) == len(five["sd"]) == 5
    for row in five["losses"]:
        assert row["error"] == "" and row["log_z"] is None and row["log_z_importance_ess"] >= 100, row["loss"]
        assert row["normalisable"] is None, "no quadrature was made, and so no verdict"
        assert math.isfinite(row["held_out_mean_log_likelihood"]) and math.isfinite(row["held_out_score_matching"])
    own = five["losses"][0]  # the same integral, by other and fewer points of the same proposal
    assert abs(own["log_z_estimate"] - own["log_z_importance"]) < 4 / math.sqrt(own["health_value"]), own
    few = read("few.json")["losses"][0]  # the points of the proposal do not reach a network that is not fitted yet
    assert few["error"] == "" and few["log_z_importance_ess"] < 100 and few["held_out_mean_log_likelihood"] is None
    failed = read("failed.json")["losses"][0]
    assert failed["error"].startswith("step ") and failed["held_out_mean_log_likelihood"] is None
    assert [row["loss"] for row in read("line.json")["losses"]] == ["cd", "nce"]
    for row in read("line.json")["losses"]:  # the density on its line, and its slope
        with open(f"line/density2d-{row['loss']}.csv", encoding="utf-8") as file:
            table = [{key: float(value) for key, value in line.items()} for line in csv.DictReader(file)]
        step = table[1]["x"] - table[0]["x"]
        assert 0.02 < sum(line["density"] for line in table) * step < 1.01, row["loss"]
        middle = len(table) // 2
        slope = (table[middle + 1]["E"] - table[middle - 1]["E"]) / (2 * step)
        assert math.isclose(table[middle]["score"], -slope, rel_tol=1e-2, abs_tol=1e-3), row["loss"]


def geyer():
    panels = {panel["figure"]: panel for panel in read("geyer.json")["panels"]}
    assert len(panels) == 7
    worth = {(line["proposal"], line["theta"]): line for line in read("geyer.json")["worth"]}
    assert len(worth) == 12 and all(0 <= line["coverage"] <= 1 for line in worth.values())
    assert worth["q1", 4]["pareto_k"] > 0.5 > worth["q2", 4]["pareto_k"], worth
    assert worth["q1", 4]["log_z_error"] is None and worth["q1 following", 4]["log_z_error"] < 0.05, worth
    assert "no variance" in worth["q1", 4]["verdict"] and worth["q1 following", 3]["ess_share"] > 0.3, worth
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


def two_moments_errors(name):
    """Of eta for (u, u^2): inverse of their covariance under the density, that of the data between two of them."""
    columns = {}
    for part in ("", "-data"):
        with open(f"{name}{part}.csv", encoding="utf-8") as file:
            columns[part] = [[float(line["x"]), float(line.get("moments_2", 1))] for line in csv.DictReader(file)]
    low, high = columns[""][0][0], columns[""][-1][0]

    def covariance(rows):
        total = sum(w for _, w in rows)
        u = [(2 * x - low - high) / (high - low) for x, _ in rows]
        m = [sum(w * v**k for v, (_, w) in zip(u, rows)) / total for k in range(5)]
        return [[m[2] - m[1] ** 2, m[3] - m[1] * m[2]], [m[3] - m[1] * m[2], m[4] - m[2] ** 2]]

    for end in (0, -1):  # trapezoidal weights
        columns[""][end][1] /= 2
    h, s = covariance(columns[""]), covariance(columns["-data"])
    det = h[0][0] * h[1][1] - h[0][1] ** 2
    inverse = [[h[1][1] / det, -h[0][1] / det], [-h[0][1] / det, h[0][0] / det]]
    return [math.sqrt(sum(v[i] * s[i][j] * v[j] for i in range(2) for j in range(2)) / len(columns["-data"]))
            for v in inverse]


def maxent():
    r = read("maxent.json")
    # Jaynes (1978), Where do we stand on maximum entropy?: the die with a mean of 4.5
    jaynes = [0.05435, 0.07877, 0.11416, 0.16545, 0.23977, 0.34749]
    for p, exact in zip(r["die"]["probability"], jaynes, strict=True):
        assert abs(p - exact) < 6e-6, r["die"]
    assert abs(r["die"]["eta"] - r["die"]["truth"]) < 1e-9
    for family in r["families"]:
        for eta, truth in zip(family["eta"], family["eta_truth"], strict=True):
            assert abs(eta - truth) < 1e-3, family
        assert abs(family["entropy"] - family["entropy_truth"]) < 1e-3, family
    entropies = [fit["entropy"] for fit in r["moments"]]
    assert len(entropies) == 4 and entropies == sorted(entropies, reverse=True), entropies
    for fit in r["moments"]:
        assert abs(fit["entropy"] + fit["mean_log_likelihood"]) < 1e-4, fit
        assert len(fit["standard_errors"]) == fit["moments"] and min(fit["standard_errors"]) > 0, fit
    for ours, exact in zip(r["moments"][0]["standard_errors"], two_moments_errors("more/maxent-moments"), strict=True):
        assert math.isclose(ours, exact, rel_tol=1e-6), (ours, exact)


def mixture():
    report = read("mixture.json")
    fits = report["fits"]
    last = fits[-1]
    assert [fit["rows"] for fit in fits] == [500, 2000, 8000]
    assert math.isclose(sum(last["pi"]), 1) and abs(last["pi"][0] - 0.3) < 0.03, last["pi"]
    for estimate, closed in zip(last["log_z_estimates"], last["log_z_closed"], strict=True):
        assert abs(estimate - closed) < 0.1, last
    assert abs(last["nce_log_z"] - last["mixture_log_z"]) < 0.1
    assert -0.001 < last["kl_divergence"] < 0.01 and last["kl_divergence"] < fits[0]["kl_divergence"]
    assert math.dist(last["mean"], (-1.5, -0.5)) < 0.1 and math.dist(last["location"], (1.5, 1)) < 0.1, last
    for theta, truth, se, noise in zip(last["theta"], report["theta_truth"], last["standard_errors"],
                                       last["noise_errors"], strict=True):
        assert 0 < noise < se < 0.2 and abs(theta - truth) < 4 * se, (theta, truth, se)
    for wide, narrow in zip(fits[0]["standard_errors"], last["standard_errors"], strict=True):  # they fall like N^-1/2
        assert 2 < wide / narrow < 8, (wide, narrow)


def softmax_gradient(rows, w, ridge):
    """Of -mean log p(y | x) + ridge/2 |w|^2; w[j][k] of input j (4: the constant) and label k + 1."""
    columns = list(zip(*rows))
    for k in range(4):
        mean = sum(columns[k]) / len(rows)
        sd = math.sqrt(sum((v - mean) ** 2 for v in columns[k]) / len(rows))
        columns[k] = [(v - mean) / sd for v in columns[k]]
    gradient = [ridge * v for v in w]
    for *x, label in zip(*columns):
        x = [*x, 1]
        odds = [math.exp(sum(x[j] * w[2 * j + k] for j in range(5))) for k in range(2)]
        for j in range(5):
            for k in range(2):
                wrong = odds[k] / (1 + sum(odds)) - (label == k + 1)
                gradient[2 * j + k] += x[j] * wrong / len(rows)
    return gradient


def conditional(path):
    r = read("conditional.json")
    with open(path, encoding="utf-8") as file:
        rows = [[float(v) for v in line] for line in list(csv.reader(file))[1:]]
    for name, limit in (("newton", 1e-12), ("energy", 1e-10)):  # neither is taken at its word
        gradient = softmax_gradient(rows, r[name], 0.01)
        assert max(map(abs, gradient)) < limit, (name, gradient)
    assert r["largest_difference"] < 1e-9 and all(0 < se < 1 for se in r["standard_errors"])
    fits = {row["method"]: row for row in r["pitchfork"]}
    truth, line = r["pitchfork_truth"], r["pitchfork_linear_regression"]
    for method in ("own, score matching", "own, ranking NCE"):
        row = fits[method]
        for fitted, wanted, se in zip(row["theta"], (1 / 0.6, 1 / 0.3), row["standard_errors"], strict=True):
            assert 0 < se < 0.4 and abs(fitted - wanted) < 4 * se, (method, row)
    wrong = fits["own, NCE"]  # one log Z for all x, and it says so
    assert wrong["log_z_spread"] > 0.2 and wrong["held_out_mean_log_likelihood"] < truth - 0.03, wrong
    for method in ("exact ML", "score matching", "ranking NCE", "CD"):
        value = fits["network, " + method]["held_out_mean_log_likelihood"]
        assert line + 0.15 < value < truth + 0.02 and value > truth - 0.12, (method, value, truth)


def chain_crf():
    r = read("chain_crf.json")
    for fitted, truth, se in zip(r["steps"], r["steps_truth"], r["steps_se"], strict=True):
        assert 0 < se < 0.2 and abs(fitted - truth) < 5 * se, (fitted, truth, se)
    assert abs(r["slope"] - r["slope_truth"]) < 0.3
    assert r["alone"] + 2 < r["crf"] < r["truth"] + 0.01 < r["crf"] + 0.06, r
    path, marginal, alone = r["labels_right"]  # marginals make the fewest wrong labels
    assert alone + 0.05 < path < marginal + 0.002 < 1, r["labels_right"]


def ising():
    r = read("ising.json")
    first, last = r["sizes"][0], r["sizes"][-1]
    assert math.isclose(first["bound"], last["bound"] * 16)
    for method in ("pseudo-likelihood", "exact-ml", "ratio-matching", "pcd"):
        assert last[method] < 3 * last["bound"] and last[method] < first[method] / 4, (method, last)
        signs = [fit * truth > 0 for fit, truth in zip(r[method], r["truth"], strict=True) if abs(truth) > 0.1]
        assert len(signs) > 5 and all(signs), method


def contacts():
    first = read("contacts-fasta.json")
    assert first["sequences"] == 400 and first["sites"] == 26 and first["effective_sequences"] == 400
    truth = {(k, 27 - k) for k in range(1, 7)} | {(7, 16), (9, 19), (11, 25), (4, 13)}
    pairs = [(c["i"], c["j"]) for c in first["contacts"]]
    assert set(pairs[:10]) == truth, pairs  # the true ones first, and far above the next
    assert first["contacts"][9]["score"] > 2 * first["contacts"][10]["score"] > 0
    for other in ("lines", "a3m", "sto"):
        r = read(f"contacts-{other}.json")
        assert r["contacts"] == first["contacts"] and r["loss"] == first["loss"], other


def compose():
    r = read("compose.json")
    gaussians = r["gaussians"]
    assert abs(gaussians["precision"] - 1.25) < 1e-9 and abs(gaussians["mean"] - 3.4) < 1e-9
    assert abs(gaussians["log_z"] - gaussians["log_z_truth"]) < 1e-6
    for mean, truth, se in zip(r["chains"], r["quadrature"], r["standard_errors"], strict=True):
        assert 0 < se < 0.3 and abs(mean - truth) < 4.5 * se, r
    assert 0.3 < r["acceptance"] <= 1 and 0.1 < r["swapped"] <= 1


def mosaic(name):
    with open(name, encoding="utf-8") as file:
        return [float(line["value"]) for line in csv.DictReader(file)]


def rbm():
    whole, again = read("rbm.json"), read("rbm-again.json")
    assert whole["training_rows"] + whole["held_out_rows"] == 800
    assert [(row["loss"], row["hidden"]) for row in whole["fits"]] == [
        (loss, hidden) for hidden in (10, 24) for loss in ("cd", "pcd", "pseudo-likelihood")]
    for row in whole["fits"]:
        errors = row["log_z_forward_standard_error"], row["log_z_reverse_standard_error"]
        assert all(0 < error < 0.5 for error in errors), row["loss"]
        truth = row["log_z_forward"] if row["hidden"] == 24 else row["log_z_exact"]
        assert (row["log_z_exact"] is None) == (row["hidden"] == 24)
        for way, error in zip(("forward", "reverse"), errors):  # 5 standard errors, and AIS's own bias
            assert abs(row[f"log_z_{way}"] - truth) < 5 * math.hypot(*errors) + 0.1, (row["loss"], row["hidden"], way)
        gain = row["held_out_mean_log_likelihood"] - whole["independent_held_out_mean_log_likelihood"]
        assert 1.5 < gain < 12, (row["loss"], row["hidden"], gain)
    assert again["fits"][0]["history_loss"] == whole["fits"][1]["history_loss"], "the same seed gives the same numbers"
    assert whole["fits"][0]["history_loss"] != whole["fits"][1]["history_loss"], "PCD is not CD"
    data, filters, draws = (mosaic(f"rbm/rbm_digits-cd-10-{part}.csv") for part in (1, 2, 3))
    assert len(filters) == 640 and max(map(abs, filters)) == 1 and min(filters) < 0 < max(filters)
    assert set(data) == set(draws) == {0, 1}
    shares = [[sum(images[pixel::64]) / 64 for pixel in range(64)] for images in (data, draws)]
    gap = sum(abs(a - b) for a, b in zip(*shares)) / 64  # 0.06; draws of another machine: 0.26
    assert gap < 0.12, gap


def peaks(name):
    """Mean kurtosis of 16 filters of 6 × 6 pixels: large where they have a place."""
    x = mosaic(name)
    filters = [x[36 * i:36 * (i + 1)] for i in range(16)]
    return sum(36 * sum(v**4 for v in f) / sum(v**2 for v in f) ** 2 for f in filters) / 16


def embeddings():
    r = read("embeddings.json")
    n = r["held_out_rows"]
    share = r["energy"]["share_within_1_5_10"]
    assert share == sorted(share) and share[2] > 100 / n and r["energy"]["mean_place"] < n / 10, r
    assert all(mine > other for mine, other in zip(share, r["regression"]["share_within_1_5_10"], strict=True)), r


def ica():
    whole = read("ica.json")
    matching, nce = whole["fits"]
    assert (matching["loss"], nce["loss"]) == ("score-matching", "nce")
    for row in whole["fits"]:  # heavier tails than the Gaussian's, αᵢ > ½ or there is no density
        gain = row["held_out_mean_log_likelihood"] - whole["gaussian_held_out_mean_log_likelihood"]
        assert 0.8 < gain < 8 and row["mean_alpha"] > 0.5, (row["loss"], gain)
    assert matching["log_z_estimate"] is None and abs(nce["log_z_estimate"] - nce["log_z"]) < 1
    assert whole["principal_components_mean_cosine"] + 0.05 < whole["filters_mean_cosine"] <= 1
    components, filters = peaks("ica/ica_patches-1.csv"), peaks("ica/ica_patches-3.csv")
    assert filters > 1.4 * components, (filters, components)


def cd_meets_score_matching():
    """The Gaussian's gradient and the exact distance, computed again from the data."""
    gaussian, network = read("cd.json")["energies"]
    with open("table.csv", encoding="utf-8") as file:
        rows = [[float(v) for v in line.values()] for line in csv.DictReader(file)]
    columns = []
    for column in zip(*rows):
        mean = sum(column) / len(column)
        sd = math.sqrt(sum((v - mean) ** 2 for v in column) / len(column))
        columns.append([(v - mean) / sd for v in column])

    def product(a, b):
        return [[sum(a[i][k] * b[k][j] for k in range(2)) for j in range(2)] for i in range(2)]

    moments = [[sum(x * y for x, y in zip(a, b)) / len(a) for b in columns] for a in columns]
    precision = [[1.5, 0.4], [0.4, 0.8]]
    left, right = product(precision, moments), product(moments, precision)
    gradient = [0.5 * (left[i][j] + right[i][j]) - (i == j) for i in range(2) for j in range(2)]
    for ours, exact in zip(gaussian["score_matching_gradient"], [0, 0] + gradient):
        assert math.isclose(ours, exact, abs_tol=1e-12), (ours, exact)
    remainder = math.hypot(*sum(product(left, precision), [])) / math.hypot(*gradient)
    for point in gaussian["points"]:
        exact = remainder * point["epsilon"] ** 2 / 4
        assert math.isclose(point["exact_distance"], exact, rel_tol=1e-9), point
        mirrored = point["mirrored"]
        assert abs(mirrored["distance"] - exact) < 5 * mirrored["distance_error"], point
    for energy in (gaussian, network):
        for point in energy["points"]:
            plain, mirrored = point["plain"], point["mirrored"]
            assert abs(plain["ratio"] - mirrored["ratio"]) < 5 * math.hypot(plain["ratio_error"], mirrored["ratio_error"])
        first = energy["points"][0]["mirrored"]
        assert abs(first["ratio"] - 1) < 0.03 + 5 * first["ratio_error"], first
        assert abs(energy["order"] - 2) < 0.1 + 4 * energy["order_error"] < 1.2, energy["order"]


def denoise():
    """Tweedie's guess lies between the best linear one and the best of all, and far nearer to the latter."""
    report = read("denoise.json")
    noisy, linear, network, best = report["guesses"]
    assert [g["guess"] for g in (noisy, linear, network, best)] == ["noisy", "linear", "network", "best"]
    covariance = report["noise_covariance"]
    assert math.isclose(noisy["expected"], covariance[0] + covariance[3]) and covariance[1] == covariance[2] > 0
    for guess in (noisy, linear):
        assert abs(guess["mean_squared_error"] - guess["expected"]) < 5 * guess["standard_error"], guess
    errors = [g["mean_squared_error"] for g in (best, network, linear, noisy)]
    assert errors == sorted(errors) and errors[1] < 1.15 * errors[0] < 0.95 * errors[2], errors
    assert best["above_the_best"] == 0 < network["above_the_best"] < 0.3 * linear["above_the_best"]
    assert all(math.isfinite(value) for value in report["history_loss"])
    file = read("denoise-file.json")["guesses"]
    assert len(file) == 3 and file[2]["above_the_best"] is None


def score_field():
    """Every loss leads towards the truth: the divergence is 8 at the start, and grows along a wrong sign."""
    report = read("scores.json")
    rows = {row["loss"]: row for row in report["losses"]}
    assert len(rows) == 15
    entropy = math.log(8) + 1 + math.log(2 * math.pi * (0.5 / 1.414) ** 2)  # of eight Gaussians that do not overlap
    assert abs(report["true_mean_log_likelihood"] + entropy) < 5 * report["standard_error"] + 0.01
    for name, row in rows.items():
        hard = name in ("stein", "pcd", "ksd-imq")  # slow: critics have to be learnt, chains have to move
        assert row["error"] == "" and row["steps"] == 500 and row["normalisable"], name
        assert row["fisher_divergence"] < (7.4 if hard else 4), (name, row["fisher_divergence"])
        gap = report["true_mean_log_likelihood"] - row["held_out_mean_log_likelihood"]
        assert -0.05 < gap < (4 if hard else 0.8), (name, gap)
    for name in ("score-matching", "sliced", "sliced-reduced", "denoising", "conditional-nce"):
        assert rows[name]["fisher_divergence"] < 1.5, name
    with open("scores/score_field-truth.csv", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    x, y = (sorted({float(line[axis]) for line in table}) for axis in "xy")
    mass = sum(float(line["density"]) for line in table) * (x[1] - x[0]) * (y[1] - y[0])
    assert 0.99 < mass < 1.01, mass
    failed = read("scores-failed.json")["losses"]
    assert [row["loss"] for row in failed] == ["nce", "denoising"] and failed[0]["error"].startswith("step ")


def custom_energy():
    """What the README says that it prints, and the truth within two standard errors."""
    number = r"(-?[0-9.]+)"
    with open("custom_energy.txt", encoding="utf-8") as file:
        text = file.read()
    line = re.search(rf"a = {number} \+- {number}, b = {number} \+- {number}\n", text)
    a, a_error, b, b_error = (float(v) for v in line.groups())
    assert abs(a - 1.5) < 2 * a_error < 0.2 and abs(b - 3.864) < 2 * b_error < 0.6, line.group()
    log_z = float(re.search(rf"log Z = {number}, normalisable\n", text).group(1))
    x = [k / 1000 for k in range(-8000, 8001)]
    exact = math.log(sum(math.exp(-a * v * v - b * math.exp(-v * v)) for v in x) / 1000)
    assert abs(log_z - exact) < 0.003, (log_z, exact)
    assert math.isclose(float(re.search(rf"E\(1\) = {number}\n", text).group(1)), a + b / math.e, abs_tol=2e-3)
    with open(sys.argv[3], encoding="utf-8") as file:
        readme = file.read()
    printed = [line.partition("draws")[0] for line in text.splitlines()]  # draws differ between processors
    assert all(line in readme for line in printed if line), text


def well_formed():
    """Every JSON file is one, and in every table each line has the fields of the first, numbers or nothing."""
    folders = [(folder, files) for folder, _, files in os.walk(".") if folder != "./bin"]
    for folder, files in folders:
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name.endswith(".json"):
                read(path)
            elif name.endswith(".csv") and folder != ".":
                with open(path, encoding="utf-8") as file:
                    header, *lines = csv.reader(file)
                assert lines and all(len(line) == len(header) for line in lines), path
                assert all(math.isfinite(float(value)) for line in lines for value in line if value), path


PARTS = {
    "command_lines": [],
    "files": [],
    "interrupted": [],
    "scripts": [],
    "plane": [custom_energy, density2d, geyer],
    "families": [maxent, mixture, lambda: conditional(sys.argv[2]), chain_crf, ising, contacts, compose],
    "images": [rbm, ica, embeddings],
    "scores": [cd_meets_score_matching, denoise, score_field],
}
try:
    well_formed()
    for check in PARTS[sys.argv[1]] if "tiny" not in sys.argv else []:
        check()
except (AssertionError, KeyError, OSError, ValueError) as problem:
    line = traceback.extract_tb(problem.__traceback__)[-1].lineno
    sys.exit(f"failed: check.py, line {line}: {problem!r}")
