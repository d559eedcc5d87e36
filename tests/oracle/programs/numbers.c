/* Long double, which is the x87's, on both; to as many digits as different libraries and chips agree on. */
#include <complex.h>
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    volatile long double one = 1, three = 3;
    volatile double tiny = 5e-324, huge = 1.7e308;
    printf("%.20Lg %.20Lg %La\n", one / three, sqrtl(2 * one), one / three);
    for (int i = 1; i <= 40; i++) {
        long double v = i * 0.37L;
        printf("%d: %.15Lg %.15Lg %.15Lg %.15Lg %.15Lg\n", i, expl(v), logl(v), sinl(v), powl(v, 1.3L),
               atan2l(v, 2));
        printf("    %.20Lg %.20Lg %.20Lg %lld %ld\n", fmodl(v * 1e6L, 7.1L), floorl(-v), rintl(v * 3),
               llrintl(v * 1e9L), lrint((double)v));
    }
    printf("%Lf %.30Lg %La\n", 12345678901234567890.0L, 0.1L, 1e-4940L);
    printf("%.17g %.17g %d %d\n", tiny / 2, huge * 10, isnan(huge - huge + NAN), fpclassify(tiny));
    printf("%.20Lg\n", strtold("3.1415926535897932384626433832795", NULL));
    for (int mode = 0; mode < 4; mode++) {
        static const int modes[4] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
        fesetround(modes[mode]);
        volatile double x = 1, y = 10;
        printf("%d: %.20g %.20g %.20Lg\n", mode, x / y, -x / y, (long double)x / 10);
    }
    fesetround(FE_TONEAREST);
    feclearexcept(FE_ALL_EXCEPT);
    volatile double zero = 0, r = 1 / zero;
    printf("%g, exceptions %x\n", r, fetestexcept(FE_DIVBYZERO | FE_INVALID));
    r = sqrt(-1 - zero);
    printf("%d, exceptions %x\n", isnan(r), fetestexcept(FE_DIVBYZERO | FE_INVALID));
    double complex z = 1 + 2 * I, w = z * z / (3 - I);
    printf("%.17g %.17g\n", creal(w), cimag(w));
    int exponent;
    double fraction = frexp(1234.5, &exponent);
    printf("%g %d %g %g\n", fraction, exponent, ldexp(fraction, 3), copysign(2, -0.0));
    return 0;
}
