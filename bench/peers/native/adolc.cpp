/* adolc.cpp — ADOL-C: recorded once, then one zero-order forward and one first-order reverse sweep of the tape. */
#include "tape.hpp"

#include <adolc/adolc.h>

static short next_tag()
{
    static short last = 0;
    return ++last;
}

template <class Energy> class adolc_tape
{
    short tag = next_tag();

  public:
    explicit adolc_tape(const tape::points &p)
    {
        double value;
        trace_on(tag);
        {
            adouble theta, result;
            theta <<= p.theta;
            result = tape::objective<adouble, Energy>(p, theta);
            result >>= value;
        }
        trace_off();
    }

    ~adolc_tape() { removeTape(tag, ADOLC_REMOVE_COMPLETELY); }

    void evaluate(double theta, double *value, double *gradient)
    {
        double one = 1;
        zos_forward(tag, 1, 1, 1, &theta, value);
        fos_reverse(tag, 1, 1, &one, gradient);
    }
};

int main(int argc, char **argv) { return tape::serve<adolc_tape>(argc, argv, "ADOL-C " ADOLC_VERSION); }
