/* generate.c — the usual sets of points in the plane, by name. */
#include "base/random.h"
#include "data_private.h"

#include <math.h>
#include <string.h>

enum { PLANE = 2, NAMES_SIZE = 128 };
static const uint64_t GENERATE_PURPOSE = 0x67656e6572617465; /* "generate" */

typedef struct point {
    double x, y;
} point;

/* Draws are taken in the order of these functions' statements, never within one expression: compilers differ there. */
static point noisy(gibbs_words *w, double x, double y, double sd)
{
    x += sd * gibbs_words_normal(w);
    y += sd * gibbs_words_normal(w);
    return (point){x, y};
}

static double between(gibbs_words *w, double low, double high)
{
    return low + (high - low) * gibbs_words_unit(w);
}

/* 0 … n − 1. */
static double one_of(gibbs_words *w, uint64_t n)
{
    return (double)gibbs_words_below(w, n);
}

static point on_circle(gibbs_words *w, double radius, double sd)
{
    double a = between(w, 0, 2 * M_PI);
    return noisy(w, radius * cos(a), radius * sin(a), sd);
}

static point gaussian(gibbs_words *w)
{
    return noisy(w, 0, 0, 1);
}

static point eight_gaussians(gibbs_words *w)
{
    double a = M_PI / 4 * one_of(w, 8), radius = 4 / 1.414;
    return noisy(w, radius * cos(a), radius * sin(a), 0.5 / 1.414);
}

static point circles(gibbs_words *w)
{
    double radius = 1.5 + 1.5 * one_of(w, 2);
    return on_circle(w, radius, 0.24);
}

static point rings(gibbs_words *w)
{
    double radius = 0.75 + 0.75 * one_of(w, 4);
    return on_circle(w, radius, 0.08);
}

static point moons(gibbs_words *w)
{
    double lower = one_of(w, 2), a = between(w, 0, M_PI), x = cos(a), y = sin(a);
    return lower > 0 ? noisy(w, 2 * (1 - x) - 1, 2 * (0.5 - y) - 0.2, 0.2) : noisy(w, 2 * x - 1, 2 * y - 0.2, 0.2);
}

static point pinwheel(gibbs_words *w)
{
    double b = 2 * M_PI / 5 * one_of(w, 5);
    point blade = noisy(w, 0, 0, 1);
    double radial = 1 + 0.3 * blade.x, tangential = 0.1 * blade.y, a = b + 0.25 * exp(radial);
    return (point){2 * (radial * cos(a) + tangential * sin(a)), 2 * (tangential * cos(a) - radial * sin(a))};
}

static point swissroll(gibbs_words *w)
{
    double t = between(w, 1.5 * M_PI, 4.5 * M_PI);
    return noisy(w, t * cos(t) / 5, t * sin(t) / 5, 0.2);
}

static point two_spirals(gibbs_words *w)
{
    double third = (2 * one_of(w, 2) - 1) / 3, n = 3 * M_PI * sqrt(gibbs_words_unit(w));
    double u = between(w, 0, 0.5), v = between(w, 0, 0.5);
    return noisy(w, third * (u - n * cos(n)), third * (v + n * sin(n)), 0.1);
}

static point checkerboard(gibbs_words *w)
{
    double x = between(w, -2, 2), y = gibbs_words_unit(w) - 2 * one_of(w, 2);
    return (point){2 * x, 2 * (y + fmod(fabs(floor(x)), 2))};
}

static const struct {
    const char *name;
    point (*draw)(gibbs_words *w);
} sets[] = {
    {"gaussian", gaussian},   {"8gaussians", eight_gaussians}, {"circles", circles},
    {"rings", rings},         {"moons", moons},                {"pinwheel", pinwheel},
    {"swissroll", swissroll}, {"2spirals", two_spirals},       {"checkerboard", checkerboard},
};

const char *ebm_data_generator(int i)
{
    return i >= 0 && i < GIBBS_COUNT(sets) ? sets[i].name : NULL;
}

static gibbs_status unknown(const char *name, gibbs_error *error)
{
    char names[NAMES_SIZE] = "";
    size_t used = 0;
    for (int i = 0; i < GIBBS_COUNT(sets) && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", sets[i].name);
    return gibbs_fail(error, GIBBS_ARGUMENT, "generate: «%.60s» is none of %s", name, names);
}

gibbs_status ebm_data_generate(const char *name, int64_t rows, uint64_t seed, const gibbs_allocator *allocator,
                               ebm_data *out, gibbs_error *error)
{
    GIBBS_REQUIRE("generate", name && out, error);
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    int set = 0;
    *out = (ebm_data){0};
    while (set < GIBBS_COUNT(sets) && strcmp(name, sets[set].name)) set++;
    if (set == GIBBS_COUNT(sets)) return unknown(name, error);
    if (rows < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "generate: %lld rows, fewer than 1", (long long)rows);
    gibbs_status status = ebm_data_new(rows, PLANE, &a, out, error);
    for (int64_t row = 0; row < rows && !status; row++) {
        gibbs_words words = gibbs_words_start(seed, GENERATE_PURPOSE, (uint64_t)row);
        point p = sets[set].draw(&words);
        out->x[PLANE * row] = p.x;
        out->x[PLANE * row + 1] = p.y;
    }
    return status;
}
