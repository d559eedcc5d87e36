/* The command line of `lookaside run`, as words; nothing is opened or checked beyond their form. */
#ifndef LK_SIM_RUN_OPTIONS_H
#define LK_SIM_RUN_OPTIONS_H

#include "sim/base/addr.h"
#include "sim/base/diag.h"
#include "sim/machine.h"
#include "sim/observe/trace_filter.h"
#include "sim/observe/view_ui.h"
#include "sim/progress.h"

/* How gdb sees the processor; auto: as the guest begins. */
enum { RUN_GDB_DEFAULT_PORT = 1234, RUN_GDB_HISTORY_MIB = 256 };
enum run_gdb_arch { RUN_GDB_ARCH_AUTO, RUN_GDB_ARCH_I386, RUN_GDB_ARCH_X86_64 };

struct run_options {
    const char *image; /* "demo" for the bundled guest; with has_firmware a firmware image */
    bool has_firmware;
    const char *arguments;            /* the guest's command line; NULL for none */
    const char **configs, **settings; /* -c, -s; in order */
    size_t nr_configs, nr_settings;
    struct load_module *modules;
    size_t nr_modules;
    struct disk_source disks[MACHINE_NR_DISKS]; /* the names are owned */
    size_t nr_disks;
    char *nic;                           /* what --nic says, cut into words; NULL: no such option. Owned. */
    const char *nic_sent, *nic_received; /* files, within it; NULL: none */
    cycle_t nic_first;                   /* when the first frame comes; ETHER_WIRE_WHEN_ENABLED */
    enum load_protocol protocol;
    bool is_unpacked;             /* --unpack */
    uint64_t load_at, entry;      /* of flat images; 0: the protocol's own */
    const char *output;           /* directory */
    const char *trace;            /* file; NULL: none */
    cycle_t trace_from, trace_to; /* trace_to 0: to the end */
    uint64_t trace_limit_bytes;
    bool is_trace_chosen;             /* one of the next is set */
    struct trace_filter trace_filter; /* kinds 0: all */
    bool has_trace_process, has_trace_region;
    uint64_t trace_process_cr3, trace_region;
    const char *profile; /* file; NULL: none */
    bool has_view;
    struct view_size view_size; /* of the window and of pictures */
    bool has_view_size;         /* the command line says it */
    enum view_theme view_theme;
    const char *screenshot;   /* file; NULL: none. Owned. */
    cycle_t screenshot_cycle; /* EV_NEVER: at the end */
    const char *view_keys;    /* typed before the picture is taken, or when the window opens; NULL: none */
    const char *record;       /* directory; NULL: none. Owned. */
    cycle_t record_cycles;    /* between two pictures */
    bool has_vga_text, has_keyboard;
    const char *vga_screenshot; /* file; NULL: none */
    cycle_t max_cycles;         /* EV_NEVER: no limit */
    uint64_t max_instructions;
    cycle_t watchdog_cycles; /* EV_NEVER: no watchdog */
    const char *symbols;     /* file; NULL: the image itself */
    const char *elf_core;    /* file; NULL: none. Owned. */
    cycle_t elf_core_cycle;  /* EV_NEVER: at the end */
    enum progress_when progress;
    bool has_gdb, gdb_waits;
    unsigned gdb_port;
    enum run_gdb_arch gdb_arch;
    bool has_gdb_history;
    uint64_t gdb_history_mib; /* 0: gdb cannot go back */
    const char *restore;      /* a checkpoint, or a directory of them; NULL: none */
    const char *checkpoints;  /* directory; NULL: none are made */
    cycle_t *checkpoint_at;   /* in order; owned */
    size_t nr_checkpoint_at;
    cycle_t forward_cycles;  /* functional up to here; 0: not at all */
    bool forwards_to_marker; /* ... or to the first region of interest */
    cycle_t warm_up_cycles;  /* timed from there, but not counted; 0: counted at once */
    bool warms_to_marker;    /* ... or to the first region of interest */
    bool is_quiet;
    bool wants_help;
};

extern const char run_usage[];

/* False with lines of status EXIT_STATUS_USAGE. To be freed by run_options_fini in either case. */
bool run_options_parse(struct run_options *options, int argc, char **argv, struct diag *diag);
void run_options_fini(struct run_options *options);

#endif
