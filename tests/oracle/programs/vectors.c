/* What a compiler makes SSE2 of: floating-point and integer loops, compiled with -O3. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { N = 64, POINTS = 1024, BODIES = 5 };

static double a[N][N], b[N][N], c[N][N], re[POINTS], im[POINTS];
static float f[4096];
static uint8_t bytes[4096];
static uint16_t words[4096];
static uint32_t seed = 12345;

static uint32_t next(void)
{
    return seed = seed * 1664525 + 1013904223;
}

static void matrices(void)
{
    double trace = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)next() / 4294967296.0 - 0.5;
            b[i][j] = (double)next() / 4294967296.0 - 0.5;
        }
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            for (int j = 0; j < N; j++)
                c[i][j] += a[i][k] * b[k][j];
    for (int i = 0; i < N; i++)
        trace += c[i][i];
    printf("trace %.17g %.17g\n", trace, c[3][5]);
}

/* Radix 2, in place. */
static void transform(void)
{
    for (int i = 0; i < POINTS; i++) {
        re[i] = sin(i * 0.37) + 0.25 * cos(i * 1.9);
        im[i] = 0;
    }
    for (int i = 1, j = 0; i < POINTS; i++) {
        int bit = POINTS >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = re[i];
            re[i] = re[j];
            re[j] = t;
        }
    }
    for (int size = 2; size <= POINTS; size *= 2)
        for (int start = 0; start < POINTS; start += size)
            for (int k = 0; k < size / 2; k++) {
                double angle = -6.283185307179586 * k / size, wr = cos(angle), wi = sin(angle);
                int p = start + k, q = p + size / 2;
                double tr = re[q] * wr - im[q] * wi, ti = re[q] * wi + im[q] * wr;
                re[q] = re[p] - tr;
                im[q] = im[p] - ti;
                re[p] += tr;
                im[p] += ti;
            }
    for (int i = 0; i < POINTS; i += 100)
        printf("point %d: %.12g %.12g\n", i, re[i], im[i]);
}

static void mandelbrot(void)
{
    unsigned total = 0;
    for (int y = 0; y < 48; y++)
        for (int x = 0; x < 64; x++) {
            double cr = x / 24.0 - 2, ci = y / 24.0 - 1, zr = 0, zi = 0;
            int n = 0;
            for (; n < 100 && zr * zr + zi * zi < 4; n++) {
                double t = zr * zr - zi * zi + cr;
                zi = 2 * zr * zi + ci;
                zr = t;
            }
            total = total * 31 + (unsigned)n;
        }
    printf("mandelbrot %u\n", total);
}

static void bodies(void)
{
    double x[BODIES][3], v[BODIES][3], energy = 0;
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++) {
            x[i][k] = (double)(next() >> 16) / 655.36;
            v[i][k] = 0;
        }
    for (int step = 0; step < 300; step++) {
        for (int i = 0; i < BODIES; i++)
            for (int j = 0; j < BODIES; j++) {
                double d[3], r = 0.01;
                for (int k = 0; k < 3; k++) {
                    d[k] = x[j][k] - x[i][k];
                    r += d[k] * d[k];
                }
                r = 1 / (r * sqrt(r));
                for (int k = 0; k < 3; k++)
                    v[i][k] += d[k] * r * 0.01;
            }
        for (int i = 0; i < BODIES; i++)
            for (int k = 0; k < 3; k++)
                x[i][k] += v[i][k] * 0.01;
    }
    for (int i = 0; i < BODIES; i++)
        energy += v[i][0] * v[i][0] + v[i][1] * v[i][1] + v[i][2] * v[i][2];
    printf("energy %.17g\n", energy);
}

static void integers(void)
{
    uint32_t sum = 0, most = 0;
    uint64_t products = 0;
    float total = 0;
    for (int i = 0; i < 4096; i++) {
        bytes[i] = (uint8_t)next();
        words[i] = (uint16_t)(next() >> 7);
        f[i] = (float)(next() >> 12) * 0.001f;
    }
    for (int i = 0; i < 4096; i++)
        sum += bytes[i];
    for (int i = 0; i < 4096; i++)
        most = words[i] > most ? words[i] : most;
    for (int i = 0; i < 4096; i++)
        products += (uint64_t)words[i] * bytes[i];
    for (int i = 0; i < 4096; i++)
        words[i] = (uint16_t)((words[i] * 3) ^ (words[i] >> 2));
    for (int i = 0; i < 4096; i++)
        bytes[i] = (uint8_t)((bytes[i] + words[i] + 1) >> 1);
    for (int i = 0; i < 4096; i++)
        f[i] = f[i] * 1.5f + (float)bytes[i];
    for (int i = 0; i < 4096; i++)
        total += f[i];
    for (int i = 0; i < 4096; i++)
        sum = sum * 33 + bytes[i] + words[i];
    printf("integers %u %u %llu %.9g\n", sum, most, (unsigned long long)products, (double)total);
    double d = 1e10 / 3;
    printf("conversions %d %lld %.9g %u\n", (int)-123.7, (long long)d, (double)(float)d, (unsigned)3e9);
}

int main(void)
{
    matrices();
    transform();
    mandelbrot();
    bodies();
    integers();
    return 0;
}
