/*
 * Frames for sigreturn() that no kernel has made: random registers, selectors and FPU state, and addresses
 * that lead nowhere. Whatever becomes of the program, the kernel goes on. usage: badframes [SEED]
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trial.h"

#define NR_CHILDREN 150
#define FRAME_WORDS 400
#define SYS_SIGRETURN 119
#define SYS_RT_SIGRETURN 173

static uint32_t state;

static uint32_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* Selectors of every table, ring and entry; addresses of the frame; small numbers; anything. */
static uint32_t random_word(const uint32_t *frame)
{
    switch (next_random() % 6) {
    case 0:
        return next_random() % 0x100;
    case 1:
        return (uint32_t)(uintptr_t)&frame[next_random() % FRAME_WORDS];
    case 2:
        return next_random();
    case 3:
        return 0;
    case 4:
        return 0xC0000000u + next_random() % 0x1000000;
    default:
        return next_random() % 8 * 8 + 0x63;
    }
}

static void return_from_nothing(int number)
{
    uint32_t frame[FRAME_WORDS];
    for (int i = 0; i < FRAME_WORDS; i++)
        frame[i] = random_word(frame);
    /* Half of them have a stack and code that exist, so that it is the rest which is wrong. */
    if (next_random() % 2)
        for (int i = 0; i < FRAME_WORDS; i++)
            if (next_random() % 4 == 0)
                frame[i] = (uint32_t)(uintptr_t)frame;
    __asm__ volatile("movl %0, %%esp\n\tint $0x80" ::"r"(frame + next_random() % 8), "a"(number));
    __builtin_unreachable();
}

int main(int argc, char *argv[])
{
    int nr_ended = 0;
    uint32_t seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1;
    trial_begin("badframes");
    for (uint32_t i = 0; i < NR_CHILDREN; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            state = seed * 1000 + i + 1;
            alarm(1);
            return_from_nothing(i % 2 ? SYS_SIGRETURN : SYS_RT_SIGRETURN);
        }
        nr_ended += waitpid(pid, &status, 0) == pid;
    }
    check_equal(nr_ended, NR_CHILDREN, "random frames end programs, not the kernel");
    return nr_failed;
}
