"""Inputs of the evaluations, drawn as the suite describes them, from Python's own generator: one of each size."""
import random


def uniform(rng, *shape):
    return [uniform(rng, *shape[1:]) for _ in range(shape[0])] if shape else rng.random()


def normal(rng, *shape):
    return [normal(rng, *shape[1:]) for _ in range(shape[0])] if shape else rng.gauss(0, 1)


def gmm(rng, d, k, n=1000):
    return {"d": d, "k": k, "n": n, "m": 0, "gamma": 1.0, "x": normal(rng, n, d), "alpha": normal(rng, k),
            "mu": uniform(rng, k, d), "q": normal(rng, k, d), "l": normal(rng, k, d * (d - 1) // 2)}


def ba(rng, n, m, p):
    camera = [rng.gauss(0, 1) for _ in range(3)] + [rng.gauss(0, 1) for _ in range(3)] + [400, 5.5, -8.5, 0.09, 0.003]
    return {"n": n, "m": m, "p": p, "cam": camera, "x": [7.2, 0.1, 9.5], "w": 0.42, "feat": [271.76, 834.21]}


def rigid(rng):
    """Four rows: nearly a rotation, and a shift."""
    return [[(i == j) + 0.2 * rng.gauss(0, 1) for j in range(4)] for i in range(3)] + [[0, 0, 0, 1]]


def ht(rng, points, vertices=544, triangles=1084, complicated=True):
    """A wrist, five fingers of four bones, a forearm; each vertex hangs on up to four bones."""
    parents = [-1] + [0 if b % 4 == 1 else b - 1 for b in range(1, 21)] + [0]
    weights = [[0.0] * 22 for _ in range(vertices)]
    for row in weights:
        for bone in rng.sample(range(22), 4):
            row[bone] = 0.25
    model = {"bone_count": 22, "bone_names": [f"bone{b}" for b in range(22)], "parents": parents,
             "base_relatives": [rigid(rng) for _ in parents], "inverse_base_absolutes": [rigid(rng) for _ in parents],
             "base_positions": [[rng.gauss(0, 1) for _ in range(3)] + [1.0] for _ in range(vertices)],
             "weights": weights, "is_mirrored": False,
             "triangles": [rng.sample(range(vertices), 3) for _ in range(triangles)]}
    found = [rng.randrange(triangles if complicated else vertices) for _ in range(points)]
    return {"theta": [0.3 * rng.gauss(0, 1) for _ in range(26)], "us": uniform(rng, points, 2) if complicated else [],
            "data": {"model": model, "correspondences": found, "points": normal(rng, points, 3)}}


def lstm(rng, layers, characters, bits=8):
    return {"main_params": uniform(rng, 2 * layers, 4 * bits), "extra_params": uniform(rng, 3, bits),
            "state": uniform(rng, 2 * layers, bits),
            "sequence": [[rng.randrange(2) for _ in range(bits)] for _ in range(characters)]}


def kmeans(rng, k, n, d):
    points = uniform(rng, n, d)
    return {"points": points, "centroids": points[-k:]}


FUNCTIONS = {"hello": ["square", "double"], "gmm": ["objective", "jacobian"], "ba": ["objective", "jacobian"],
             "ht": ["objective", "jacobian"], "lstm": ["objective", "jacobian"], "kmeans": ["cost", "dir"],
             "lse": ["primal", "gradient"], "llsq": ["primal", "gradient"], "ode": ["primal", "gradient"],
             "det": ["primal", "gradient"], "particle": ["ff", "fr", "rf", "rr"]}

MAKE = {"hello": lambda rng: rng.random(), "gmm": gmm, "ba": ba, "ht": ht, "lstm": lstm, "kmeans": kmeans,
        "lse": lambda rng, n: {"x": uniform(rng, n)}, "llsq": lambda rng, n, m: {"n": n, "x": uniform(rng, m)},
        "ode": lambda rng, n, s: {"x": uniform(rng, n), "s": s},
        "det": lambda rng, ell: {"A": uniform(rng, ell * ell), "ell": ell}, "particle": lambda rng: {"w": 0.0}}

# As the suite has them; of ba and ht the sizes of its files.
SIZES = {
    "hello": [()],
    "gmm": [(d, k) for d in (2, 10, 20, 32, 64) for k in (5, 25, 100)],
    "ba": [(49, 7776, 31843), (21, 11315, 36455), (372, 47423, 204472), (93, 61203, 287451)],
    "ht": [(100,), (400,), (1600,), (6400,), (25600,)],
    "lstm": [(l, c) for l in (2, 6) for c in (1024, 4096, 8192)],
    "kmeans": [(k, n, d) for k in (10, 100, 1000) for n in (1000, 10000) for d in (8, 16)],
    "lse": [(2500 * 2**i,) for i in range(0, 10, 3)],
    "llsq": [(n, 128) for n in (16, 128, 1024, 16392)],
    "ode": [(n, s) for n in (1000, 10000, 100000) for s in (1, 10, 100)],
    "det": [(5,), (7,), (9,), (11,)],
    "particle": [()],
}

# For tests.
SMALL = {
    "hello": [()], "gmm": [(2, 3, 20), (5, 2, 7)], "ba": [(3, 4, 12)],
    "ht": [(5, 9, 12), (7, 9, 12, False)], "lstm": [(2, 5, 3), (1, 4, 2)], "kmeans": [(3, 20, 2)],
    "lse": [(9,), (1000,)], "llsq": [(9, 5), (16, 1)], "ode": [(4, 1), (9, 3)], "det": [(1,), (2,), (5,)],
    "particle": [()],
}


def make(module, size):
    return MAKE[module](random.Random(f"{module} {size}"), *size)
