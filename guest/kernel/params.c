/* The command line: words separated by blanks, name or name=value. */
#include "params.h"
#include "compiler.h"
#include "printk.h"
#include "string.h"

char saved_command_line[COMMAND_LINE_SIZE];
struct boot_params boot_params;

/* The words that parse_command_line() cuts out; boot_params points into it. */
static char word_buffer[COMMAND_LINE_SIZE];

static void set_init(const char *value)
{
    boot_params.init = value;
}

static void set_root(const char *value)
{
    boot_params.root = value;
}

static void set_root_read_only(const char *value)
{
    (void)value;
    boot_params.is_root_read_only = true;
}

static void set_root_writable(const char *value)
{
    (void)value;
    boot_params.is_root_read_only = false;
}

static void set_mem(const char *value)
{
    const char *end;
    boot_params.mem_limit = memparse(value, &end);
}

static void set_min_free_kbytes(const char *value)
{
    const char *end;
    boot_params.min_free_kbytes = (unsigned long)memparse(value, &end);
}

static void set_highmem(const char *value)
{
    const char *end;
    boot_params.highmem = memparse(value, &end);
}

/* SIZE[@START[-END]]: without END, exactly there. */
static void set_cma(const char *value)
{
    const char *end;
    boot_params.cma_bytes = memparse(value, &end);
    if (*end != '@')
        return;
    boot_params.cma_start = memparse(end + 1, &end);
    boot_params.cma_end =
        *end == '-' ? memparse(end + 1, &end) : boot_params.cma_start + boot_params.cma_bytes;
}

static void set_zram(const char *value)
{
    const char *end;
    boot_params.zram_bytes = memparse(value, &end);
}

static void set_slub_debug(const char *value)
{
    boot_params.slub_debug = value ? value : "";
}

static void set_lkdtm(const char *value)
{
    boot_params.lkdtm = value;
}

static void set_lab(const char *value)
{
    boot_params.lab = value;
}

static void set_console(const char *value)
{
    boot_params.has_vga_console |= strcmp(value, "tty0") == 0;
}

static void set_intel_iommu(const char *value)
{
    boot_params.has_iommu = strcmp(value, "on") == 0;
}

static void set_lspci(const char *value)
{
    (void)value;
    boot_params.lspci = true;
}

static void set_quiet(const char *value)
{
    (void)value;
    boot_params.quiet = true;
}

enum option_value { NO_VALUE, NEEDS_VALUE, TAKES_VALUE };

static const struct {
    const char *name;
    enum option_value takes;
    void (*set)(const char *value);
} options[] = {
    {"init", NEEDS_VALUE, set_init},
    {"root", NEEDS_VALUE, set_root},
    {"ro", NO_VALUE, set_root_read_only},
    {"rw", NO_VALUE, set_root_writable},
    {"mem", NEEDS_VALUE, set_mem},
    {"highmem", NEEDS_VALUE, set_highmem},
    {"cma", NEEDS_VALUE, set_cma},
    {"zram", NEEDS_VALUE, set_zram},
    {"min_free_kbytes", NEEDS_VALUE, set_min_free_kbytes},
    {"slub_debug", TAKES_VALUE, set_slub_debug},
    {"lkdtm", NEEDS_VALUE, set_lkdtm},
    {"lab", NEEDS_VALUE, set_lab},
    {"lspci", NO_VALUE, set_lspci},
    {"intel_iommu", NEEDS_VALUE, set_intel_iommu},
    {"console", NEEDS_VALUE, set_console},
    {"quiet", NO_VALUE, set_quiet},
};

static void __init parse_word(char *word)
{
    const char *value = strchr(word, '=');
    size_t name_bytes = value ? (size_t)(value - word) : strlen(word);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (strlen(options[i].name) != name_bytes || strncmp(word, options[i].name, name_bytes))
            continue;
        if (options[i].takes == TAKES_VALUE || (options[i].takes == NEEDS_VALUE) == (value != NULL))
            options[i].set(value ? value + 1 : NULL);
        return;
    }
    if (value && boot_params.nr_envs < MAX_INIT_ENVS)
        boot_params.envp[boot_params.nr_envs++] = word;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *s)
{
    while (is_blank(*s))
        s++;
    return s;
}

static const char *skip_word(const char *s)
{
    while (*s && !is_blank(*s))
        s++;
    return s;
}

void __init parse_command_line(const char *loader_command_line)
{
    const char *rest = skip_blanks(skip_word(skip_blanks(loader_command_line)));
    size_t bytes = strlcpy(saved_command_line, rest, COMMAND_LINE_SIZE);
    bytes = min(bytes, (size_t)COMMAND_LINE_SIZE - 1);
    while (bytes && is_blank(saved_command_line[bytes - 1]))
        saved_command_line[--bytes] = '\0';

    strlcpy(word_buffer, saved_command_line, COMMAND_LINE_SIZE);
    char *word = word_buffer;
    while (*word) {
        char *end = word + (skip_word(word) - word);
        char *next = end + (skip_blanks(end) - end);
        *end = '\0';
        parse_word(word);
        word = next;
    }
    if (boot_params.quiet)
        console_quiet();
}
