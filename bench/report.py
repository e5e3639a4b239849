"""From the rows that were measured to a table, in text and in Markdown."""
import json
import os
import platform
import subprocess

COLUMNS = ["case", "dtype", "threads", "ours (us)", "floor (us)", "ours/floor"]


def digits(number):
    return "" if number is None else f"{number:.3g}" if number < 1000 else f"{number:.0f}"


def cells(row):
    """The row's own figures; a case without matrix products has no floor."""
    if "us" not in row["ours"]:
        return [row["case"], row["dtype"], str(row["threads"]), "refused", digits(row["floor_us"]), ""]
    ratio = row["ours_over_floor"]
    return [row["case"], row["dtype"], str(row["threads"]), digits(row["ours"]["us"]), digits(row["floor_us"]),
            "" if ratio is None else f"{ratio:.2f}"]


def peer_cell(row, peer):
    """Each formulation with its time and, in brackets, its time over ours."""
    parts = []
    for formulation, result in row["peers"].get(peer, {}).items():
        if "us" not in result:
            parts.append(f"{formulation} refused")
        elif result["over_ours"] is None:
            parts.append(f"{formulation} {digits(result['us'])}")
        else:
            parts.append(f"{formulation} {digits(result['us'])} ({result['over_ours']:.2f}x)")
    return ", ".join(parts)


def text_header(peers):
    return "{:<20} {:<8} {:>7} {:>10} {:>10} {:>10}".format(*COLUMNS) + "  " + "  ".join(
        f"{peer}: us (over ours)" for peer in peers)


def text_row(row):
    return "{:<20} {:<8} {:>7} {:>10} {:>10} {:>10}".format(*cells(row)) + "".join(
        f"  {peer}: {peer_cell(row, peer)}" for peer in row["peers"])


def refusals(rows):
    """One sentence for each row that was refused: who, where and why."""
    for row in rows:
        place = f"{row['case']} {row['dtype']} {row['threads']} thread(s)"
        if "us" not in row["ours"]:
            yield f"ours, {place}: {row['ours']['refused']}"
        for peer, results in row["peers"].items():
            for formulation, result in results.items():
                if "us" not in result:
                    yield f"{peer} {formulation}, {place}: {result['refused']}"


def two_threads(rows):
    """How much faster ours gets with a second thread."""
    one = {(row["case"], row["dtype"]): row["ours"].get("us") for row in rows if row["threads"] == 1}
    two = [row for row in rows if row["over_one_thread"]]
    if not two:
        return []
    return ["", "## Two threads over one", "", "The median over rounds of the ratio within a round. Where it says 1 the "
            "second core was busy with something else, or a case runs on one thread.", "",
            "| case | dtype | one thread (us) | ratio |", "| --- | --- | --- | --- |"] + [
        f"| {row['case']} | {row['dtype']} | {digits(one[row['case'], row['dtype']])} | {row['over_one_thread']:.2f} |"
        for row in two]


def memory(rows):
    """Of the gradient over all data: numbers beyond a few scalars a row must not grow with the rows."""
    if not rows:
        return []
    return ["", "## Memory of a gradient over all data", "", "Heap bytes after a step of `full-nce-2x128x2` in float32, the "
            "data left out; its noise points (two numbers and log q a row) are in. «Grown»: by the next step.", "",
            "| rows | bytes | bytes a row | grown |", "| --- | --- | --- | --- |"] + [
        f"| {row['rows']:.0f} | {row['bytes']:.0f} | {row['bytes_a_row']:.1f} | {row['grown']:.0f} |" for row in rows]


def products(rows):
    """The kernels' products, by themselves, beside BLAS's."""
    if not rows:
        return []
    return ["", "## Products beside BLAS's", "", "C = op(A)·op(B), one thread, over a grid of shapes (`bench/products.c`): in how "
            "many ours reach 0.95 of the speed of the BLAS above, and the ratios.", "",
            "| dtype | shapes | number | reach 0.95 | geometric mean | worst | of rows×columns×depth |",
            "| --- | --- | --- | --- | --- | --- | --- |"] + [
        f"| {row['dtype']} | {row['kind']} | {row['shapes']:.0f} | {row['reach']:.0f} | {row['mean']:.2f} | {row['worst']:.2f} | "
        f"{row['shape']} |" for row in rows]


def markdown(results):
    """A column for each peer that did some case."""
    machine = results["machine"]
    peers = list(dict.fromkeys(peer for row in results["rows"] for peer in row["peers"]))
    lines = ["# Results", "", f"`{results['command']}`, {results['date']}", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in machine.items()]
    lines += ["", "Medians in microseconds. In brackets the peer's time over ours: above 1 we are faster. The floor is "
              "the case's matrix products alone, on one thread, divided by the number of threads. What a case is: "
              "`bench/cases.h`; how it is measured: `bench/README.md`.", ""]
    header = COLUMNS + peers
    lines += ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    for row in results["rows"]:
        lines.append("| " + " | ".join(cells(row) + [peer_cell(row, peer) for peer in peers]) + " |")
    lines += two_threads(results["rows"]) + memory(results.get("memory", []))
    lines += products(results.get("products", []))
    refused = list(refusals(results["rows"]))
    return "\n".join(lines + ([""] + [f"- refused: {r}" for r in refused] if refused else [])) + "\n"


# ---- Where it was measured ----


def git(*arguments):
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=os.path.dirname(__file__) or ".")
    return done.stdout.strip() if done.returncode == 0 else ""


def cpu_model():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return models[0] if models else platform.machine()


def machine(program, versions):
    told = json.loads(subprocess.check_output([program, "machine"], text=True))
    dirty = " with changes that are not committed" if git("status", "--porcelain", "--untracked-files=no") else ""
    return {"cpu": cpu_model(), "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "blas": told["blas"], "compiler": told["compiler"], "commit": git("rev-parse", "HEAD") + dirty,
            "peers": ", ".join(versions) or "none", "load_at_the_start": f"{os.getloadavg()[0]:.2f}"}
