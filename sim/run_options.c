#include "sim/run_options.h"

#include "dma/ether_wire.h"
#include "sim/base/event.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char run_usage[] =
    "usage: lookaside run [OPTION ...] IMAGE|demo\n"
    "\n"
    "Runs a guest: a kernel, boot sector or flat image, or `demo`, the bundled kernel. Its COM1 is this "
    "terminal; Ctrl-A is the "
    "escape\n"
    "key (x quits, h helps).\n"
    "\n"
    "  -c, --config FILE        the machine, as JSON; later ones win over earlier ones\n"
    "  -s, --set path=value     one key of it, such as tlb.l1d.ways=4; wins over files\n"
    "  -a, --arguments TEXT     the guest's command line\n"
    "      --initrd FILE        an initrd or module for the guest; may be given more than once\n"
    "      --boot PROTOCOL      multiboot, linux, linux32, linux64, pvh, sector, flat16, flat32 or flat64 "
    "(auto)\n"
    "      --unpack             the host unpacks a Linux bzImage, and the guest is spared that\n"
    "      --firmware FILE      no image: the machine starts in this firmware, such as SeaBIOS\n"
    "      --disk FILE[,ro|,snapshot]   a raw image as the next IDE disk, of up to four; ro: not written;\n"
    "                           snapshot: what is written is forgotten at the end\n"
    "      --nic WIRE[,send=FILE][,receive=FILE[@CYCLE]]   a network card, the other end of its cable "
    "silent,\n"
    "                           loopback, unplugged or host; pcap files for what it sends, of what comes\n"
    "      --load-at ADDRESS    where a flat image goes, physical\n"
    "      --entry ADDRESS      where it begins to run\n"
    "  -o, --output DIR         where stats.json, stats.txt and config.effective.json go (lookaside.out)\n"
    "      --trace FILE         what was in each stage in each cycle, for `lookaside trace`\n"
    "      --trace-from N       ... from this cycle on\n"
    "      --trace-to N         ... up to this one\n"
    "      --trace-limit SIZE   ... but no more than so many bytes, such as 100M\n"
    "      --trace-kinds LIST   ... only these: instructions, translations, accesses, exceptions, controls,\n"
    "                           requests, devices, marks\n"
    "      --trace-address A-B  ... only what lies at or goes to these linear addresses\n"
    "      --trace-process CR3  ... only while CR3 has this page directory\n"
    "      --trace-region ID    ... only within this region of interest\n"
    "      --profile FILE       where the cycles went, for `lookaside profile`\n"
    "      --view               a window on memory, TLBs, caches and counters while the guest runs\n"
    "      --screenshot FILE.png[@CYCLE]   the same picture into a file, at the end or at a cycle; needs no "
    "display\n"
    "      --view-size WxH      ... of so many pixels (1280x720)\n"
    "      --view-scale N       ... with text N times as large; panels that have no room are left out\n"
    "      --view-theme THEME   ... dark or light\n"
    "      --view-keys KEYS     keys typed into the window when it opens, or before the picture is taken\n"
    "      --record DIR[@N]     a picture every N cycles (1M) into DIR; needs no display\n"
    "      --vga-text           prints what the guest's VGA shows, at the end\n"
    "      --vga-screenshot FILE.png   ... as a picture\n"
    "      --keyboard           what is typed here goes to the PS/2 keyboard, not to COM1\n"
    "      --max-cycles N       stop at this cycle, with exit status 80\n"
    "      --max-insns N        stop after so many instructions, with exit status 80\n"
    "      --watchdog-cycles N  stop with exit status 83 when nothing has come out of the guest for so long\n"
    "      --symbols FILE       names of functions for back traces: an ELF file or a System.map (the image)\n"
    "      --elf-core FILE[@CYCLE]   memory and registers as an ELF core, at the end or at a cycle\n"
    "      --progress WHEN      auto, always or never: a line that says how far the run is\n"
    "      --gdb[=PORT]         gdb may connect to this port of 127.0.0.1 (1234; 0: any)\n"
    "      --gdb-wait           ... and the guest begins when it says so\n"
    "      --gdb-arch ARCH      auto, i386 or x86-64: how gdb sees the processor, whatever mode it is in\n"
    "      --gdb-history-mib N  memory for going back in gdb (256; 0: no going back)\n"
    "      --checkpoint-dir DIR   where checkpoints go; SIGTERM leaves one there, with exit status 75\n"
    "      --checkpoint-at N[,N...]   at these cycles\n"
    "      --restore PATH       goes on from a checkpoint, or from the latest in a directory; no image is "
    "needed\n"
    "      --fast-forward N|marker   functional up to this cycle, or to the first region of interest, then "
    "timed\n"
    "      --warm-up N|marker   ... timed at first for N cycles more, or to the first region of interest, "
    "with\n"
    "                           nothing counted: TLBs, caches, predictors and DRAM are warm when counting "
    "begins\n"
    "  -q, --quiet              no summary\n"
    "  -h, --help               this text\n"
    "\n"
    "exit status: 0 the guest powered off; 1-63 its own status; 64 a mistake in this command line; 65 in a\n"
    "configuration or image; 66 a file that cannot be read; 70 a mistake of lookaside's own; 73 a file that "
    "cannot\n"
    "be written; 75 ended by SIGTERM, and a checkpoint is there; 80 a limit; 81 a triple fault; 82 the guest "
    "panicked or halted for good; 83 the watchdog; "
    "130 "
    "interrupted\n";

enum option_id {
    OPTION_INITRD = 256,
    OPTION_BOOT,
    OPTION_FIRMWARE,
    OPTION_UNPACK,
    OPTION_DISK,
    OPTION_NIC,
    OPTION_LOAD_AT,
    OPTION_ENTRY,
    OPTION_TRACE,
    OPTION_TRACE_FROM,
    OPTION_TRACE_TO,
    OPTION_TRACE_LIMIT,
    OPTION_TRACE_KINDS,
    OPTION_TRACE_ADDRESS,
    OPTION_TRACE_PROCESS,
    OPTION_TRACE_REGION,
    OPTION_PROFILE,
    OPTION_VIEW,
    OPTION_SCREENSHOT,
    OPTION_VIEW_KEYS,
    OPTION_VIEW_SIZE,
    OPTION_VIEW_SCALE,
    OPTION_VIEW_THEME,
    OPTION_RECORD,
    OPTION_VGA_TEXT,
    OPTION_VGA_SCREENSHOT,
    OPTION_KEYBOARD,
    OPTION_MAX_CYCLES,
    OPTION_ELF_CORE,
    OPTION_PROGRESS,
    OPTION_GDB,
    OPTION_GDB_WAIT,
    OPTION_GDB_ARCH,
    OPTION_GDB_HISTORY_MIB,
    OPTION_MAX_INSNS,
    OPTION_WATCHDOG_CYCLES,
    OPTION_SYMBOLS,
    OPTION_CHECKPOINT_DIR,
    OPTION_CHECKPOINT_AT,
    OPTION_RESTORE,
    OPTION_FAST_FORWARD,
    OPTION_WARM_UP,
};

static const struct option known[] = {
    {"config", required_argument, NULL, 'c'},
    {"set", required_argument, NULL, 's'},
    {"arguments", required_argument, NULL, 'a'},
    {"output", required_argument, NULL, 'o'},
    {"initrd", required_argument, NULL, OPTION_INITRD},
    {"boot", required_argument, NULL, OPTION_BOOT},
    {"firmware", required_argument, NULL, OPTION_FIRMWARE},
    {"unpack", no_argument, NULL, OPTION_UNPACK},
    {"disk", required_argument, NULL, OPTION_DISK},
    {"nic", required_argument, NULL, OPTION_NIC},
    {"load-at", required_argument, NULL, OPTION_LOAD_AT},
    {"entry", required_argument, NULL, OPTION_ENTRY},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"trace-from", required_argument, NULL, OPTION_TRACE_FROM},
    {"trace-to", required_argument, NULL, OPTION_TRACE_TO},
    {"trace-limit", required_argument, NULL, OPTION_TRACE_LIMIT},
    {"trace-kinds", required_argument, NULL, OPTION_TRACE_KINDS},
    {"trace-address", required_argument, NULL, OPTION_TRACE_ADDRESS},
    {"trace-process", required_argument, NULL, OPTION_TRACE_PROCESS},
    {"trace-region", required_argument, NULL, OPTION_TRACE_REGION},
    {"profile", required_argument, NULL, OPTION_PROFILE},
    {"view", no_argument, NULL, OPTION_VIEW},
    {"screenshot", required_argument, NULL, OPTION_SCREENSHOT},
    {"view-keys", required_argument, NULL, OPTION_VIEW_KEYS},
    {"view-size", required_argument, NULL, OPTION_VIEW_SIZE},
    {"view-scale", required_argument, NULL, OPTION_VIEW_SCALE},
    {"view-theme", required_argument, NULL, OPTION_VIEW_THEME},
    {"record", required_argument, NULL, OPTION_RECORD},
    {"vga-text", no_argument, NULL, OPTION_VGA_TEXT},
    {"vga-screenshot", required_argument, NULL, OPTION_VGA_SCREENSHOT},
    {"keyboard", no_argument, NULL, OPTION_KEYBOARD},
    {"max-cycles", required_argument, NULL, OPTION_MAX_CYCLES},
    {"max-insns", required_argument, NULL, OPTION_MAX_INSNS},
    {"watchdog-cycles", required_argument, NULL, OPTION_WATCHDOG_CYCLES},
    {"symbols", required_argument, NULL, OPTION_SYMBOLS},
    {"elf-core", required_argument, NULL, OPTION_ELF_CORE},
    {"progress", required_argument, NULL, OPTION_PROGRESS},
    {"gdb", optional_argument, NULL, OPTION_GDB},
    {"gdb-wait", no_argument, NULL, OPTION_GDB_WAIT},
    {"gdb-arch", required_argument, NULL, OPTION_GDB_ARCH},
    {"gdb-history-mib", required_argument, NULL, OPTION_GDB_HISTORY_MIB},
    {"checkpoint-dir", required_argument, NULL, OPTION_CHECKPOINT_DIR},
    {"checkpoint-at", required_argument, NULL, OPTION_CHECKPOINT_AT},
    {"restore", required_argument, NULL, OPTION_RESTORE},
    {"fast-forward", required_argument, NULL, OPTION_FAST_FORWARD},
    {"warm-up", required_argument, NULL, OPTION_WARM_UP},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* A count such as 1000000, 10M or 1G (powers of ten; of 1024 for bytes). */
static bool parse_count(const char *option, const char *text, uint64_t thousand, uint64_t *value,
                        struct diag *diag)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 0);
    uint64_t factor = 1;
    if (*end) {
        const char *suffixes = "KMG", *found = strchr(suffixes, *end >= 'a' ? *end - 'a' + 'A' : *end);
        for (long i = found ? found - suffixes + 1 : 0; i > 0; i--)
            factor *= thousand;
        if (found)
            end++;
    }
    bool is_good = text[0] >= '0' && text[0] <= '9' && !*end && errno == 0 && number > 0 &&
                   number <= UINT64_MAX / 2 / factor;
    if (!is_good)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "%s: '%s' is no count; allowed: 1 or more, such as 1000000, 10M, 2G", option, text);
    *value = number * factor;
    return true;
}

/* A physical address below 4 GiB, decimal or 0x... */
static bool parse_address(const char *option, const char *text, uint64_t *value, struct diag *diag)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || errno != 0 || number == 0 || number > UINT32_MAX)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "%s: '%s' is no address; allowed: 1 to 0xffffffff, such as 0x100000", option, text);
    *value = number;
    return true;
}

/* A number up to `limit`, decimal or 0x... */
static bool parse_number(const char *option, const char *text, uint64_t limit, uint64_t *value,
                         struct diag *diag)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || errno != 0 || *value > limit)
        return diag_add(diag, EXIT_STATUS_USAGE, "%s: '%s' is no number; allowed: 0 to %#llx", option, text,
                        (unsigned long long)limit);
    return true;
}

/* FILE, or FILE and how it is used. A comma that is followed by something else is taken for a mistake. */
static bool parse_disk(struct run_options *options, const char *text, struct diag *diag)
{
    static const char *const modes[] = {
        [DISK_READ_WRITE] = "rw", [DISK_READ_ONLY] = "ro", [DISK_SNAPSHOT] = "snapshot"};
    enum { NR_MODES = sizeof modes / sizeof *modes };
    const char *comma = strrchr(text, ',');
    size_t length = comma ? (size_t)(comma - text) : strlen(text);
    unsigned mode = DISK_READ_WRITE;
    if (options->nr_disks == MACHINE_NR_DISKS)
        return diag_add(diag, EXIT_STATUS_USAGE, "--disk: '%s' is one too many; allowed: %d", text,
                        MACHINE_NR_DISKS);
    while (comma && mode < NR_MODES && strcmp(comma + 1, modes[mode]) != 0)
        mode++;
    if (length == 0 || mode == NR_MODES)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "--disk: '%s': allowed: FILE, or with ,rw (the same), ,ro or ,snapshot", text);
    char *file = strndup(text, length);
    options->disks[options->nr_disks++] = (struct disk_source){.file = file, .mode = (enum disk_mode)mode};
    return file || diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
}

/* A file of frames that come, and the cycle of the first. */
static bool parse_received(struct run_options *options, char *text, struct diag *diag)
{
    char *at = strrchr(text, '@');
    options->nic_received = text;
    options->nic_first = ETHER_WIRE_WHEN_ENABLED;
    if (!at)
        return true;
    *at = '\0';
    return parse_count("--nic", at + 1, 1000, &options->nic_first, diag);
}

static bool take_nic_word(struct run_options *options, char *word, struct diag *diag)
{
    static const char *const wires[][2] = {{"silent", "nic.wire=silent"},
                                           {"loopback", "nic.wire=loopback"},
                                           {"unplugged", "nic.wire=unplugged"},
                                           {"host", "nic.wire=host"}};
    char *value = strchr(word, '=');
    bool has_value = value && value[1];
    for (unsigned i = 0; i < sizeof wires / sizeof *wires; i++) {
        if (strcmp(word, wires[i][0]) != 0)
            continue;
        options->settings[options->nr_settings++] = wires[i][1];
        return true;
    }
    if (has_value && strncmp(word, "send=", 5) == 0) {
        options->nic_sent = value + 1;
        return true;
    }
    if (has_value && strncmp(word, "receive=", 8) == 0)
        return parse_received(options, value + 1, diag);
    return diag_add(
        diag, EXIT_STATUS_USAGE,
        "--nic: '%s': allowed: silent, loopback, unplugged, host, send=FILE, receive=FILE[@CYCLE]", word);
}

/* Words with commas between; each is allowed once. */
static bool parse_nic(struct run_options *options, const char *text, struct diag *diag)
{
    enum { MAX_WORDS = 3 };
    unsigned nr_words = 0;
    if (options->nic)
        return diag_add(diag, EXIT_STATUS_USAGE, "--nic: '%s' is one too many; allowed: 1", text);
    options->nic = strdup(text);
    if (!options->nic)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    options->settings[options->nr_settings++] = "nic.present=true";
    for (char *rest = options->nic, *word; (word = strsep(&rest, ",")); nr_words++) {
        if (nr_words == MAX_WORDS)
            return diag_add(diag, EXIT_STATUS_USAGE, "--nic: '%s' is a word too many; allowed: %d", word,
                            MAX_WORDS);
        if (!take_nic_word(options, word, diag))
            return false;
    }
    return true;
}

static bool parse_screenshot(struct run_options *options, const char *text, struct diag *diag)
{
    const char *at = strrchr(text, '@');
    free((char *)options->screenshot);
    options->screenshot_cycle = EV_NEVER;
    if (at && !parse_count("--screenshot", at + 1, 1000, &options->screenshot_cycle, diag))
        return false;
    options->screenshot = strndup(text, at ? (size_t)(at - text) : strlen(text));
    return options->screenshot != NULL;
}

/* "1920x1080" */
static bool parse_view_size(struct view_size *size, const char *text, struct diag *diag)
{
    enum { LEAST_WIDTH = 320, LEAST_HEIGHT = 200, MOST = 8192 };
    char *end;
    long width = strtol(text, &end, 10), height = *end == 'x' ? strtol(end + 1, &end, 10) : 0;
    if (*end || width < LEAST_WIDTH || width > MOST || height < LEAST_HEIGHT || height > MOST)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "--view-size: '%s'; allowed: %dx%d to %dx%d, such as 1920x1080", text, LEAST_WIDTH,
                        LEAST_HEIGHT, MOST, MOST);
    size->width = (int)width;
    size->height = (int)height;
    return true;
}

static bool take_view_look(struct run_options *options, int option, struct diag *diag)
{
    static const char *const themes[NR_VIEW_THEMES] = {[VIEW_DARK] = "dark", [VIEW_LIGHT] = "light"};
    static const double least_scale = 0.5, most_scale = 4;
    char *end;
    if (option == OPTION_VIEW_SIZE) {
        options->has_view_size = true;
        return parse_view_size(&options->view_size, optarg, diag);
    }
    if (option == OPTION_VIEW_SCALE) {
        double scale = strtod(optarg, &end);
        if (end == optarg || *end || !(scale >= least_scale && scale <= most_scale))
            return diag_add(diag, EXIT_STATUS_USAGE, "--view-scale: '%s'; allowed: %.1f to %.0f", optarg,
                            least_scale, most_scale);
        options->view_size.scale = scale;
        return true;
    }
    for (unsigned i = 0; i < NR_VIEW_THEMES; i++)
        if (strcmp(optarg, themes[i]) == 0) {
            options->view_theme = i;
            return true;
        }
    return diag_add(diag, EXIT_STATUS_USAGE, "--view-theme: '%s'; allowed: dark, light", optarg);
}

static bool parse_record(struct run_options *options, const char *text, struct diag *diag)
{
    enum { RECORD_CYCLES = 1000000 };
    const char *at = strrchr(text, '@');
    free((char *)options->record);
    options->record_cycles = RECORD_CYCLES;
    if (at && !parse_count("--record", at + 1, 1000, &options->record_cycles, diag))
        return false;
    options->record = strndup(text, at ? (size_t)(at - text) : strlen(text));
    return options->record != NULL;
}

/* What of a run its trace is to have. */
static bool take_trace_choice(struct run_options *o, int option, struct diag *diag)
{
    if (!o->trace_filter.kinds)
        o->trace_filter = trace_filter_of_all();
    o->is_trace_chosen = true;
    switch (option) {
    case OPTION_TRACE_KINDS:
        return trace_filter_parse_kinds(&o->trace_filter, "--trace-kinds", optarg, diag);
    case OPTION_TRACE_ADDRESS:
        return trace_filter_parse_address(&o->trace_filter, "--trace-address", optarg, diag);
    case OPTION_TRACE_PROCESS:
        o->has_trace_process = true;
        return parse_number("--trace-process", optarg, UINT64_MAX, &o->trace_process_cr3, diag);
    default:
        o->has_trace_region = true;
        return parse_number("--trace-region", optarg, UINT32_MAX, &o->trace_region, diag);
    }
}

static bool parse_elf_core(struct run_options *options, const char *text, struct diag *diag)
{
    const char *at = strrchr(text, '@');
    free((char *)options->elf_core);
    options->elf_core_cycle = EV_NEVER;
    options->elf_core = strndup(text, at ? (size_t)(at - text) : strlen(text));
    if (at && !parse_count("--elf-core", at + 1, 1000, &options->elf_core_cycle, diag))
        return false;
    return options->elf_core || diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
}

/* One of some words: its number. */
static bool parse_word(const char *option, const char *text, const char *const *words, unsigned nr_words,
                       unsigned *number, struct diag *diag)
{
    char allowed[80] = "";
    for (*number = 0; *number < nr_words; ++*number) {
        size_t length = strlen(allowed);
        if (strcmp(text, words[*number]) == 0)
            return true;
        snprintf(allowed + length, sizeof allowed - length, "%s%s", length ? ", " : "", words[*number]);
    }
    return diag_add(diag, EXIT_STATUS_USAGE, "%s: '%s'; allowed: %s", option, text, allowed);
}

static bool parse_progress(struct run_options *options, const char *text, struct diag *diag)
{
    static const char *const names[] = {
        [PROGRESS_AUTO] = "auto", [PROGRESS_ALWAYS] = "always", [PROGRESS_NEVER] = "never"};
    unsigned number;
    bool is_good = parse_word("--progress", text, names, sizeof names / sizeof *names, &number, diag);
    options->progress = is_good ? (enum progress_when)number : PROGRESS_AUTO;
    return is_good;
}

static bool parse_gdb_port(struct run_options *options, const char *text, struct diag *diag)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || port > UINT16_MAX)
        return diag_add(diag, EXIT_STATUS_USAGE, "--gdb: '%s' is no port; allowed: 0 (any) to 65535", text);
    options->gdb_port = (unsigned)port;
    return true;
}

static bool parse_gdb_arch(struct run_options *options, const char *text, struct diag *diag)
{
    static const char *const names[] = {
        [RUN_GDB_ARCH_AUTO] = "auto", [RUN_GDB_ARCH_I386] = "i386", [RUN_GDB_ARCH_X86_64] = "x86-64"};
    unsigned number;
    bool is_good = parse_word("--gdb-arch", text, names, sizeof names / sizeof *names, &number, diag);
    options->gdb_arch = is_good ? (enum run_gdb_arch)number : RUN_GDB_ARCH_AUTO;
    return is_good;
}

static bool parse_gdb_history(struct run_options *options, const char *text, struct diag *diag)
{
    enum { MAX_MIB = 1 << 20 };
    char *end;
    unsigned long long mib = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || mib > MAX_MIB)
        return diag_add(diag, EXIT_STATUS_USAGE, "--gdb-history-mib: '%s'; allowed: 0 (no going back) to %d",
                        text, MAX_MIB);
    options->has_gdb_history = true;
    options->gdb_history_mib = mib;
    return true;
}

static int compare_cycles(const void *a, const void *b)
{
    cycle_t x = *(const cycle_t *)a, y = *(const cycle_t *)b;
    return x < y ? -1 : x > y;
}

/* Cycles with commas between them; may be given more than once. */
static bool parse_checkpoints(struct run_options *options, const char *text, struct diag *diag)
{
    char *copy = strdup(text), *rest = copy;
    bool is_good = copy != NULL;
    for (char *word; is_good && (word = strsep(&rest, ","));) {
        cycle_t *more = reallocarray(options->checkpoint_at, options->nr_checkpoint_at + 1, sizeof *more);
        options->checkpoint_at = more ? more : options->checkpoint_at;
        is_good = more && parse_count("--checkpoint-at", word, 1000, &more[options->nr_checkpoint_at], diag);
        options->nr_checkpoint_at += is_good;
    }
    free(copy);
    if (options->nr_checkpoint_at)
        qsort(options->checkpoint_at, options->nr_checkpoint_at, sizeof(cycle_t), compare_cycles);
    return is_good || diag->nr_lines > 0 ? is_good : diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
}

/* A count of cycles, or EV_NEVER for a marker. */
static bool parse_until(const char *option, const char *text, bool *is_to_marker, cycle_t *cycles,
                        struct diag *diag)
{
    *is_to_marker = strcmp(text, "marker") == 0;
    *cycles = EV_NEVER;
    return *is_to_marker || parse_count(option, text, 1000, cycles, diag);
}

static bool take(struct run_options *o, int option, struct diag *diag)
{
    switch (option) {
    case 'c':
        o->configs[o->nr_configs++] = optarg;
        return true;
    case 's':
        o->settings[o->nr_settings++] = optarg;
        return true;
    case 'a':
        o->arguments = optarg;
        return true;
    case 'o':
        o->output = optarg;
        return true;
    case 'q':
        o->is_quiet = true;
        return true;
    case 'h':
        o->wants_help = true;
        return true;
    case OPTION_INITRD:
        o->modules[o->nr_modules++] = (struct load_module){.file = optarg};
        return true;
    case OPTION_BOOT:
        return load_protocol_named(optarg, &o->protocol, diag);
    case OPTION_UNPACK:
        o->is_unpacked = true;
        return true;
    case OPTION_FIRMWARE:
        o->image = optarg;
        o->has_firmware = true;
        return true;
    case OPTION_DISK:
        return parse_disk(o, optarg, diag);
    case OPTION_NIC:
        return parse_nic(o, optarg, diag);
    case OPTION_LOAD_AT:
        return parse_address("--load-at", optarg, &o->load_at, diag);
    case OPTION_ENTRY:
        return parse_address("--entry", optarg, &o->entry, diag);
    case OPTION_TRACE:
        o->trace = optarg;
        return true;
    case OPTION_TRACE_FROM:
        return parse_count("--trace-from", optarg, 1000, &o->trace_from, diag);
    case OPTION_TRACE_TO:
        return parse_count("--trace-to", optarg, 1000, &o->trace_to, diag);
    case OPTION_TRACE_LIMIT:
        return parse_count("--trace-limit", optarg, 1024, &o->trace_limit_bytes, diag);
    case OPTION_TRACE_KINDS:
    case OPTION_TRACE_ADDRESS:
    case OPTION_TRACE_PROCESS:
    case OPTION_TRACE_REGION:
        return take_trace_choice(o, option, diag);
    case OPTION_PROFILE:
        o->profile = optarg;
        return true;
    case OPTION_VIEW:
        o->has_view = true;
        return true;
    case OPTION_SCREENSHOT:
        return parse_screenshot(o, optarg, diag);
    case OPTION_VIEW_KEYS:
        o->view_keys = optarg;
        return true;
    case OPTION_VIEW_SIZE:
    case OPTION_VIEW_SCALE:
    case OPTION_VIEW_THEME:
        return take_view_look(o, option, diag);
    case OPTION_RECORD:
        return parse_record(o, optarg, diag);
    case OPTION_VGA_TEXT:
        o->has_vga_text = true;
        return true;
    case OPTION_VGA_SCREENSHOT:
        o->vga_screenshot = optarg;
        return true;
    case OPTION_KEYBOARD:
        o->has_keyboard = true;
        return true;
    case OPTION_MAX_CYCLES:
        return parse_count("--max-cycles", optarg, 1000, &o->max_cycles, diag);
    case OPTION_MAX_INSNS:
        return parse_count("--max-insns", optarg, 1000, &o->max_instructions, diag);
    case OPTION_WATCHDOG_CYCLES:
        return parse_count("--watchdog-cycles", optarg, 1000, &o->watchdog_cycles, diag);
    case OPTION_SYMBOLS:
        o->symbols = optarg;
        return true;
    case OPTION_ELF_CORE:
        return parse_elf_core(o, optarg, diag);
    case OPTION_PROGRESS:
        return parse_progress(o, optarg, diag);
    case OPTION_GDB:
        o->has_gdb = true;
        return !optarg || parse_gdb_port(o, optarg, diag);
    case OPTION_GDB_WAIT:
        o->has_gdb = o->gdb_waits = true;
        return true;
    case OPTION_GDB_ARCH:
        return parse_gdb_arch(o, optarg, diag);
    case OPTION_GDB_HISTORY_MIB:
        return parse_gdb_history(o, optarg, diag);
    case OPTION_CHECKPOINT_DIR:
        o->checkpoints = optarg;
        return true;
    case OPTION_CHECKPOINT_AT:
        return parse_checkpoints(o, optarg, diag);
    case OPTION_RESTORE:
        o->restore = optarg;
        return true;
    case OPTION_FAST_FORWARD:
        return parse_until("--fast-forward", optarg, &o->forwards_to_marker, &o->forward_cycles, diag);
    case OPTION_WARM_UP:
        return parse_until("--warm-up", optarg, &o->warms_to_marker, &o->warm_up_cycles, diag);
    default:
        return false;
    }
}

/* A checkpoint holds what the guest was begun with. */
static bool check_checkpoints(const struct run_options *options, struct diag *diag)
{
    if (options->restore &&
        (options->has_firmware || options->arguments || options->nr_modules || options->protocol ||
         options->is_unpacked || options->load_at || options->entry || options->forward_cycles))
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "--restore: the checkpoint has the guest; not also --firmware, -a, --initrd, --boot, "
                        "--unpack, --load-at, --entry, --fast-forward");
    return !options->nr_checkpoint_at || options->checkpoints ||
           diag_add(diag, EXIT_STATUS_USAGE, "--checkpoint-at wants --checkpoint-dir DIR as well");
}

/* The word that getopt stumbled over. */
static bool refuse(int option, char **argv, struct diag *diag)
{
    const char *word = argv[optind - 1];
    if (option == ':')
        return diag_add(diag, EXIT_STATUS_USAGE, "%s: wants a value; see lookaside run --help", word);
    if (optopt && strncmp(word, "--", 2) == 0)
        return diag_add(diag, EXIT_STATUS_USAGE, "%s: takes no value; see lookaside run --help", word);
    if (optopt && optopt < 256)
        return diag_add(diag, EXIT_STATUS_USAGE, "-%c: no such option; see lookaside run --help", optopt);
    return diag_add(diag, EXIT_STATUS_USAGE, "%s: no such option; see lookaside run --help", word);
}

bool run_options_parse(struct run_options *options, int argc, char **argv, struct diag *diag)
{
    enum { SETTINGS_OF_NIC = 4 };
    size_t room = (size_t)argc;
    *options = (struct run_options){.output = "lookaside.out",
                                    .gdb_port = RUN_GDB_DEFAULT_PORT,
                                    .gdb_history_mib = RUN_GDB_HISTORY_MIB,
                                    .max_cycles = EV_NEVER,
                                    .max_instructions = UINT64_MAX,
                                    .watchdog_cycles = EV_NEVER,
                                    .screenshot_cycle = EV_NEVER,
                                    .view_size = VIEW_SIZE_START};
    options->configs = calloc(room, sizeof *options->configs);
    options->settings = calloc(room + SETTINGS_OF_NIC, sizeof *options->settings);
    options->modules = calloc(room, sizeof *options->modules);
    if (!options->configs || !options->settings || !options->modules)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    optind = 0; /* begins anew, as GNU getopt wants it */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":c:s:a:o:qh", known, NULL)) != -1;) {
        if (option == '?' || option == ':')
            return refuse(option, argv, diag);
        if (!take(options, option, diag))
            return false;
    }
    if (options->wants_help)
        return true;
    if (!check_checkpoints(options, diag))
        return false;
    if (options->has_firmware &&
        (optind < argc || options->arguments || options->nr_modules || options->protocol ||
         options->is_unpacked || options->load_at || options->entry))
        return diag_add(
            diag, EXIT_STATUS_USAGE,
            "--firmware: the firmware boots the machine; not also an image, nor -a, --initrd, --boot, "
            "--unpack, --load-at, --entry");
    if (optind == argc && !options->has_firmware && !options->restore)
        return diag_add(diag, EXIT_STATUS_USAGE, "run: wants an image, or `demo`; see lookaside run --help");
    if (!options->trace &&
        (options->trace_from || options->trace_to || options->trace_limit_bytes || options->is_trace_chosen))
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "--trace-from, --trace-limit and other options of --trace want --trace FILE as well");
    if (options->forwards_to_marker && options->warms_to_marker)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "--warm-up: marker, which --fast-forward ends at; allowed: a count of cycles");
    if (options->trace && options->profile)
        return diag_add(diag, EXIT_STATUS_USAGE, "--profile: not with --trace: the core has one observer");
    if (!options->has_firmware && optind < argc)
        options->image = argv[optind++];
    if (optind < argc)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "run: one image only, not also '%s'; the guest's own arguments go into -a",
                        argv[optind]);
    return true;
}

void run_options_fini(struct run_options *options)
{
    free(options->configs);
    free(options->settings);
    free(options->modules);
    for (size_t i = 0; i < options->nr_disks; i++)
        free((char *)options->disks[i].file);
    free(options->nic);
    free((char *)options->screenshot);
    free((char *)options->record);
    free((char *)options->elf_core);
    free(options->checkpoint_at);
}
