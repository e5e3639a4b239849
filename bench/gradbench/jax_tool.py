"""The evaluations in JAX, as a tool of the suite: float64, jitted once a shape, one CPU thread where it is given one.
JAX has no reverse derivative of a loop that ends when it will: particle's `rf` and `rr` are not there."""
import json
import os
import sys
import time

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
import jax
import jax.numpy as jnp
import numpy

jax.config.update("jax_enable_x64", True)
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers"))
import jax_losses

clock = time.process_time if "cpu" in sys.argv[1:] else time.perf_counter


def arrays(given, *names):
    return [jnp.asarray(given[name], dtype="float64") for name in names]


def functions(primal, derivative=jax.grad):
    """A function of jnp arrays, and the function of its derivative."""
    return jax.jit(primal), jax.jit(derivative(primal))


# Each module: the names of its functions, and for each what makes (f, arguments) of an input. What is jitted is
# made once.

SQUARE, DOUBLE = functions(lambda x: x * x)


def gmm_posterior(theta, x, gamma, m):
    return jax_losses.gmm(theta, x, {"gamma": gamma, "m": m})


GMM = jax.jit(gmm_posterior, static_argnums=(2, 3)), jax.jit(jax.grad(gmm_posterior), static_argnums=(2, 3))


def gmm(which):
    def call(given):
        theta, [x] = arrays(given, "alpha", "mu", "q", "l"), arrays(given, "x")
        gamma, m = given["gamma"], given["m"]
        return (lambda *theta: GMM[which](list(theta), x, gamma, m)), theta
    return call


def step(centroids, x):
    _, (gradient, curvature) = jax_losses.kmeans_with_curvature([centroids], x)
    return gradient / curvature


KMEANS = jax.jit(jax_losses.kmeans), jax.jit(step)


def logsumexp(x):
    most = jax.lax.stop_gradient(jnp.max(x))
    return most + jnp.log(jnp.sum(jnp.exp(x - most)))


def llsq(x, t):
    return 0.5 * jnp.sum((jnp.sign(t) - jnp.vander(t, x.shape[0], increasing=True) @ x) ** 2)


def ode_solution(x, steps):
    h = 2 / steps

    def slope(y):
        return x * jnp.concatenate([jnp.ones(1), y[:-1]])

    def move(y, _):
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        k4 = slope(y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None
    return jax.lax.scan(move, jnp.zeros_like(x), None, length=steps)[0]


def det_terms(n):
    """Minors of the last m rows by their sets of columns, and which smaller one each term has."""
    levels, number = [], {1 << c: c for c in range(n)}
    for m in range(2, n + 1):
        sets = [s for s in range(1 << n) if bin(s).count("1") == m]
        columns = [[c for c in range(n) if s >> c & 1] for s in sets]
        minors = [[number[s & ~(1 << c)] for c in own] for s, own in zip(sets, columns)]
        levels.append((numpy.array(columns), numpy.array(minors), (-1.0) ** numpy.arange(m)))
        number = {s: i for i, s in enumerate(sets)}
    return levels


def det_of(A, n):
    A = A.reshape(n, n)
    minors = A[n - 1]
    for m, (columns, smaller, sign) in enumerate(det_terms(n), 2):
        minors = jnp.sum(sign * A[n - m][columns] * minors[smaller], axis=1)
    return minors[0]


def lstm_loss(main, extra, state, text):
    layers, bits = main.shape[0] // 2, extra.shape[1]
    weight, bias = (main[k::2].reshape(layers, 4, bits) for k in (0, 1))

    def move(state, now):
        h, c = list(state[0]), list(state[1])
        x = now
        for k in range(layers):
            gate = jnp.stack([x, h[k], x, h[k]]) * weight[k] + bias[k]
            forget, into, out = jax.nn.sigmoid(gate[:3])
            c[k] = c[k] * forget + into * jnp.tanh(gate[3])
            x = h[k] = out * jnp.tanh(c[k])
        return (jnp.stack(h), jnp.stack(c)), x
    y = jax.lax.scan(move, (state[0::2], state[1::2]), text[:-1] * extra[0])[1] * extra[1] + extra[2]
    share = jnp.log(jnp.sum(jnp.exp(y), axis=1, keepdims=True) + 2)
    return -jnp.mean(text[1:] * (y - share))


def lstm_gradient(main, extra, state, text):
    by = jax.grad(lstm_loss, (0, 1))(main, extra, state, text)
    return jnp.concatenate([b.ravel() for b in by])


def turned(v, x):
    square = v @ v
    none = square == 0
    safe = jnp.where(none, 1.0, square)
    angle = jnp.sqrt(safe)
    cosine, sine = jnp.where(none, 1.0, jnp.cos(angle)), jnp.where(none, 1.0, jnp.sin(angle) / angle)
    return x * cosine + jnp.cross(v, x) * sine + v * (v @ x) * (1 - cosine) / safe


def reprojection(camera, point, w, feature):
    x = turned(camera[:3], point - camera[3:6])
    p = x[:2] / x[2]
    square = p @ p
    return w * (p * (1 + camera[9] * square + camera[10] * square**2) * camera[6] + camera[7:9] - feature)


def ba_errors(cameras, points, w, features, i, j):
    return jax.vmap(reprojection)(cameras[i], points[j], w, features).ravel(), 1 - w * w


def ba_matrix(cameras, points, w, features, i, j):
    by = jax.vmap(jax.jacrev(reprojection, (0, 1, 2)))(cameras[i], points[j], w, features)
    p, n, m = w.shape[0], cameras.shape[0], points.shape[0]
    last = 11 * n + 3 * m + jnp.arange(p)
    columns = [11 * i[:, None] + jnp.arange(11), 11 * n + 3 * j[:, None] + jnp.arange(3), last[:, None]]
    columns = jnp.concatenate(columns, 1)
    values = jnp.concatenate([by[0], by[1], by[2][:, :, None]], 2).ravel()
    rows = jnp.concatenate([15 * jnp.arange(2 * p + 1), 30 * p + jnp.arange(1, p + 1)])
    return rows, jnp.concatenate([jnp.repeat(columns, 2, axis=0).ravel(), last]), jnp.concatenate([values, -2 * w])


BA = jax.jit(ba_errors), jax.jit(ba_matrix)


def ba(which):
    def call(given):
        n, m, p = given["n"], given["m"], given["p"]
        cameras, points = jnp.tile(jnp.asarray(given["cam"]), (n, 1)), jnp.tile(jnp.asarray(given["x"]), (m, 1))
        w, features = jnp.full(p, given["w"]), jnp.tile(jnp.asarray(given["feat"]), (p, 1))
        k = jnp.arange(p)
        return BA[which], [cameras, points, w, features, k % n, k % m]
    return call


def ba_output(which, result, given):
    if which == 0:
        e, w = (numpy.asarray(v) for v in result)
        return {"reproj_error": {"elements": e[:2].tolist(), "repeated": given["p"]},
                "w_err": {"element": float(w[0]), "repeated": given["p"]}}
    return {name: numpy.concatenate([v[:30], v[-1:]]).tolist()
            for name, v in zip(("rows", "cols", "vals"), map(numpy.asarray, result))}


def bends(theta, bones):
    """[bones, 4, 4]"""
    zero = jnp.zeros(bones)
    bone = numpy.array([2 + 4 * f + j for f in range(5) for j in range(3)])
    of = numpy.array([6 + 4 * f + (j + 1 if j else 0) for f in range(5) for j in range(3)])
    x = zero.at[bone].set(theta[of])
    z = zero.at[bone[::3]].set(theta[of[::3] + 1])
    cx, sx, cz, sz, one = jnp.cos(x), jnp.sin(x), jnp.cos(z), jnp.sin(z), jnp.ones(bones)
    rows = [[cz, -sz * cx, sz * sx, zero], [sz, cz * cx, -cz * sx, zero], [zero, sx, cx, zero], [zero, zero, zero, one]]
    return jnp.stack([jnp.stack(row, -1) for row in rows], -2)


def ht_points(theta, us, parents, relative, inverse, base, weight, corners, mirrored):
    own = jnp.einsum("bij,bjk->bik", relative, bends(theta, len(parents)))
    placed = []
    for b, parent in enumerate(parents):
        placed.append(own[b] if parent < 0 else placed[parent] @ own[b])
    bone = jnp.stack(placed) @ inverse
    vertex = jnp.einsum("vb,bij,vj->vi", weight, bone[:, :3], base)
    if mirrored:
        vertex = vertex * jnp.array([-1.0, 1, 1])
    x = theta[:3]
    angle = jnp.sqrt(x @ x)
    n, s, c = x / angle, jnp.sin(angle), jnp.cos(angle)
    vertex = vertex * c + jnp.cross(n, vertex) * s + (vertex @ n)[:, None] * n * (1 - c) + theta[3:6]
    if us is None:
        return vertex[corners[:, 0]]
    u = jnp.concatenate([us, 1 - us.sum(1, keepdims=True)], 1)
    return jnp.einsum("pc,pci->pi", u, vertex[corners])


def ht_errors(theta, us, measured, parents, mirrored, *model):
    return (measured - ht_points(theta, us, parents, *model, mirrored)).ravel()


def ht_matrix(theta, us, measured, parents, mirrored, *model):
    by_theta = jax.jacfwd(ht_errors)(theta, us, measured, parents, mirrored, *model)
    if us is None:
        return by_theta
    by_us = [jax.jvp(lambda u: ht_errors(theta, u, measured, parents, mirrored, *model), (us,),
                     (jnp.zeros_like(us).at[:, k].set(1),))[1] for k in (0, 1)]
    return jnp.concatenate([jnp.stack(by_us, 1), by_theta], 1)


HT = [jax.jit(f, static_argnums=(3, 4)) for f in (ht_errors, ht_matrix)]


def ht(which):
    def call(given):
        m, found = given["data"]["model"], numpy.array(given["data"]["correspondences"])
        corners = numpy.array(m["triangles"])[found] if given["us"] else found[:, None]
        used, corners = numpy.unique(corners, return_inverse=True)
        base, weight = (jnp.asarray(numpy.array(m[name])[used]) for name in ("base_positions", "weights"))
        us = jnp.asarray(given["us"]) if given["us"] else None
        model = [jnp.asarray(m["base_relatives"]), jnp.asarray(m["inverse_base_absolutes"]), base, weight,
                 jnp.asarray(corners.reshape(len(found), -1))]
        f, parents = HT[which], tuple(m["parents"])
        return (lambda *a: f(a[0], us, a[1], parents, m["is_mirrored"], *a[2:])), [
            jnp.asarray(given["theta"]), jnp.asarray(given["data"]["points"]), *model]
    return call


def flight(w, slope):
    charges = jnp.array([[10.0, 10.0], [10.0, 0.0]]) - w * jnp.array([[0.0, 1.0], [0.0, 0.0]])

    def potential(x):
        return jnp.sum(1 / jnp.sqrt(jnp.sum((x - charges) ** 2, axis=1)))

    def move(state):
        x, v = state
        return x + 0.1 * v, v - 0.1 * slope(potential)(x)
    first = jnp.array([0.0, 8.0]), jnp.array([0.75, 0.0])
    x, v = jax.lax.while_loop(lambda s: s[0][1] + 0.1 * s[1][1] > 0, move, first)
    return (x[0] - x[1] / v[1] * v[0]) ** 2


FLIGHT = {name: jax.jit(lambda w, slope=slope: jax.jvp(lambda w: flight(w, slope), (w,), (1.0,)))
          for name, slope in (("ff", jax.jacfwd), ("fr", jax.grad))}


def descend(f, w):
    value, slope = map(float, f(w))
    rate, successes = 1e-5, 0
    while abs(slope) > 1e-5:
        if successes == 10:
            rate, successes = rate * 2, 0
            continue
        then = w - rate * slope
        if not abs(w - then) > 1e-5:
            break
        value_then, slope_then = map(float, f(then))
        if value_then < value:
            w, value, slope, successes = then, value_then, slope_then, successes + 1
        else:
            rate, successes = rate / 2, 0
    return w


def simple(pair, *names, more=lambda given: []):
    return [lambda given, f=f: (f, arrays(given, *names) + more(given)) for f in pair]


def steps(given):
    return [given["s"]]


ODE = (jax.jit(ode_solution, static_argnums=1),
       jax.jit(jax.grad(lambda x, s: ode_solution(x, s)[-1]), static_argnums=1))
DET = jax.jit(det_of, static_argnums=1), jax.jit(jax.grad(det_of), static_argnums=1)
LSTM = jax.jit(lstm_loss), jax.jit(lstm_gradient)

TABLE = {
    "hello": dict(zip(("square", "double"), [lambda x, f=f: (f, [float(x)]) for f in (SQUARE, DOUBLE)])),
    "gmm": {"objective": gmm(0), "jacobian": gmm(1)},
    "kmeans": dict(zip(("cost", "dir"), simple(KMEANS, "centroids", "points"))),
    "lse": dict(zip(("primal", "gradient"), simple(functions(logsumexp), "x"))),
    "llsq": dict(zip(("primal", "gradient"), simple(
        functions(llsq), "x", more=lambda g: [jnp.asarray(-1 + 2 * numpy.arange(g["n"]) / (g["n"] - 1))]))),
    "ode": dict(zip(("primal", "gradient"), simple(ODE, "x", more=steps))),
    "det": dict(zip(("primal", "gradient"), simple(DET, "A", more=lambda given: [given["ell"]]))),
    "lstm": dict(zip(("objective", "jacobian"), simple(LSTM, "main_params", "extra_params", "state", "sequence"))),
    "ba": {"objective": ba(0), "jacobian": ba(1)},
    "ht": {"objective": ht(0), "jacobian": ht(1)},
    "particle": {name: (lambda given, f=f: ((lambda w: descend(f, w)), [given["w"]])) for name, f in FLIGHT.items()},
}


def output(module, name, result, given):
    if module == "ba":
        return ba_output(name == "jacobian", result, given)
    if module == "gmm" and name == "jacobian":
        return dict(zip(("alpha", "mu", "q", "l"), (v.tolist() for v in result)))
    return numpy.asarray(result).tolist()


def evaluate(message):
    make = TABLE.get(message["module"], {}).get(message["function"])
    if not make:
        return {"success": False, "error": "there is no such function"}
    given, start = message["input"], clock()
    f, arguments = make(given)
    result = jax.block_until_ready(f(*arguments))  # compiles
    wish = given if isinstance(given, dict) else {}
    timings, spent = [{"name": "prepare", "nanoseconds": int(1e9 * (clock() - start))}], 0
    while len(timings) <= max(1, wish.get("min_runs", 1)) or spent < wish.get("min_seconds", 0):
        start = clock()
        result = jax.block_until_ready(f(*arguments))
        own = clock() - start
        spent += own
        timings.append({"name": "evaluate", "nanoseconds": int(1e9 * own)})
    result = output(message["module"], message["function"], result, given)
    return {"success": True, "output": result, "timings": timings}


def answer(message):
    if message["kind"] == "start":
        return {"tool": "jax"}
    if message["kind"] == "define":
        return {"success": message["module"] in TABLE}
    if message["kind"] != "evaluate":
        return {}
    try:
        return evaluate(message)
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        return {"success": False, "error": repr(error)}


for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"id": asked["id"]} | answer(asked)), flush=True)
