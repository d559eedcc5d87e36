/*
 * A compute-bound loop, to measure the simulator's speed: integer hashing, look-ups in a table of 64 KiB,
 * branches that depend on data, calls. spin.loops=N sets its length; a loop takes about 25 instructions, so
 * that the default is 300 million.
 */
#include "lookaside.h"
#include "ulib.h"

#define DEFAULT_LOOPS 12000000u
#define TABLE_WORDS 16384u
#define ROI_SPIN 1

static u32 table[TABLE_WORDS];

/* Knuth's multiplicative constant, 2^32 divided by the golden ratio. */
#define GOLDEN 2654435761u

static __attribute__((noinline)) u32 mix(u32 x)
{
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ (x >> 16);
}

static void fill_table(void)
{
    for (u32 i = 0; i < TABLE_WORDS; i++)
        table[i] = i * GOLDEN;
}

static __attribute__((noinline)) u32 spin(u32 loops)
{
    u32 hash = 1, odd = 0;
    for (u32 i = 0; i < loops; i++) {
        hash = mix(hash + i);
        u32 *slot = &table[hash % TABLE_WORDS];
        hash += *slot;
        if (hash & 1)
            odd++;
        else
            *slot = hash ^ odd;
    }
    return hash ^ odd;
}

int main(int argc, char **argv, char **envp);

int main(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    u32 loops = getenv_u32(envp, "spin.loops", DEFAULT_LOOPS);
    printf("spin: %u loops\n", loops);
    fill_table();
    lk_roi_begin(ROI_SPIN);
    u32 checksum = spin(loops);
    lk_roi_end(ROI_SPIN);
    printf("spin: checksum %08x\n", checksum);
    return 0;
}
