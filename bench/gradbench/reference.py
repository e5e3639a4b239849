"""What is right, in plain Python: each function written out, and derivatives by dual numbers, a partial for each
unknown. Slow, and independent of everything else here."""
import math


class Dual:
    """A number with its partial derivatives."""

    def __init__(self, value, partial):
        self.value, self.partial = value, partial

    def chain(self, value, slope):
        return Dual(value, [slope * p for p in self.partial])

    def __add__(self, other):
        if isinstance(other, Dual):
            return Dual(self.value + other.value, [p + q for p, q in zip(self.partial, other.partial)])
        return Dual(self.value + other, self.partial)

    def __mul__(self, other):
        if isinstance(other, Dual):
            return Dual(self.value * other.value,
                        [p * other.value + self.value * q for p, q in zip(self.partial, other.partial)])
        return self.chain(self.value * other, other)

    def __truediv__(self, other):
        return self * (other.chain(1 / other.value, -1 / other.value**2) if isinstance(other, Dual) else 1 / other)

    def __rtruediv__(self, other):
        return self.chain(other / self.value, -other / self.value**2)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def __lt__(self, other):
        return value(self) < value(other)


def value(x):
    return x.value if isinstance(x, Dual) else x


def function(f, slope):
    return lambda x: x.chain(f(x.value), slope(x.value)) if isinstance(x, Dual) else f(x)


exp, log = function(math.exp, math.exp), function(math.log, lambda x: 1 / x)
sqrt = function(math.sqrt, lambda x: 0.5 / math.sqrt(x))
sin, cos = function(math.sin, math.cos), function(math.cos, lambda x: -math.sin(x))
tanh = function(math.tanh, lambda x: 1 - math.tanh(x) ** 2)


def total(terms):
    terms = list(terms)
    return sum(terms[1:], terms[0])


def logsumexp(x):
    most = max(value(v) for v in x)
    return log(total(exp(v - most) for v in x)) + most


def flat(x):
    return [v for row in x for v in flat(row)] if isinstance(x, list) else [x]


def shaped(like, numbers):
    """Numbers of an iterator in the nesting of another list."""
    return [shaped(row, numbers) for row in like] if isinstance(like, list) else next(numbers)


def unknowns(x):
    """Of nested lists: the same, with a partial each."""
    n = len(flat(x))
    return shaped(x, iter([Dual(v, [float(i == j) for j in range(n)]) for i, v in enumerate(flat(x))]))


# ---- The functions ----

def gmm(i, alpha, mu, q, l):
    d, m, gamma = i["d"], i["m"], i["gamma"]
    n, beta = d + m + 1, [[] for _ in i["x"]]
    prior = i["k"] * (n * d * math.log(gamma / math.sqrt(2)) - 0.25 * d * (d - 1) * math.log(math.pi)
                      - sum(math.lgamma((n - j) / 2) for j in range(d)))
    for k in range(i["k"]):
        below = iter(l[k])
        Q = [[0.0] * d for _ in range(d)]
        for c in range(d):
            Q[c][c] = exp(q[k][c])
            for r in range(c + 1, d):
                Q[r][c] = next(below)
        prior += -0.5 * gamma**2 * total(v * v for v in flat(Q)) + m * total(q[k])
        for row, x in zip(beta, i["x"]):
            z = [total(Q[r][c] * (x[c] - mu[k][c]) for c in range(r + 1)) for r in range(d)]
            row.append(alpha[k] + total(q[k]) - 0.5 * total(v * v for v in z))
    return total(map(logsumexp, beta)) - i["n"] * (d / 2 * math.log(2 * math.pi) + logsumexp(alpha)) + prior


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def dot(a, b):
    return total(x * y for x, y in zip(a, b))


def reprojection(camera, point, w, feature):
    v, x = camera[:3], [a - b for a, b in zip(point, camera[3:6])]
    angle = sqrt(dot(v, v))
    n = [a / angle for a in v]
    along = dot(n, x) * (1.0 - cos(angle))
    x = [a * cos(angle) + b * sin(angle) + c * along for a, b, c in zip(x, cross(n, x), n)]
    p = [x[0] / x[2], x[1] / x[2]]
    square = dot(p, p)
    radial = 1.0 + camera[9] * square + camera[10] * square * square
    return [w * (a * radial * camera[6] + b - c) for a, b, c in zip(p, camera[7:9], feature)]


def product(A, B):
    return [[total(a * B[k][j] for k, a in enumerate(row)) for j in range(len(B[0]))] for row in A]


def bent(x, z, y):
    Rx = [[1.0, 0.0, 0.0], [0.0, cos(x), -sin(x)], [0.0, sin(x), cos(x)]]
    Ry = [[cos(y), 0.0, sin(y)], [0.0, 1.0, 0.0], [-sin(y), 0.0, cos(y)]]
    Rz = [[cos(z), -sin(z), 0.0], [sin(z), cos(z), 0.0], [0.0, 0.0, 1.0]]
    return [row + [0.0] for row in product(product(Rz, Ry), Rx)] + [[0.0, 0.0, 0.0, 1.0]]


def about(v):
    angle = sqrt(dot(v, v))
    n = [a / angle for a in v]
    s, c = sin(angle), cos(angle)
    skew = [[0.0, -n[2], n[1]], [n[2], 0.0, -n[0]], [-n[1], n[0], 0.0]]
    return [[(i == j) * c + n[i] * n[j] * (1.0 - c) + skew[i][j] * s for j in range(3)] for i in range(3)]


def ht(i, theta, us):
    m = i["data"]["model"]
    angle = [[0.0] * 3 for _ in m["parents"]]
    rest = iter(theta[6:])
    for finger in range(5):
        for joint in range(3):
            angle[2 + 4 * finger + joint][0] = next(rest)
            if joint == 0:
                angle[2 + 4 * finger][1] = next(rest)
    placed, bones = [], []
    for b, parent in enumerate(m["parents"]):
        own = product(m["base_relatives"][b], bent(*angle[b]))
        placed.append(own if parent < 0 else product(placed[parent], own))
        bones.append(product(placed[b], m["inverse_base_absolutes"][b]))
    turn = about(theta[:3])

    def vertex(v):
        at = [total(w * dot(bone[r], m["base_positions"][v]) for w, bone in zip(m["weights"][v], bones) if w)
              for r in range(3)]
        if m["is_mirrored"]:
            at[0] = -at[0]
        return [dot(turn[r], at) + theta[3 + r] for r in range(3)]

    for k, (of, measured) in enumerate(zip(i["data"]["correspondences"], i["data"]["points"])):
        if us:
            u = us(k)
            corner = [vertex(v) for v in m["triangles"][of]]
            at = [u[0] * a + u[1] * b + (1.0 - u[0] - u[1]) * c for a, b, c in zip(*corner)]
        else:
            at = vertex(of)
        yield [a - b for a, b in zip(measured, at)]


def sigmoid(x):
    return 1.0 / (1.0 + exp(-x))


def lstm(i, main, extra):
    state, bits = [list(row) for row in i["state"]], range(len(extra[0]))
    loss, text = 0.0, i["sequence"]
    for now, then in zip(text, text[1:]):
        x = [now[j] * extra[0][j] for j in bits]
        for layer in range(0, len(state), 2):
            h, c = state[layer], state[layer + 1]
            weight, bias = main[layer], main[layer + 1]
            gate = [[s * weight[g * len(bits) + j] + bias[g * len(bits) + j] for j, s in enumerate(source)]
                    for g, source in enumerate((x, h, x, h))]
            for j in bits:
                c[j] = c[j] * sigmoid(gate[0][j]) + sigmoid(gate[1][j]) * tanh(gate[3][j])
                h[j] = sigmoid(gate[2][j]) * tanh(c[j])
            x = list(h)
        y = [x[j] * extra[1][j] + extra[2][j] for j in bits]
        share = log(total(map(exp, y)) + 2.0)
        loss = loss - total(then[j] * (y[j] - share) for j in bits)
    return loss / ((len(text) - 1) * len(bits))


def kmeans(i, centroids):
    def distance(p, c):
        return total((a - b) * (a - b) for a, b in zip(p, c))
    return total(min((distance(p, c) for c in centroids), key=value) for p in i["points"])


def kmeans_step(i):
    """The centroid less the mean of what is nearest to it."""
    nearest = [[] for _ in i["centroids"]]
    for p in i["points"]:
        distance = [sum((a - b) ** 2 for a, b in zip(p, c)) for c in i["centroids"]]
        nearest[distance.index(min(distance))].append(p)
    return [[a - sum(column) / len(column) for a, column in zip(c, zip(*own))]
            for c, own in zip(i["centroids"], nearest)]


def llsq(i, x):
    n, sum_of = i["n"], 0.0
    for t in (-1 + 2 * k / (n - 1) for k in range(n)):
        rest = ((t > 0) - (t < 0)) - total(v * t**j for j, v in enumerate(x))
        sum_of = sum_of + 0.5 * rest * rest
    return sum_of


def ode(i, x):
    y, h = [0.0] * len(x), 2 / i["s"]

    def slope(y):
        return [a * b for a, b in zip(x, [1.0] + y[:-1])]

    def moved(k, by):
        return [a + b * by for a, b in zip(y, k)]

    for _ in range(i["s"]):
        k1 = slope(y)
        k2 = slope(moved(k1, h / 2))
        k3 = slope(moved(k2, h / 2))
        k4 = slope(moved(k3, h))
        y = [a + (b + 2.0 * c + 2.0 * d + e) * (h / 6) for a, b, c, d, e in zip(y, k1, k2, k3, k4)]
    return y


def det(rows):
    if len(rows) == 1:
        return rows[0][0]
    return total(a * det([r[:j] + r[j + 1:] for r in rows[1:]]) * (-1.0) ** j for j, a in enumerate(rows[0]))


# ---- Outputs ----

def gradient(f, *x):
    """Of f's value by each x, in its nesting."""
    return shaped(list(x), iter(f(*unknowns(list(x))).partial))


def ba_output(i, name):
    by = unknowns(i["cam"] + i["x"] + [i["w"]])
    error = reprojection(by[:11], by[11:14], by[14], i["feat"])
    n, m, p = i["n"], i["m"], i["p"]
    if name == "objective":
        return {"reproj_error": {"elements": [e.value for e in error], "repeated": p},
                "w_err": {"element": 1 - i["w"] ** 2, "repeated": p}}
    columns = list(range(11)) + [11 * n + k for k in range(3)] + [11 * n + 3 * m]
    rows = [15 * k for k in range(2 * p + 1)] + [30 * p + k for k in range(1, p + 1)]
    return {"rows": rows[:30] + rows[-1:], "cols": columns + columns + [11 * n + 3 * m + p - 1],
            "vals": error[0].partial + error[1].partial + [-2 * i["w"]]}


def ht_output(i, name):
    us = i["us"]
    if name == "objective":
        return [v for row in ht(i, i["theta"], (lambda k: us[k]) if us else None) for v in row]
    by = unknowns((us[0] if us else []) + i["theta"])  # us of the point at hand, then theta
    first = 2 if us else 0

    def of_point(k):
        return [Dual(v, by[j].partial) for j, v in enumerate(us[k])]
    return [v.partial for row in ht(i, by[first:], of_point if us else None) for v in row]


def ode_output(i, name):
    return ode(i, i["x"]) if name == "primal" else gradient(lambda x: ode(i, x)[-1], i["x"])[0]


def square(A, n):
    return [A[k * n:(k + 1) * n] for k in range(n)]


def gmm_output(i, name):
    x = [i[k] for k in ("alpha", "mu", "q", "l")]
    if name == "objective":
        return gmm(i, *x)
    return dict(zip(("alpha", "mu", "q", "l"), gradient(lambda *x: gmm(i, *x), *x)))


def lstm_output(i, name):
    x = i["main_params"], i["extra_params"]
    return lstm(i, *x) if name == "objective" else flat(gradient(lambda *x: lstm(i, *x), *x))


def scalar(f):
    return lambda i, name: f(i, i["x"]) if name == "primal" else gradient(lambda x: f(i, x), i["x"])[0]


RIGHT = {
    "hello": lambda x, name: x * x if name == "square" else 2 * x,
    "gmm": gmm_output, "ba": ba_output, "ht": ht_output, "lstm": lstm_output,
    "kmeans": lambda i, name: kmeans(i, i["centroids"]) if name == "cost" else kmeans_step(i),
    "lse": scalar(lambda i, x: logsumexp(x)), "llsq": scalar(llsq), "ode": ode_output,
    "det": lambda i, name: det(square(i["A"], i["ell"])) if name == "primal" else
    gradient(lambda A: det(square(A, i["ell"])), i["A"])[0],
    "particle": lambda i, name: 0.2071918746486116,  # the suite's own
}
