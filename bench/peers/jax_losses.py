"""The losses in JAX. Each takes parameters as a list of arrays and whole batches as arrays [rows, dim]."""
import math

import folx
import jax
import jax.numpy as jnp
import numpy


def energy(theta, x, case):
    """E of each row (or of one x of shape [dim])."""
    if case["method"] == "gaussian":
        return 0.5 * jnp.sum((x / theta[0]) ** 2, axis=-1)
    a = x
    for layer in range(case["layers"]):
        a = jax.nn.softplus(a @ theta[2 * layer] + theta[2 * layer + 1])
    return a @ theta[2 * case["layers"]] + jnp.sum(x * x, axis=-1) / (2 * case["base_sd"] ** 2)


def log_q(x, case):
    z = (x - case["mean"]) / case["sd"]
    return -0.5 * jnp.sum(z * z, axis=-1) - case["dim"] * (math.log(case["sd"]) + 0.5 * math.log(2 * math.pi))


def two_energies(theta, x, y, case):
    """One product for data and artificial points together is faster than two."""
    both = energy(theta, jnp.concatenate([x, y]), case)
    return both[: x.shape[0]], both[x.shape[0]:]


def nce(theta, x, y, case):
    energy_x, energy_y = two_energies(theta, x, y, case)
    odds_x = -energy_x - theta[-1] - log_q(x, case)
    odds_y = -energy_y - theta[-1] - log_q(y, case)
    return jnp.mean(jax.nn.softplus(-odds_x)) + jnp.mean(jax.nn.softplus(odds_y))


def ml_is(theta, x, y, log_q_y, case):
    energy_x, energy_y = two_energies(theta, x, y, case)
    return jnp.mean(energy_x) + jax.nn.logsumexp(-energy_y - log_q_y) - math.log(y.shape[0])


def cd(theta, x, y, case):
    energy_x, energy_y = two_energies(theta, x, y, case)
    return jnp.mean(energy_x) - jnp.mean(energy_y)


def gradient_x(theta, x, case):
    return jax.grad(lambda points: jnp.sum(energy(theta, points, case)))(x)


def denoising(theta, x, y, case):
    """y is the noise; the gradient by theta is the gradient of a gradient."""
    off = y / case["sd"] ** 2 - gradient_x(theta, x + y, case)
    return 0.5 * jnp.mean(jnp.sum(off * off, axis=-1))


def langevin(theta, x, key, case, unroll):
    """All normals in one call: cheaper than one call a move."""
    h = case["chain_step"]
    normals = jax.random.normal(key, (case["chain_steps"], *x.shape), x.dtype)

    def move(point, normal):
        return point - h * gradient_x(theta, point, case) + math.sqrt(2 * h) * normal, None

    return jax.lax.scan(move, x, normals, unroll=case["chain_steps"] if unroll else 1)[0]


# ---- Score matching, each as a function to (score, trace of the Hessian) of all rows ----


def by_folx(theta, x, case):
    """The forward Laplacian, whose Jacobian is the score."""
    laplacian = jax.vmap(folx.forward_laplacian(lambda point: energy(theta, point, case)))(x)
    return laplacian.jacobian.dense_array.reshape(x.shape), laplacian.laplacian.reshape(x.shape[0])


def by_hvp(theta, x, case):
    """A Hessian-vector product (forward over reverse) for each dimension."""

    def one(point):
        gradient = jax.grad(lambda at: energy(theta, at, case))
        score, along = jax.linearize(gradient, point)
        return score, jnp.trace(jax.vmap(along)(jnp.eye(point.size, dtype=point.dtype)))

    return jax.vmap(one)(x)


def by_hvp_jvp(theta, x, case):
    """The same with jvp in place of linearize."""

    def one(point):
        gradient = jax.grad(lambda at: energy(theta, at, case))
        score, columns = jax.vmap(lambda e: jax.jvp(gradient, (point,), (e,)), out_axes=(None, 0))(
            jnp.eye(point.size, dtype=point.dtype))
        return score, jnp.trace(columns)

    return jax.vmap(one)(x)


def by_curvature(theta, x, case):
    """Gibbs' own formula: tangents times adjoint curvature."""
    layers, a, slopes = case["layers"], x, []
    for layer in range(layers):
        z = a @ theta[2 * layer] + theta[2 * layer + 1]
        slopes.append(jax.nn.sigmoid(z))
        a = jax.nn.softplus(z)
    adjoint, adjoints = jnp.broadcast_to(theta[2 * layers], a.shape), []
    for layer in reversed(range(layers)):
        adjoints.insert(0, adjoint)
        adjoint = (adjoint * slopes[layer]) @ theta[2 * layer].T
    tangent, squares, trace = None, None, case["dim"] / case["base_sd"] ** 2
    for layer in range(layers):
        w = theta[2 * layer]
        tangent = w[None] if tangent is None else (slopes[layer - 1][:, None, :] * tangent) @ w
        squares = jnp.sum(tangent * tangent, axis=1)
        trace = trace + jnp.sum(slopes[layer] * (1 - slopes[layer]) * adjoints[layer] * squares, axis=1)
    return adjoint + x / case["base_sd"] ** 2, trace


SCORE = {"folx": by_folx, "hvp": by_hvp, "hvp-jvp": by_hvp_jvp, "curvature": by_curvature}


def score_matching(theta, x, case, formulation):
    score, trace = SCORE[formulation](theta, x, case)
    return jnp.mean(0.5 * jnp.sum(score * score, axis=-1) - trace)


# ---- GradBench's two: bench/gmm.h and bench/kmeans.h say what they are ----


def gmm_factors(q, l):
    """exp(q) on the diagonals, l below, column by column."""
    count, dim = q.shape
    columns, rows = numpy.triu_indices(dim, 1)
    each = numpy.arange(dim)
    return jnp.zeros((count, dim, dim), q.dtype).at[:, rows, columns].set(l).at[:, each, each].set(jnp.exp(q))


def gmm(theta, x, case):
    """All components in one product; the log posterior."""
    alpha, mu, q, l = theta
    count, dim = q.shape
    factors = gmm_factors(q, l)
    at_means = jnp.einsum("kij,kj->ki", factors, mu)
    z = (x @ factors.reshape(count * dim, dim).T).reshape(-1, count, dim) - at_means
    mixture = jax.nn.logsumexp(alpha + jnp.sum(q, axis=1) - 0.5 * jnp.sum(z * z, axis=2), axis=1)
    constant = jax.nn.logsumexp(alpha) + 0.5 * dim * math.log(2 * math.pi)
    return jnp.sum(mixture) - x.shape[0] * constant + gmm_prior(q, l, case)


def gmm_prior(q, l, case):
    gamma, m, (count, dim) = case["gamma"], case["m"], q.shape
    degrees = dim + m + 1
    constant = degrees * dim * math.log(gamma / math.sqrt(2)) - 0.25 * dim * (dim - 1) * math.log(math.pi)
    constant -= sum(math.lgamma(0.5 * (degrees - j)) for j in range(dim))
    squares = jnp.sum(jnp.exp(2 * q)) + jnp.sum(l * l)
    return count * constant - 0.5 * gamma**2 * squares + m * jnp.sum(q)


def kmeans(centroids, x):
    near = jnp.min(jnp.sum(centroids * centroids, axis=1) - 2 * (x @ centroids.T), axis=1)
    return jnp.sum(near) + jnp.sum(x * x)


def kmeans_with_curvature(theta, x):
    """Value, gradient and Hessian diagonal: the Hessian is diagonal, so its product with ones is it."""
    ones = jnp.ones_like(theta[0])
    (value, gradient), (_, curvature) = jax.jvp(lambda c: jax.value_and_grad(kmeans)(c, x), (theta[0],), (ones,))
    return value, [gradient, curvature]
