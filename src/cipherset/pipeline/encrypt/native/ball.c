/* The noise of noise.py's BallNoise in one pass over each row, for compilers that vectorize loops.
 *
 * Same words, same pairs, same tails. Differs in the last bits alone: an angle is reduced on its
 * integer, and logarithms are to base 2, which the division by the length of the row takes out.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the words of the noise are read as little-endian"
#endif

/* One library for every processor of its kind: the loader takes the widest version that runs here.
 * x86-64-v3 has fused multiply-add, which "avx2" alone has not; GCC knows the names from 12 on. */
#ifdef FOR_EACH_PROCESSOR /* chosen by a test */
#elif defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#elif defined(__x86_64__) && defined(__GLIBC__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
/* The next loop's rounds touch numbers of their own: vectors need no look at what overlaps. */
#ifdef __clang__
#define ROUNDS_ARE_APART _Pragma("clang loop vectorize(assume_safety)")
#else
#define ROUNDS_ARE_APART _Pragma("GCC ivdep")
#endif
#define INLINE static inline __attribute__((always_inline))

enum {
    RADIUS_BYTES = 8,
    LANES = 16, /* sums in a fixed order: the same bits whatever the width of a vector */
    CHUNK = 512 /* logarithms summed in float32 before they go to float64 */
};

typedef union { uint32_t bits; float value; } number;
typedef float __attribute__((may_alias)) noted; /* logarithms take the place of their words */

/* -log2((a + 0.5) / 2**32), at least 8e-8, to 2e-7 of itself.
 * The uniform keeps 24 significant bits and is never 1, as in noise.py. The polynomial is the
 * minimax fit, in relative error (2.9e-8), of log2(1 + t) / t over 1 + t in [1/sqrt(2), sqrt(2)],
 * its coefficients rounded to float32 one by one, each followed by a fit of the rest. */
INLINE float minus_log2(uint32_t a)
{
    number u = {.value = (float)a * 0x1.fffffep-33f + 0x1p-33f};
    int32_t exponent = ((int32_t)u.bits - 0x3f3504f3) >> 23; /* the bits of 1/sqrt(2) */
    u.bits -= (uint32_t)exponent << 23;
    float t = u.value - 1.0f;
    float p = 0x1.019aa6p-3f;
    p = p * t - 0x1.a77682p-3f;
    p = p * t + 0x1.b9550ap-3f;
    p = p * t - 0x1.e98232p-3f;
    p = p * t + 0x1.26dd00p-2f;
    p = p * t - 0x1.715b76p-2f;
    p = p * t + 0x1.ec7368p-2f;
    p = p * t - 0x1.715472p-1f;
    p = p * t + 0x1.715476p+0f;
    return -(p * t + (float)exponent);
}

/* Cosine and sine of pi * int32(b) / 2**31, to 1.5e-7.
 * The nearest quarter turn is taken off the integer, without error; x in [-1/2, 1/2] is what is
 * left of it in quarter turns. Polynomials in x * x: minimax fits, made as above, of
 * sin(pi / 2 * x) / x (2.8e-8) and of cos(pi / 2 * x) with 1 as its first coefficient (4.0e-8). */
INLINE void cosine_and_sine(uint32_t b, float *cosine, float *sine)
{
    uint32_t nearest = b + 0x20000000u; /* its two leading bits count the quarters */
    float x = (float)(int32_t)(b - (nearest & 0xc0000000u)) * 0x1p-30f;
    float z = x * x;
    number s = {.value = x * (0x1.921fb6p+0f
                              + z * (-0x1.4abc22p-1f + z * (0x1.467faap-4f - z * 0x1.32e77cp-8f)))};
    number c = {.value = 1.0f
                         + z * (-0x1.3bd39cp+0f + z * (0x1.03b060p-2f - z * 0x1.4e7bbep-6f))};
    uint32_t odd_quarter = (nearest & 0x40000000u) ? 0xffffffffu : 0u;
    uint32_t swap = (s.bits ^ c.bits) & odd_quarter;
    c.bits ^= swap ^ ((nearest + 0x40000000u) & 0x80000000u);
    s.bits ^= swap ^ (nearest & 0x80000000u);
    *cosine = c.value;
    *sine = s.value;
}

/* The sum of the n logarithms that take the place of n words. */
INLINE double note_logarithms(const uint32_t *words, noted *logs, size_t n)
{
    double total = 0.0;
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t stop = n - start < CHUNK ? n : start + CHUNK, j;
        float lane[LANES] = {0};
        for (j = start; j < stop; j++)
            logs[j] = minus_log2(words[j]);
        for (j = start; j + LANES <= stop; j += LANES)
            for (size_t k = 0; k < LANES; k++)
                lane[k] += logs[j + k];
        for (; j < stop; j++)
            lane[0] += logs[j];
        for (size_t half = LANES / 2; half > 0; half /= 2)
            for (size_t k = 0; k < half; k++)
                lane[k] += lane[k + half];
        total += lane[0];
    }
    return total;
}

/* Whether value is neither NaN nor infinite. */
INLINE int is_finite(float value)
{
    return value - value == 0.0f;
}

/* out = factor * x + noise; returns whether all of out is finite.
 * x and out are of shape (rows, dim), apart or the same; raw is of shape (rows, row_bytes), aligned
 * to 8 bytes, and used up. All are contiguous. */
FOR_EACH_PROCESSOR
int cipherset_fill(const float *x, float factor, uint8_t *raw, size_t row_bytes, float *out,
                   size_t rows, size_t dim, double radius)
{
    const size_t whole = dim / 2, pairs = (dim + 1) / 2;
    int finite = 1;
    for (size_t i = 0; i < rows; i++, raw += row_bytes, out += dim, x += dim) {
        const uint32_t *a = (const uint32_t *)(raw + RADIUS_BYTES), *b = a + pairs;
        noted *logs = (noted *)(raw + RADIUS_BYTES);
        float last = 0.0f, sine;
        double square = note_logarithms(a, logs, whole);
        if (whole < pairs) { /* odd dim: the last pair's sine is dropped */
            cosine_and_sine(b[whole], &last, &sine);
            if (last == 0.0f) /* as float32 has it, so that dim 1 has a direction */
                last = -0x1.777a5cp-25f;
            last *= sqrtf(minus_log2(a[whole]));
            square += (double)last * last;
        }
        uint64_t word;
        memcpy(&word, raw, sizeof word);
        double length = radius * pow(((double)word + 0.5) * 0x1p-64, 1.0 / (double)dim);
        float stretch = (float)(length * length / square);
        const float *x_right = x + pairs;
        float *out_right = out + pairs;
        ROUNDS_ARE_APART
        for (size_t j = 0; j < whole; j++) {
            float r = sqrtf(logs[j] * stretch), c, s;
            cosine_and_sine(b[j], &c, &s);
            float left = x[j] * factor + r * c, right = x_right[j] * factor + r * s;
            out[j] = left;
            out_right[j] = right;
            finite &= is_finite(left) & is_finite(right);
        }
        if (whole < pairs) {
            out[whole] = x[whole] * factor + sqrtf(stretch) * last;
            finite &= is_finite(out[whole]);
        }
    }
    return finite;
}
