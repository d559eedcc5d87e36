/* What disks do, in the format of Linux's /proc/diskstats (Documentation/admin-guide/iostats.rst). */
#include "blkdev.h"
#include "math64.h"
#include "seq_file.h"
#include "timekeeping.h"

#define NS_PER_MS 1000000

/* The time since the last change counts for as many requests as there were. */
static u64 change_in_flight(struct disk_stats *stats, s32 by)
{
    u64 now = ktime_get_ns(), passed = now - stats->since_ns;
    if (stats->in_flight)
        stats->busy_ns += passed;
    stats->queue_ns += passed * stats->in_flight;
    stats->since_ns = now;
    stats->in_flight += (u32)by;
    return now;
}

u64 disk_stats_begin(struct disk_stats *stats)
{
    return change_in_flight(stats, 1);
}

void disk_stats_end(struct disk_stats *stats, enum req_op op, u32 nr_sectors, u64 start_ns)
{
    u64 took = change_in_flight(stats, -1) - start_ns;
    if (op == REQ_OP_FLUSH) {
        stats->flushes++;
        stats->flush_ns += took;
        return;
    }
    stats->ns[op] += took;
    stats->ios[op] += nr_sectors != 0;
    stats->sectors[op] += nr_sectors;
}

static u32 as_ms(u64 ns)
{
    return (u32)div_u64(ns, NS_PER_MS);
}

/* Nothing is merged, and nothing discarded. */
void diskstats_show(struct seq_file *m)
{
    for (struct block_device *bdev = next_block_device(NULL); bdev; bdev = next_block_device(bdev)) {
        struct disk_stats *stats = &bdev->stats;
        change_in_flight(stats, 0);
        seq_printf(m, "%4u %7u %s %llu 0 %llu %u %llu 0 %llu %u %u %u %u 0 0 0 0 %llu %u\n",
                   MAJOR(bdev->bd_dev), MINOR(bdev->bd_dev), bdev->name, stats->ios[REQ_OP_READ],
                   stats->sectors[REQ_OP_READ], as_ms(stats->ns[REQ_OP_READ]), stats->ios[REQ_OP_WRITE],
                   stats->sectors[REQ_OP_WRITE], as_ms(stats->ns[REQ_OP_WRITE]), stats->in_flight,
                   as_ms(stats->busy_ns), as_ms(stats->queue_ns), stats->flushes, as_ms(stats->flush_ns));
    }
}
