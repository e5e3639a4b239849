"""PyTorch: eager, or with the loss compiled (formulations whose name begins with `compiled`)."""
import math
import sys

import torch
import torch.nn.functional as F

from protocol import flatten, parameter_names, serve

DTYPE, THREADS = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(THREADS)
torch.set_default_dtype(getattr(torch, DTYPE))
FULL_ROWS = 4000  # of a chunk of the full-data gradient


def energy(theta, x, case):
    if case["method"] == "gaussian":
        return 0.5 * torch.sum((x / theta[0]) ** 2, -1)
    a = x
    for layer in range(case["layers"]):
        a = F.softplus(torch.addmm(theta[2 * layer + 1], a, theta[2 * layer]) if a.dim() == 2
                       else a @ theta[2 * layer] + theta[2 * layer + 1])
    return a @ theta[2 * case["layers"]] + (x * x).sum(-1) / (2 * case["base_sd"] ** 2)


def log_q(x, case):
    z = (x - case["mean"]) / case["sd"]
    return -0.5 * (z * z).sum(-1) - case["dim"] * (math.log(case["sd"]) + 0.5 * math.log(2 * math.pi))


def two_energies(theta, x, y, case):
    both = energy(theta, torch.cat([x, y]), case)
    return both[: len(x)], both[len(x):]


def nce(theta, x, y, case):
    energy_x, energy_y = two_energies(theta, x, y, case)
    odds_x = -energy_x - theta[-1] - log_q(x, case)
    odds_y = -energy_y - theta[-1] - log_q(y, case)
    return F.softplus(-odds_x).mean() + F.softplus(odds_y).mean()


def ml_is(theta, x, y, log_q_y, case):
    energy_x, energy_y = two_energies(theta, x, y, case)
    return energy_x.mean() + torch.logsumexp(-energy_y - log_q_y, 0) - math.log(len(y))


def cd(theta, x, y, case):
    energy_x, energy_y = two_energies(theta, x, y, case)
    return energy_x.mean() - energy_y.mean()


def gradient_x(theta, x, case, create_graph=False):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(energy(theta, x, case).sum(), x, create_graph=create_graph)[0]


def denoising(theta, x, y, case):
    """y is the noise."""
    off = y / case["sd"] ** 2 - gradient_x(theta, x + y, case, create_graph=True)
    return 0.5 * (off * off).sum(-1).mean()


def langevin(theta, x, case):
    h = case["chain_step"]
    for _ in range(case["chain_steps"]):
        x = x - h * gradient_x(theta, x, case) + math.sqrt(2 * h) * torch.randn_like(x)
    return x


# ---- Score matching, each as a function to (score, trace of the Hessian) of all rows ----


def by_backward(theta, x, case):
    """Backward through the backward pass, once a dimension: what people write."""
    x = x.detach().requires_grad_()
    score = torch.autograd.grad(energy(theta, x, case).sum(), x, create_graph=True)[0]
    trace = 0
    for i in range(case["dim"]):
        trace = trace + torch.autograd.grad(score[:, i].sum(), x, create_graph=True)[0][:, i]
    return score, trace


def by_hvp(theta, x, case):
    """Forward over reverse, all dimensions at once."""
    gradient = torch.func.grad(lambda at: energy(theta, at, case))
    basis = torch.eye(case["dim"])

    def one(point):
        return torch.func.vmap(lambda e: torch.func.jvp(gradient, (point,), (e,))[1])(basis).diagonal().sum()

    return torch.func.vmap(gradient)(x), torch.func.vmap(one)(x)


def by_curvature(theta, x, case):
    """Gibbs' own formula: tangents times adjoint curvature."""
    layers, a, slopes = case["layers"], x, []
    for layer in range(layers):
        z = torch.addmm(theta[2 * layer + 1], a, theta[2 * layer])
        slopes.append(torch.sigmoid(z))
        a = F.softplus(z)
    adjoint, adjoints = theta[2 * layers].expand_as(a), []
    for layer in reversed(range(layers)):
        adjoints.insert(0, adjoint)
        adjoint = (adjoint * slopes[layer]) @ theta[2 * layer].T
    tangent, trace = None, case["dim"] / case["base_sd"] ** 2
    for layer in range(layers):
        w = theta[2 * layer]
        tangent = w[None] if tangent is None else (slopes[layer - 1][:, None, :] * tangent) @ w
        squares = (tangent * tangent).sum(1)
        trace = trace + (slopes[layer] * (1 - slopes[layer]) * adjoints[layer] * squares).sum(1)
    return adjoint + x / case["base_sd"] ** 2, trace


# ---- GradBench's two: bench/gmm.h and bench/kmeans.h say what they are ----


def gmm(theta, x, case):
    """All components in one product; the log posterior."""
    alpha, mu, q, l = theta
    count, dim = q.shape
    columns, rows = torch.triu_indices(dim, dim, 1)
    factors = torch.diag_embed(torch.exp(q))
    factors[:, rows, columns] = l
    at_means = torch.einsum("kij,kj->ki", factors, mu).reshape(-1)
    z = torch.addmm(-at_means, x, factors.reshape(count * dim, dim).T).reshape(-1, count, dim)
    mixture = torch.logsumexp(alpha + q.sum(1) - 0.5 * (z * z).sum(2), 1)
    constant = torch.logsumexp(alpha, 0) + 0.5 * dim * math.log(2 * math.pi)
    return mixture.sum() - len(x) * constant + gmm_prior(q, l, case)


def gmm_prior(q, l, case):
    gamma, m, (count, dim) = case["gamma"], case["m"], q.shape
    degrees = dim + m + 1
    constant = degrees * dim * math.log(gamma / math.sqrt(2)) - 0.25 * dim * (dim - 1) * math.log(math.pi)
    constant -= sum(math.lgamma(0.5 * (degrees - j)) for j in range(dim))
    squares = torch.exp(2 * q).sum() + (l * l).sum()
    return count * constant - 0.5 * gamma**2 * squares + m * q.sum()


def kmeans(centroids, x):
    near = torch.addmm((centroids * centroids).sum(1), x, centroids.T, alpha=-2).min(1).values
    return near.sum() + (x * x).sum()


def kmeans_with_curvature(theta, x):
    """Value, gradient and Hessian diagonal: the Hessian is diagonal, so its product with ones is it."""
    value = kmeans(theta[0], x)
    gradient = torch.autograd.grad(value, theta[0], create_graph=True)[0]
    return value, gradient, torch.autograd.grad(gradient.sum(), theta[0])[0]


SCORE = {"backward": by_backward, "hvp": by_hvp, "curvature": by_curvature, "compiled-curvature": by_curvature}


def score_matching(theta, x, case, formulation):
    score, trace = SCORE[formulation](theta, x, case)
    return (0.5 * (score * score).sum(-1) - trace).mean()


class Problem:
    def __init__(self, case, numbers, formulation):
        self.case, self.formulation = case, formulation
        self.theta = [torch.tensor(numbers[name]).requires_grad_() for name in parameter_names(case)]
        self.x = torch.tensor(numbers["x"])
        self.y, self.log_q = (torch.tensor(numbers[n]) if n in numbers else None for n in ("y", "log_q"))
        self.loss = torch.compile(self.plain_loss) if formulation.startswith("compiled") else self.plain_loss
        self.optimizer = torch.optim.Adam(self.theta, lr=case["rate"], fused=True)
        self.step = {"langevin": self.sampling, "gaussian": self.evaluating, "full": self.evaluating,
                     "gmm": self.evaluating, "kmeans": self.clustering}.get(case["method"], self.training)

    def plain_loss(self, theta, x, y):
        method = self.case["method"]
        if method == "score":
            return score_matching(theta, x, self.case, self.formulation)
        if method in ("ml-is", "gaussian"):
            return ml_is(theta, x, y, self.log_q, self.case)
        if method == "gmm":
            return gmm(theta, x, self.case)
        return {"cd": cd, "denoise": denoising}.get(method, nce)(theta, x, y, self.case)

    def evaluating(self):
        """The loss, with its gradient left in the parameters."""
        self.optimizer.zero_grad(set_to_none=True)
        if self.case["method"] != "full":
            value = self.loss(self.theta, self.x, self.y)
            value.backward()
            return value
        total, chunks = 0, len(self.x) // FULL_ROWS
        for x, y in zip(self.x.split(FULL_ROWS), self.y.split(FULL_ROWS)):
            value = self.loss(self.theta, x, y) / chunks
            value.backward()
            total += value.detach()
        return total

    def answer(self):
        if self.case["method"] == "langevin":
            value = energy(self.theta, self.x, self.case).mean()
            return value.item(), flatten([gradient_x(self.theta, self.x, self.case)])
        if self.case["method"] == "kmeans":
            value, *derivatives = self.clustering()
            return value.item(), flatten(a.detach() for a in derivatives)
        value = self.evaluating().item()
        return value, flatten([p.grad for p in self.theta])

    def clustering(self):
        return kmeans_with_curvature(self.theta, self.x)

    def training(self):
        case = self.case
        if case["method"] in ("nce", "denoise"):
            self.y = case["mean"] + case["sd"] * torch.randn_like(self.x)
        if case["method"] == "cd":
            self.y = langevin(self.theta, self.x, case)
        self.evaluating()
        self.optimizer.step()

    def sampling(self):
        self.x = langevin(self.theta, self.x, self.case)


if __name__ == "__main__":
    serve(Problem, DTYPE, {"version": f"torch {torch.__version__}"})
