/* Where the points of a drawn set may lie, how many in each of its parts; and what is refused. */
#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
enum { ROWS = 20000, FEW = 1000, NODES = 1500 };

typedef struct point {
    double x, y;
} point;

static double gap(point a, point b)
{
    return hypot(a.x - b.x, a.y - b.y);
}

static ebm_data draw(const char *name, int64_t rows)
{
    ebm_data data;
    cr_assert(ebm_data_generate(name, rows, 5, NULL, &data, NULL) == GIBBS_OK);
    return data;
}

/* ---- Parts that are equally likely ---- */

/* The number of a point's part; its distance from the middle of the part, in units of the noise, is left in *away. */
typedef int part_of(point p, double *away);

static int of_8gaussians(point p, double *away)
{
    int best = 0;
    *away = INFINITY;
    for (int k = 0; k < 8; k++) {
        double angle = M_PI / 4 * k, d = gap(p, (point){4 / 1.414 * cos(angle), 4 / 1.414 * sin(angle)}) * 1.414 / 0.5;
        if (d < *away) *away = d, best = k;
    }
    return best;
}

static int on_circles(point p, double first, double between, int count, double sd, double *away)
{
    double r = hypot(p.x, p.y);
    int k = (int)fmin(fmax(round((r - first) / between), 0), count - 1);
    *away = fabs(r - first - k * between) / sd;
    return k;
}

static int of_circles(point p, double *away) { return on_circles(p, 1.5, 1.5, 2, 0.24, away); }
static int of_rings(point p, double *away) { return on_circles(p, 0.75, 0.75, 4, 0.08, away); }

/* Squares without noise: inside is 0 away, outside for ever. Their number from i + 2 and j + 2 of the same parity. */
static int of_checkerboard(point p, double *away)
{
    int i = (int)floor(p.x / 2) + 2, j = (int)floor(p.y / 2) + 2;
    *away = i >= 0 && i < 4 && j >= 0 && j < 4 && (i + j) % 2 == 0 ? 0 : INFINITY;
    return (4 * (i & 3) + (j & 3)) / 2;
}

/* Angles are equally likely, too. */
static int octant(point p, double *away)
{
    *away = 0;
    return (int)floor((atan2(p.y, p.x) / M_PI + 1) * 4) & 7;
}

/* χ² over its number of degrees of freedom is below `most` with probability 0.999. */
static const struct {
    const char *name;
    part_of *part;
    int parts;
    double most;
} parts[] = {
    {"8gaussians", of_8gaussians, 8, 3.48}, {"circles", of_circles, 2, 10.9}, {"rings", of_rings, 4, 5.43},
    {"checkerboard", of_checkerboard, 8, 3.48}, {"circles", octant, 8, 3.48}, {"rings", octant, 8, 3.48},
    {"gaussian", octant, 8, 3.48}, {"8gaussians", octant, 8, 3.48},
};

static double chi_square(const ebm_data *data, int i, int64_t rows, double *farthest)
{
    double count[8] = {0}, sum = 0, even = (double)rows / parts[i].parts;
    *farthest = 0;
    for (int64_t row = 0; row < rows; row++) {
        double away;
        count[parts[i].part((point){data->x[2 * row], data->x[2 * row + 1]}, &away)]++;
        *farthest = fmax(*farthest, away);
    }
    for (int k = 0; k < parts[i].parts; k++) sum += pow(count[k] - even, 2) / even;
    return sum / (parts[i].parts - 1);
}

Test(generate_support, parts_are_equally_likely)
{
    for (int i = 0; i < COUNT(parts); i++) {
        double farthest, most = i == 3 ? 0 : 5.5;
        ebm_data data = draw(parts[i].name, ROWS);
        double chi2 = chi_square(&data, i, ROWS, &farthest);
        cr_expect(chi2 < parts[i].most && chi2 > 0.01, "%s, case %d: χ² %g", parts[i].name, i, chi2);
        cr_expect(farthest <= most, "%s, case %d: %g from its part", parts[i].name, i, farthest);
        int64_t kept = 0;
        for (int64_t row = 0; row < ROWS; row++) /* control: without a strip about the first axis */
            if (fabs(data.x[2 * row + 1]) > 1.2) memmove(data.x + 2 * kept++, data.x + 2 * row, 2 * sizeof *data.x);
        cr_expect(chi_square(&data, i, kept, &farthest) > 2 * parts[i].most, "control: case %d", i);
        ebm_data_free(&data);
    }
}

/* ---- Points about a curve ---- */

static point moon(double u, int half)
{
    double a = M_PI * u, x = half ? 1 - cos(a) : cos(a), y = half ? 0.5 - sin(a) : sin(a);
    return (point){2 * x - 1, 2 * y - 0.2};
}

static point roll(double u, int half)
{
    double t = M_PI * (1.5 + 3 * u);
    (void)half;
    return (point){t * cos(t) / 5, t * sin(t) / 5};
}

/* The spirals' points are moved by up to ½ along both axes: this is the middle. */
static point spiral(double u, int half)
{
    double n = 3 * M_PI * u, sign = half ? -1 : 1;
    return (point){sign * (0.25 - n * cos(n)) / 3, sign * (0.25 + n * sin(n)) / 3};
}

static const struct {
    const char *name;
    point (*curve)(double u, int half);
    double spread; /* the variance across the curve; ends and neighbours take a little of it */
} curves[] = {{"moons", moon, 0.04}, {"swissroll", roll, 0.04}, {"2spirals", spiral, 0.01 + 0.25 / 12 / 9}};

static double distance(point p, point (*curve)(double u, int half))
{
    double least = INFINITY;
    for (int i = 0; i <= NODES; i++)
        for (int half = 0; half < 2; half++) least = fmin(least, gap(p, curve((double)i / NODES, half)));
    return least;
}

/* Control: the points of the next curve. */
Test(generate_support, points_are_about_their_curve)
{
    for (int i = 0; i < 3; i++)
        for (int wrong = 0; wrong < 2; wrong++) {
            double sum = 0, farthest = 0;
            ebm_data data = draw(curves[(i + wrong) % 3].name, FEW);
            for (int64_t row = 0; row < FEW; row++) {
                double d = distance((point){data.x[2 * row], data.x[2 * row + 1]}, curves[i].curve);
                sum += d * d / FEW;
                farthest = fmax(farthest, d);
            }
            int right = fabs(sum / curves[i].spread - 1) < 0.12 && farthest < 5.5 * sqrt(curves[i].spread);
            cr_expect(right == !wrong, "%s: variance %g, farthest %g", curves[i].name, sum, farthest);
            ebm_data_free(&data);
        }
}

/* ---- What is refused ---- */

Test(generate_support, refusals)
{
    ebm_data data = {.rows = 9};
    gibbs_error error = {0};
    cr_expect(ebm_data_generate("moon", 10, 1, NULL, &data, &error) == GIBBS_ARGUMENT && !data.rows);
    cr_expect_str_eq(error.message, "generate: «moon» is none of gaussian, 8gaussians, circles, rings, moons, "
                                    "pinwheel, swissroll, 2spirals, checkerboard");
    cr_expect(ebm_data_generate("moons", 0, 1, NULL, &data, &error) == GIBBS_ARGUMENT);
    cr_expect(ebm_data_generate("moons", -3, 1, NULL, &data, &error) == GIBBS_ARGUMENT);
    cr_expect_str_eq(error.message, "generate: -3 rows, fewer than 1");
    cr_expect(ebm_data_generate("moons", INT64_MAX / 4, 1, NULL, &data, &error) == GIBBS_SIZE);
    cr_expect(ebm_data_generate(NULL, 1, 1, NULL, &data, &error) == GIBBS_ARGUMENT);
    cr_expect(!data.rows && !data.x);
}
