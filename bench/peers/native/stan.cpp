/* stan.cpp — Stan Math: its tape cannot be run again with another θ, so that every evaluation records it anew, in
 * memory that is kept. */
#include <stan/math/rev/mat.hpp>

#include "tape.hpp"

template <class Energy> class stan_tape
{
    tape::points points;

  public:
    explicit stan_tape(const tape::points &p) : points(p) {}

    void evaluate(double at, double *value, double *gradient)
    {
        stan::math::var theta = at;
        stan::math::var result = tape::objective<stan::math::var, Energy>(points, theta);
        *value = result.val();
        result.grad();
        *gradient = theta.adj();
        stan::math::recover_memory();
    }
};

int main(int argc, char **argv)
{
    static const std::string version = "Stan Math " + stan::math::MAJOR_VERSION + "." + stan::math::MINOR_VERSION;
    return tape::serve<stan_tape>(argc, argv, version.c_str());
}
