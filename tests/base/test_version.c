/* The version: one for the header, the library and CMake, which reads it from the header. */
#include <gibbs/version.h>

#include <criterion/criterion.h>
#include <stdio.h>

Test(version, is_the_same_everywhere)
{
    char numbers[32];
    snprintf(numbers, sizeof numbers, "%d.%d.%d", GIBBS_VERSION_MAJOR, GIBBS_VERSION_MINOR, GIBBS_VERSION_PATCH);
    cr_expect_str_eq(GIBBS_VERSION, numbers);
    cr_expect_str_eq(GIBBS_VERSION, GIBBS_TEST_PROJECT_VERSION);
    cr_expect_str_eq(GIBBS_VERSION, gibbs_version());
}
