/* Drawn sets: numbers of another implementation, moments in closed form, support, and what must tell them apart. Seeds
 * are fixed, so that nothing here fails by chance. */
#include <gibbs/data.h>

#include <complex.h>
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { SETS = 9, ROWS = 50000 };

static ebm_data draw(const char *name, int64_t rows, uint64_t seed)
{
    ebm_data data;
    gibbs_error error = {0};
    cr_assert(ebm_data_generate(name, rows, seed, NULL, &data, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(data.rows == rows && data.cols == 2 && !data.names);
    return data;
}

/* Row 0 of seed 7 and row 1000 of seed 2⁶⁴ − 1, by the definitions in Python with numpy's Philox. */
static const struct {
    const char *name;
    double first[2], far[2];
} known[SETS] = {
    {"gaussian", {-0.49251355316005319, 0.32124774479953777}, {-0.035597749366712929, -0.031904880903431888}},
    {"8gaussians", {1.9308152969996959, -2.6164920990080223}, {-0.58550116583316314, 2.6776943089393415}},
    {"circles", {-0.89997519971720452, 3.0857732384815875}, {-0.041359028064708217, 1.6353851502251788}},
    {"rings", {-0.95137483888513052, 2.9195432337481391}, {-0.053105175444101385, 2.2946866217619255}},
    {"moons", {-0.097050108473064139, -0.62051931579894415}, {0.39185512374527182, 1.3431490230811254}},
    {"pinwheel", {1.3005523727274353, -1.4043890814321383}, {0.73332247200056244, 0.69471829554114717}},
    {"swissroll", {0.17232713591615434, 1.1801876899146237}, {0.31937244205727894, 1.2436020341665697}},
    {"2spirals", {-0.63982105405834233, -1.5219666271645707}, {0.027159648753914838, 1.4097748291030259}},
    {"checkerboard", {-1.4500999009256654, 2.6055970986870332}, {-1.7196978477218687, 2.5071523579483426}},
};

Test(generate, known_points)
{
    for (int s = 0; s < SETS; s++) {
        cr_expect_str_eq(ebm_data_generator(s), known[s].name);
        ebm_data first = draw(known[s].name, 1, 7), far = draw(known[s].name, 1001, UINT64_MAX);
        for (int c = 0; c < 2; c++) {
            cr_expect_float_eq(first.x[c], known[s].first[c], 1e-13, "%s", known[s].name);
            cr_expect_float_eq(far.x[2000 + c], known[s].far[c], 1e-13, "%s", known[s].name);
        }
        ebm_data_free(&first);
        ebm_data_free(&far);
    }
    cr_expect(!ebm_data_generator(SETS) && !ebm_data_generator(-1));
}

/* A longer draw begins with a shorter one; another seed shares no point. */
Test(generate, rows_depend_on_seed_and_number_only)
{
    for (int s = 0; s < SETS; s++) {
        ebm_data shorter = draw(known[s].name, 10, 3), longer = draw(known[s].name, 50, 3);
        ebm_data other = draw(known[s].name, 50, 4);
        cr_expect(!memcmp(shorter.x, longer.x, 20 * sizeof *shorter.x), "%s", known[s].name);
        for (int i = 0; i < 100; i++) cr_expect_neq(longer.x[i], other.x[i], "%s", known[s].name);
        ebm_data_free(&shorter), ebm_data_free(&longer), ebm_data_free(&other);
    }
}

/* ---- Moments: of x, y, x², xy, y², |z|⁴ and zᵏ, z = x + iy ------------------------------------------------------ */

enum { MOMENTS = 8 };
typedef struct moments {
    int k;                /* of zᵏ */
    double value[MOMENTS]; /* E x, E y, E x², E xy, E y², E|z|⁴, Re E zᵏ, Im E zᵏ; NaN: has no closed form */
} moments;

/* c + sd(ε + iε′) for random c: the noise adds to moments of |z|, and leaves those of zᵏ, which is harmonic, alone. */
static moments with_noise(double x, double y, double xx, double xy, double yy, double c4, double sd, int k,
                          double complex zk)
{
    double c2 = xx + yy, s2 = sd * sd;
    return (moments){k, {x, y, xx + s2, xy, yy + s2, c4 + 8 * c2 * s2 + 8 * s2 * s2, creal(zk), cimag(zk)}};
}

/* Centred, and alike in all directions up to k-th order: r2 and r4 are E|c|² and E|c|⁴. */
static moments round_about(double r2, double r4, double sd, int k, double complex zk)
{
    return with_noise(0, 0, r2 / 2, 0, r2 / 2, r4, sd, k, zk);
}

static moments of_gaussian(void) { return round_about(0, 0, 1, 4, 0); }

static moments of_8gaussians(void)
{
    double r = 4 / 1.414;
    return round_about(r * r, pow(r, 4), 0.5 / 1.414, 8, pow(r, 8));
}

static moments of_circles(void)
{
    return round_about((pow(1.5, 2) + pow(3, 2)) / 2, (pow(1.5, 4) + pow(3, 4)) / 2, 0.24, 4, 0);
}

static moments of_rings(void)
{
    return round_about(pow(0.75, 2) * (1 + 4 + 9 + 16) / 4, pow(0.75, 4) * (1 + 16 + 81 + 256) / 4, 0.08, 4, 0);
}

/* E eⁱᵃ = 2i/π, E e²ⁱᵃ = 0, E e³ⁱᵃ = 2i/(3π); the halves are 2eⁱᵃ − p and q − 2eⁱᵃ. */
static moments of_moons(void)
{
    double complex e1 = 2 * I / M_PI, e3 = 2 * I / (3 * M_PI), p = 1 + 0.2 * I, q = 1 + 0.8 * I;
    double complex upper = 8 * e3 + 6 * e1 * p * p - p * p * p, lower = q * q * q - 6 * q * q * e1 - 8 * e3;
    double s1 = 2 / M_PI, xx = 3, yy = 2.34 - 2 * s1, xy = 0.5 - 2 * s1;
    double a = 5.04, b = 5.64; /* |c|² = a − 4 cos − 0.8 sin above, b − 4 cos − 3.2 sin below */
    double above = a * a + 8 + 0.32 - 1.6 * a * s1, below = b * b + 8 + 5.12 - 6.4 * b * s1;
    return with_noise(0, 0.3, xx, xy, yy, (above + below) / 2, 0.2, 3, (upper + lower) / 2);
}

/* z = 2(ρ + iτ)exp(−ia), so that z⁵ forgets the blade; the mean over τ by hand, over ρ by the trapezoidal rule. */
static moments of_pinwheel(void)
{
    double s = 0.3, t = 0.1, rho4 = 1 + 6 * s * s + 3 * pow(s, 4), h = 1e-3;
    double complex z5 = 0;
    for (int i = -8000; i <= 8000; i++) {
        double e = i * h, r = 1 + s * e, weight = h * exp(-e * e / 2) / sqrt(2 * M_PI);
        z5 += weight * 32 * (pow(r, 5) - 10 * pow(r, 3) * t * t + 15 * r * pow(t, 4)) * cexp(-1.25 * I * exp(r));
    }
    double r2 = 4 * (1 + s * s + t * t), r4 = 16 * (rho4 + 2 * (1 + s * s) * t * t + 3 * pow(t, 4));
    return round_about(r2, r4, 0, 5, z5);
}

/* Integrals of t cos t, t sin t, t² cos 2t, t² sin 2t, t² and t⁴ over (1.5π, 4.5π). */
static moments of_swissroll(void)
{
    double x = 2, y = 2 / (3 * M_PI), t2 = 9.75 * M_PI * M_PI, cos2 = -0.5, sin2 = 3 * M_PI;
    double t4 = pow(M_PI, 4) * (pow(4.5, 5) - pow(1.5, 5)) / 15;
    return with_noise(x / 5, y / 5, (t2 + cos2) / 50, sin2 / 50, (t2 - cos2) / 50, t4 / 625, 0.2, 1,
                      (x + I * y) / 5);
}

/* n has density 2n/(9π²) up to 3π; u and v have mean ¼ and mean square 1/12. */
static moments of_2spirals(void)
{
    double n2 = 4.5 * M_PI * M_PI, cos2 = 1.5, sin2 = -3 * M_PI + 1 / (2 * M_PI);
    double sine = 2 - 8 / (9 * M_PI * M_PI), cosine = -4 / (3 * M_PI);
    double xx = 1.0 / 12 - 0.5 * cosine + (n2 + cos2) / 2, yy = 1.0 / 12 + 0.5 * sine + (n2 - cos2) / 2;
    double xy = 0.0625 + 0.25 * (sine - cosine) - sin2 / 2;
    return with_noise(0, 0, xx / 9, xy / 9, yy / 9, NAN, 0.1, 1, 0);
}

/* Each coordinate is uniform on (−4, 4), and given the parity of the square they are independent: E xy = 1 and
 * E x²y² = (16/3)². */
static moments of_checkerboard(void)
{
    double x2 = 16.0 / 3, x4 = 256.0 / 5;
    return with_noise(0, 0, x2, 1, x2, 2 * x4 + 2 * x2 * x2, 0, 4, 2 * x4 - 6 * x2 * x2 + I * 0);
}

static moments (*const expected[SETS])(void) = {of_gaussian, of_8gaussians, of_circles, of_rings, of_moons,
                                                of_pinwheel, of_swissroll, of_2spirals, of_checkerboard};

/* The largest distance of a sample's means from what is expected, in standard errors of the sample's own. */
static double worst_z(const ebm_data *data, const moments *m)
{
    double sum[MOMENTS] = {0}, squares[MOMENTS] = {0}, worst = 0, n = (double)data->rows;
    for (int64_t row = 0; row < data->rows; row++) {
        double x = data->x[2 * row], y = data->x[2 * row + 1];
        double complex zk = cpow(x + I * y, m->k);
        const double f[MOMENTS] = {x, y, x * x, x * y, y * y, pow(x * x + y * y, 2), creal(zk), cimag(zk)};
        for (int i = 0; i < MOMENTS; i++) {
            if (isnan(m->value[i])) continue;
            sum[i] += f[i] - m->value[i];
            squares[i] += pow(f[i] - m->value[i], 2);
        }
    }
    for (int i = 0; i < MOMENTS; i++)
        if (squares[i] > 0) worst = fmax(worst, fabs(sum[i]) / sqrt(squares[i] - sum[i] * sum[i] / n));
    return worst;
}

/* Of 9 · 8 standard normals the largest is below 4.2 with probability 0.998. Controls: every other set, and the same
 * 2 % larger, moved by 0.05, or mirrored where it has a hand. */
Test(generate, moments)
{
    for (int s = 0; s < SETS; s++) {
        ebm_data data = draw(known[s].name, ROWS, 11);
        moments own = expected[s]();
        cr_expect(worst_z(&data, &own) < 4.2, "%s: %g standard errors", known[s].name, worst_z(&data, &own));
        for (int other = 0; other < SETS; other++) {
            moments wrong = expected[other]();
            if (other != s) cr_expect(worst_z(&data, &wrong) > 8, "%s is not %s", known[s].name, known[other].name);
        }
        for (int64_t i = 0; i < 2 * ROWS; i++) data.x[i] *= 1.02;
        cr_expect(worst_z(&data, &own) > 5.5, "control: %s larger", known[s].name);
        for (int64_t i = 0; i < 2 * ROWS; i++) data.x[i] = data.x[i] / 1.02 + (i % 2 ? 0.05 : 0);
        cr_expect(worst_z(&data, &own) > 4.2, "control: %s moved", known[s].name);
        for (int64_t i = 0; i < 2 * ROWS; i++) data.x[i] = i % 2 ? 0.05 - data.x[i] : data.x[i];
        if (s > 3) cr_expect(worst_z(&data, &own) > 8, "control: %s mirrored", known[s].name);
        ebm_data_free(&data);
    }
}
