/* cppad.cpp — CppAD: recorded and optimised once, then one zero-order forward and one first-order reverse sweep. */
#include "tape.hpp"

#include <cppad/cppad.hpp>

template <class Energy> class cppad_tape
{
    CppAD::ADFun<double> function;
    std::vector<double> at = std::vector<double>(1), one = std::vector<double>(1, 1.0);

  public:
    explicit cppad_tape(const tape::points &p)
    {
        typedef CppAD::AD<double> number;
        std::vector<number> theta(1, p.theta), value(1);
        CppAD::Independent(theta);
        value[0] = tape::objective<number, Energy>(p, theta[0]);
        function.Dependent(theta, value);
        function.optimize();
        function.check_for_nan(false);
    }

    void evaluate(double theta, double *value, double *gradient)
    {
        at[0] = theta;
        *value = function.Forward(0, at)[0];
        *gradient = function.Reverse(1, one)[0];
    }
};

int main(int argc, char **argv) { return tape::serve<cppad_tape>(argc, argv, CPPAD_PACKAGE_STRING); }
