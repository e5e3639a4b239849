/* linked.c — what a user's program asks of the linker besides functions: libm, which comes with the library's flags,
 * and data of the library, of which a program that is not position independent holds the only copy. */
#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>

int main(void)
{
    volatile double x = 1.44, y = 3; /* not known to the compiler, which would need no libm then */
    if (ebm_loss_improved_cd.sampler != &ebm_ula) return puts("ebm_loss_improved_cd means another sampler"), 1;
    if (ebm_loss_cd.validation != &ebm_loss_score_matching) return puts("ebm_loss_cd means another loss"), 1;
    if (!(fabs(pow(sqrt(x), y) - 1.728) < 1e-12)) return puts("pow(sqrt(1.44), 3) is not 1.728"), 1;
    return printf("%s %s\n", gibbs_version(), GIBBS_VERSION) < 0;
}
