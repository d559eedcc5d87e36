/*
 * A10. The kernel's GiB is mapped while a program runs, in entries whose U/S bit keeps the program out
 * (SDM 3A 4.6). guest/labs/supervisor.c shows the entries.
 */
#include "trial.h"

#define KERNEL_START 0xC0000000u
#define KERNEL_CODE 0xC0100000u
#define NR_STEPS 16u
#define STEP_BYTES 0x04000000u

static uintptr_t target;

static void read_target(void)
{
    read_from(target);
}

static void write_target(void)
{
    write_to(target);
}

static void call_target(void)
{
    union {
        uintptr_t address;
        void (*call)(void);
    } kernel = {.address = target};
    kernel.call();
}

int main(void);

int main(void)
{
    u32 nr_ended = 0;
    target = KERNEL_CODE;
    check_trial(read_target, SIGSEGV, "reads the kernel's memory");
    check_trial(write_target, SIGSEGV, "writes to it");
    check_trial(call_target, SIGSEGV, "calls it");
    target = KERNEL_START - 4096;
    check_trial(read_target, 0, "reads the last page below it, which is its stack's");
    for (u32 i = 0; i < NR_STEPS; i++) {
        target = KERNEL_START + i * STEP_BYTES;
        nr_ended += try_in_child(read_target) == SIGSEGV;
    }
    lab_check(nr_ended == NR_STEPS,
              "reads at %u places from %08x on, mapped or not: %u programs ended by signal %d", NR_STEPS,
              KERNEL_START, nr_ended, SIGSEGV);
    return (int)lab_status();
}
