"""JAX: every case jitted as one call, on the CPUs that this process may use. Formulations: bench/workers.py."""
import sys

import jax

DTYPE = sys.argv[1]
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", DTYPE == "float64")

import jax.numpy as jnp  # noqa: E402

import jax_losses as losses  # noqa: E402
from protocol import flatten, parameter_names, serve  # noqa: E402

FULL_ROWS = 4000  # of a chunk of the full-data gradient


def full_nce(theta, x, y, case):
    """Value and gradient added up over chunks: the whole batch at once does not fit the caches."""

    def add(total, chunk):
        return jax.tree.map(jnp.add, total, jax.value_and_grad(losses.nce)(theta, *chunk, case)), None

    chunks = x.shape[0] // FULL_ROWS
    split = [a.reshape(chunks, FULL_ROWS, -1) for a in (x, y)]
    zero = (jnp.zeros((), x.dtype), [jnp.zeros_like(t) for t in theta])
    total = jax.lax.scan(add, zero, split)[0]
    return jax.tree.map(lambda t: t / chunks, total)


def adam(theta, gradient, first, second, t, rate):
    t = t + 1
    first = [0.9 * m + 0.1 * g for m, g in zip(first, gradient)]
    second = [0.999 * v + 0.001 * g * g for v, g in zip(second, gradient)]
    size = rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    small = 1e-8 * jnp.sqrt(1 - 0.999**t)
    theta = [p - size * m / (jnp.sqrt(v) + small) for p, m, v in zip(theta, first, second)]
    return theta, first, second, t


class Problem:
    def __init__(self, case, numbers, formulation):
        self.case, self.formulation = case, formulation
        self.theta = [jnp.asarray(numbers[name]) for name in parameter_names(case)]
        self.given = {name: jnp.asarray(numbers[name]) for name in ("x", "y", "log_q") if name in numbers}
        self.make_step = {"langevin": self.sampling, "gaussian": self.evaluating, "full": self.evaluating,
                          "gmm": self.evaluating, "kmeans": self.evaluating}.get(case["method"], self.training)

    # ---- Loss and gradient at given points ----

    def loss(self, theta, x, y, log_q):
        method = self.case["method"]
        if method == "score":
            return losses.score_matching(theta, x, self.case, self.formulation)
        if method in ("ml-is", "gaussian"):
            return losses.ml_is(theta, x, y, log_q, self.case)
        if method == "gmm":
            return losses.gmm(theta, x, self.case)
        return {"nce": losses.nce, "cd": losses.cd, "denoise": losses.denoising}[method](theta, x, y, self.case)

    def value_and_gradient(self, theta, x, y, log_q):
        if self.case["method"] == "full":
            return full_nce(theta, x, y, self.case)
        if self.case["method"] == "kmeans":
            return losses.kmeans_with_curvature(theta, x)
        return jax.value_and_grad(self.loss)(theta, x, y, log_q)

    def answer(self):
        points = [self.given["x"], self.given.get("y"), self.given.get("log_q")]
        if self.case["method"] == "langevin":
            value = jnp.mean(losses.energy(self.theta, points[0], self.case))
            result = value, flatten([losses.gradient_x(self.theta, points[0], self.case)])
        else:
            value, gradient = jax.jit(self.value_and_gradient)(self.theta, *points)
            result = value, flatten(gradient)
        self.make_step()
        return result

    # ---- What is timed ----

    def artificial(self, theta, x, key):
        """New points or noise in every step for NCE, CD and denoising; y and log q as given for ML-IS."""
        case = self.case
        if case["method"] in ("nce", "denoise"):
            return case["mean"] + case["sd"] * jax.random.normal(key, x.shape, x.dtype)
        return losses.langevin(theta, x, key, case, self.formulation == "unrolled") if case["method"] == "cd" else None

    def training(self):
        x, fixed_y, log_q, case = self.given["x"], self.given.get("y"), self.given.get("log_q"), self.case
        redraw = case["method"] in ("nce", "cd", "denoise")

        def step(theta, first, second, t, key, x, fixed_y, log_q):
            y = fixed_y
            if redraw:
                key, now = jax.random.split(key)
                y = jax.lax.stop_gradient(self.artificial(theta, x, now))
            value, gradient = self.value_and_gradient(theta, x, y, log_q)
            return (*adam(theta, gradient, first, second, t, case["rate"]), key), value

        compiled = jax.jit(step, donate_argnums=(0, 1, 2))
        zeros = [[jnp.zeros_like(p) for p in self.theta] for _ in range(2)]
        self.state = ([p + 0 for p in self.theta], *zeros, jnp.zeros((), x.dtype), jax.random.key(1))

        def run():
            self.state, value = compiled(*self.state, x, fixed_y, log_q)
            jax.block_until_ready((self.state, value))

        self.step = run

    def sampling(self):
        move = jax.jit(lambda x, key: losses.langevin(self.theta, x, key, self.case, self.formulation == "unrolled"))
        split = jax.jit(jax.random.split)
        self.state = self.given["x"], jax.random.key(1)

        def run():
            key, now = split(self.state[1])
            self.state = jax.block_until_ready(move(self.state[0], now)), key

        self.step = run

    def evaluating(self):
        compiled = jax.jit(self.value_and_gradient)
        points = [self.given["x"], self.given.get("y"), self.given.get("log_q")]
        self.step = lambda: jax.block_until_ready(compiled(self.theta, *points))


if __name__ == "__main__":
    serve(Problem, DTYPE, {"version": f"jax {jax.__version__}"})
