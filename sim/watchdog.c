#include "sim/watchdog.h"

#include "dma/master.h"
#include "sim/base/event.h"

enum { LOOKS_A_LIMIT = 4 };

static uint64_t count_signs(struct machine *machine)
{
    static const char *const signs[] = {
        "board.com1_sent", "board.com2_sent",   "board.vga_accesses",   "board.post_codes",
        "disk.commands",   "disk.sectors_read", "disk.sectors_written", "cpu0.markers",
    };
    const struct stat_registry *stats = machine_stats(machine);
    uint64_t sum = dma_bytes_moved(stats, NULL);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        sum += stat_count(stats, signs[i]);
    return sum;
}

void watchdog_init(struct watchdog *dog, cycle_t limit_cycles)
{
    *dog = (struct watchdog){.limit_cycles = limit_cycles,
                             .next_look = limit_cycles == EV_NEVER ? EV_NEVER : limit_cycles / LOOKS_A_LIMIT};
}

bool watchdog_is_over(struct watchdog *dog, struct machine *machine, uint64_t nr_logged, cycle_t now)
{
    if (dog->limit_cycles == EV_NEVER || now < dog->next_look)
        return false;
    uint64_t seen = count_signs(machine) + nr_logged;
    dog->next_look = now + dog->limit_cycles / LOOKS_A_LIMIT + 1;
    if (seen != dog->seen) {
        dog->seen = seen;
        dog->since = now;
    }
    return now - dog->since >= dog->limit_cycles;
}
