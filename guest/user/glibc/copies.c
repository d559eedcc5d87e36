/*
 * R2. read() and write() copy each byte between the page cache and the program's buffer, which the kernel
 * counts; a mapping shows the pages of the cache themselves.
 */
#include <sys/mman.h>
#include <time.h>

#include "lab_proc.h"

#define FILE_NAME "/tmp/copies"
#define BYTES (1l << 20)
#define PAGE_BYTES 4096
#define WORDS (BYTES / (long)sizeof(uint32_t))

static uint32_t buffer[WORDS];

struct counts {
    long to_user, from_user, faults, sectors;
};

static struct counts counts(void)
{
    const char *text = proc_text("/proc/vmstat");
    return (struct counts){.to_user = value_in(text, "filemap_bytes_to_user"),
                           .from_user = value_in(text, "filemap_bytes_from_user"),
                           .faults = value_in(text, "pgfault"),
                           .sectors = value_in(text, "pgpgin")};
}

static struct counts before;

static void begin(uint32_t id, const char *name)
{
    before = counts();
    region_begin(id, name);
}

static struct counts end(uint32_t id, const char *name)
{
    region_end(id);
    struct counts now = counts();
    now.to_user -= before.to_user;
    now.from_user -= before.from_user;
    now.faults -= before.faults;
    now.sectors -= before.sectors;
    printf("  %-20s %8ld bytes copied to the program, %8ld from it, %5ld faults\n", name, now.to_user,
           now.from_user, now.faults);
    return now;
}

static void fill(uint32_t *words, uint32_t seed)
{
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = (i + seed) * 0x9E3779B1u;
}

static int is_filled(const uint32_t *words, uint32_t seed)
{
    for (uint32_t i = 0; i < WORDS; i++)
        if (words[i] != (i + seed) * 0x9E3779B1u)
            return 0;
    return 1;
}

int main(void)
{
    static char line[1024];
    setvbuf(stdout, line, _IOLBF, sizeof line);
    check(mount_proc(), "/proc is there");
    int fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    fill(buffer, 1);
    begin(256, "write");
    ssize_t done = write(fd, buffer, sizeof buffer);
    struct counts writing = end(256, "write");
    check(done == BYTES && writing.from_user == BYTES && writing.to_user == 0,
          "write() of %ld bytes copies as many from the program", BYTES);

    memset(buffer, 0, sizeof buffer);
    lseek(fd, 0, SEEK_SET);
    begin(257, "read");
    done = read(fd, buffer, sizeof buffer);
    struct counts reading = end(257, "read");
    check(done == BYTES && is_filled(buffer, 1) && reading.to_user == BYTES && reading.from_user == 0,
          "read() of %ld bytes copies as many to it", BYTES);
    check(reading.sectors == 0, "out of the page cache: the disk is not read");

    uint32_t *mapping = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    begin(258, "mmap");
    int is_right = is_filled(mapping, 1);
    struct counts looking = end(258, "mmap");
    check(is_right && looking.to_user == 0 && looking.from_user == 0,
          "the program reads the file through a mapping: nothing is copied");
    check(looking.faults >= BYTES / PAGE_BYTES, "a page fault brings each page of it in");

    begin(259, "mmap again");
    is_right = is_filled(mapping, 1);
    looking = end(259, "mmap again");
    check(is_right && looking.faults < BYTES / PAGE_BYTES / 8, "the second time, there are no faults either");

    begin(260, "mmap, written");
    fill(mapping, 2);
    struct counts storing = end(260, "mmap, written");
    check(storing.to_user == 0 && storing.from_user == 0, "stores to the mapping copy nothing");
    check(pread(fd, buffer, sizeof buffer, 0) == BYTES && is_filled(buffer, 2),
          "read() sees them at once: the pages are the same");
    check(msync(mapping, BYTES, MS_SYNC) == 0 && munmap(mapping, BYTES) == 0 &&
              proc_set("/proc/sys/vm/drop_caches", "1"),
          "the mapping goes to the disk, and out of memory");
    memset(buffer, 0, sizeof buffer);
    begin(261, "read from the disk");
    done = pread(fd, buffer, sizeof buffer, 0);
    reading = end(261, "read from the disk");
    check(done == BYTES && is_filled(buffer, 2) && reading.sectors >= BYTES / 1024 &&
              reading.to_user == BYTES,
          "from there, it comes by DMA into the page cache, and by one copy to the program");
    return nr_failed ? 1 : 0;
}
