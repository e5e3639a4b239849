/* tape.hpp — the scalar graph that the peers with scalar tapes record: J by ML-IS of E(x; θ) = x²/(2θ²) at fixed
 * points, its value and dJ/dθ. A peer is a template Tape<Energy>, made from points, with evaluate(θ, &value,
 * &gradient); Energy is one of the two below. */
#ifndef TAPE_HPP
#define TAPE_HPP

#include "peer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <vector>

namespace tape
{

struct points {
    std::vector<double> x, y, log_q;
    double theta;
};

/* ½(x/θ)², as one would write it. */
struct plain {
    template <class T> struct at {
        const T &theta;
        explicit at(const T &theta) : theta(theta) {}
        T operator()(double x) const
        {
            T z = x / theta;
            return 0.5 * z * z;
        }
    };
};

/* x² times a factor that is recorded once. */
struct factored {
    template <class T> struct at {
        T factor;
        explicit at(const T &theta) : factor(0.5 / (theta * theta)) {}
        T operator()(double x) const { return factor * (x * x); }
    };
};

/* mean E(x) + log mean exp(−E(y) − log q). The largest weight at the first θ keeps exp in range; as a constant it is
 * right at any θ, so that a tape may be run again. */
template <class T, class Energy> T objective(const points &p, const T &theta)
{
    using std::exp;
    using std::log;
    typename Energy::template at<T> energy(theta);
    typename Energy::template at<double> energy_now(p.theta);
    double top = -INFINITY, rows = (double)p.x.size();
    for (size_t i = 0; i < p.y.size(); i++) top = std::max(top, -energy_now(p.y[i]) - p.log_q[i]);
    T data = 0, weights = 0;
    for (double x : p.x) data += energy(x);
    for (size_t i = 0; i < p.y.size(); i++) weights += exp(-(p.log_q[i] + top) - energy(p.y[i]));
    return data / rows + (log(weights) + (top - log(rows)));
}

/* ---- The method, for any Tape ---- */

template <class Tape> struct problem {
    Tape tape;
    double theta, value, gradient;
    explicit problem(const points &p) : tape(p), theta(p.theta) {}
};

inline bool read(peer_request *r, const char *name, std::vector<double> *to)
{
    ad_shape shape;
    const double *from = peer_tensor(r, name, &shape);
    if (from) to->assign(from, from + ad_shape_count(&shape));
    return from != nullptr;
}

template <class Tape> void *open(peer_request *r)
{
    points p;
    std::vector<double> theta;
    if (!read(r, "x", &p.x) || !read(r, "y", &p.y) || !read(r, "log_q", &p.log_q) || !read(r, "theta", &theta))
        return nullptr;
    p.theta = theta.at(0);
    try {
        return new problem<Tape>(p);
    } catch (const std::exception &e) {
        std::snprintf(r->reason, sizeof r->reason, "%s", e.what());
        return nullptr;
    }
}

template <class Tape> void step(void *opened)
{
    auto *p = static_cast<problem<Tape> *>(opened);
    p->tape.evaluate(p->theta, &p->value, &p->gradient);
}

template <class Tape> double answer(void *opened, double *gradient)
{
    auto *p = static_cast<problem<Tape> *>(opened);
    step<Tape>(opened);
    *gradient = p->gradient;
    return p->value;
}

template <class Tape> void close(void *opened) { delete static_cast<problem<Tape> *>(opened); }

template <class Tape> peer_method method(const char *formulation)
{
    return {"gaussian", formulation, GIBBS_FLOAT64, open<Tape>, answer<Tape>, step<Tape>, close<Tape>};
}

/* main, for a template Tape<Energy>. */
template <template <class> class Tape> int serve(int argc, char **argv, const char *version)
{
    static const peer_method as_written = method<Tape<plain>>("plain"), shared = method<Tape<factored>>("factored");
    static const peer_method *const methods[] = {&as_written, &shared, nullptr};
    return peer_serve(argc, argv, version, methods);
}

}  // namespace tape

#endif
