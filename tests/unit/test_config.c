#include "sim/base/config.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[64];
static struct cfg *cfg;
static struct diag diag;

static void setup(void)
{
    strcpy(directory, "/tmp/lk-config-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
    cfg = cfg_create();
    diag_init(&diag);
}

static void teardown(void)
{
    char command[128];
    cfg_destroy(cfg);
    diag_fini(&diag);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(config, .init = setup, .fini = teardown);

static void write_bytes(const char *name, const void *bytes, size_t nr_bytes)
{
    FILE *to = fopen(name, "w");
    cr_assert_not_null(to);
    fwrite(bytes, 1, nr_bytes, to);
    fclose(to);
}

static void write_file(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static char *read_file(const char *name)
{
    char *text = calloc(1, 1 << 20);
    FILE *from = fopen(name, "r");
    cr_assert_not_null(from, "%s", name);
    cr_assert_lt(fread(text, 1, (1 << 20) - 1, from), (1 << 20) - 1);
    fclose(from);
    return text;
}

static bool load(const char *text)
{
    write_file("x.json", text);
    return cfg_load_file(cfg, "x.json", &diag);
}

static char *show(const struct cfg *of)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    cfg_show(of, to);
    fclose(to);
    return text;
}

static void expect_one_line(const char *line)
{
    cr_assert_eq(diag.nr_lines, 1, "%zu lines, the last: %s", diag.nr_lines,
                 diag.nr_lines ? diag.lines[diag.nr_lines - 1] : "none");
    cr_assert_str_eq(diag.lines[0], line);
}

Test(config, default_file_is_what_show_prints)
{
    char *shown = show(cfg), *file = read_file(LK_SOURCE_DIR "/configs/default.json");
    cr_assert(cfg_check(cfg, &diag), "%s", diag.nr_lines ? diag.lines[0] : "");
    cr_assert_str_eq(file, shown, "write it anew: build/lookaside config show > configs/default.json");
    free(shown);
    free(file);
}

Test(config, default_file_gives_every_key_its_default)
{
    struct config before = *cfg_values(cfg);
    cr_assert(cfg_load_file(cfg, LK_SOURCE_DIR "/configs/default.json", &diag));
    cr_assert_eq(memcmp(&before, cfg_values(cfg), sizeof(before)), 0);
    cr_assert(cfg_write_effective(cfg, "effective.json", &diag));
    char *text = read_file("effective.json");
    cr_assert_null(strstr(text, "\"from\": \"default\""), "a key is missing from the file");
    free(text);
}

Test(config, shipped_tiny_machine_is_good_and_tiny)
{
    cr_assert(cfg_load_file(cfg, LK_SOURCE_DIR "/configs/tiny.json", &diag));
    cr_assert(cfg_check(cfg, &diag));
    cr_assert_eq(cfg_values(cfg)->tlb_l1d_entries, 8);
    cr_assert_eq(cfg_values(cfg)->cache_l1d_size_bytes, 1024);
    cr_assert_eq(cfg_values(cfg)->cache_l2_size_bytes, 8192);
    cr_assert_eq(cfg_values(cfg)->machine_ram, UINT64_C(1) << 30);
}

Test(config, what_show_prints_can_be_read_back)
{
    cr_assert(load("{\"cache\": {\"l2\": {\"size\": \"1MiB\"}}, \"cpu\": {\"model\": \"functional\", "
                   "\"frequency\": 123456789}}"));
    char *first = show(cfg);
    struct cfg *again = cfg_create();
    write_file("shown.json", first);
    cr_assert(cfg_load_file(again, "shown.json", &diag));
    cr_assert_eq(memcmp(cfg_values(cfg), cfg_values(again), sizeof(struct config)), 0);
    cr_assert_not_null(strstr(first, "// from x.json:1:27\n"));
    cfg_destroy(again);
    free(first);
}

Test(config, effective_file_is_json_with_values_and_places)
{
    cr_assert(load("{\n  \"tlb\": {\"l1d\": {\"ways\": 8}}}"));
    cr_assert(cfg_set(cfg, "cpu.model=functional", &diag));
    cr_assert(cfg_write_effective(cfg, "effective.json", &diag));
    char *text = read_file("effective.json");
    cJSON *root = cJSON_Parse(text);
    const cJSON *ways = cJSON_GetObjectItemCaseSensitive(root, "tlb.l1d.ways");
    cr_assert_eq(cJSON_GetObjectItem(ways, "value")->valuedouble, 8.0);
    cr_assert_str_eq(cJSON_GetObjectItem(ways, "from")->valuestring, "x.json:2:27");
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "cpu.model");
    cr_assert_str_eq(cJSON_GetObjectItem(model, "value")->valuestring, "functional");
    cr_assert_str_eq(cJSON_GetObjectItem(model, "from")->valuestring, "-s");
    cJSON_Delete(root);
    free(text);
}

Test(config, schema_is_json_and_knows_the_nested_keys)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    cfg_schema(to);
    fclose(to);
    cJSON *root = cJSON_Parse(text);
    cr_assert_not_null(root);
    const char *path[] = {"properties", "tlb", "properties", "l1d", "properties", "ways"};
    const cJSON *node = root;
    for (size_t i = 0; i < 6; i++)
        node = cJSON_GetObjectItemCaseSensitive(node, path[i]);
    cr_assert_str_eq(cJSON_GetObjectItem(node, "type")->valuestring, "integer");
    cr_assert_eq(cJSON_GetObjectItem(node, "default")->valuedouble, 4.0);
    cJSON_Delete(root);
    free(text);
}

Test(config, comments_and_trailing_commas_are_accepted)
{
    cr_assert(
        load("\xef\xbb\xbf// \"cpu\": {\n{ /* } */ \"schema\": \"lookaside/1\", \"$schema\": \"x//y\",\n"
             "\"tlb\": {\"l1d\": {\"ways\": /* 8 */ 2, }, }, // end\n}\n// no newline"));
    cr_assert_eq(cfg_values(cfg)->tlb_l1d_ways, 2);
}

Test(config, units_are_exact)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"5242880", 5242880},           {"\"5242880\"", 5242880},       {"\"5242880B\"", 5242880},
        {"\"5120K\"", 5242880},         {"\"5120KiB\"", 5242880},       {"\"5M\"", 5242880},
        {"\"5 MiB\"", 5242880},         {"\"1.5GiB\"", 1610612736},     {"\"1G\"", 1073741824},
        {"\"2147487744\"", 2147487744}, {"\"4.00390625MiB\"", 4198400}, {"5242880.0", 5242880},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "{\"machine\": {\"ram\": %s}}", cases[i].text);
        cr_assert(load(text), "%s", cases[i].text);
        cr_assert_eq(cfg_values(cfg)->machine_ram, cases[i].bytes, "%s", cases[i].text);
    }
    cr_assert(cfg_set(cfg, "cpu.frequency=2.4GHz", &diag));
    cr_assert_eq(cfg_values(cfg)->cpu_frequency_hz, 2400000000);
    cr_assert(cfg_set(cfg, "cpu.frequency=33.333333MHz", &diag));
    cr_assert_eq(cfg_values(cfg)->cpu_frequency_hz, 33333333);
}

Test(config, each_mistake_in_a_file_is_named_with_place_key_value_and_what_is_allowed)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"{\"tlb\": {\"l1d\": {\"wayz\": 4}}}",
         "x.json:1:18: tlb.l1d.wayz: no such key (did you mean \"tlb.l1d.ways\": "
         "a whole number, 1 to 4096 ways?)"},
        {"{\"Tlb\": {}}", "x.json:1:2: Tlb: no such key (did you mean \"tlb\"?)"},
        {"{\"zebra\": {\"a\": [1, {}]}}",
         "x.json:1:2: zebra: no such key; allowed: those of `lookaside config show`"},
        {"{\n/* \xc3\xa9 */ \"tlb\": {\"l1d\": {\"ways\": \"4\"}}}",
         "x.json:2:34: tlb.l1d.ways: \"4\"; allowed: a whole number, 1 to 4096 ways"},
        {"{\"tlb\": {\"l1d\": {\"ways\": 4.5}}}", "x.json:1:26: tlb.l1d.ways: 4.5; allowed: a whole number, "
                                                  "1 to 4096 ways; this is no whole number of ways"},
        {"{\"tlb\": {\"l1d\": {\"ways\": 0}}}",
         "x.json:1:26: tlb.l1d.ways: 0; allowed: a whole number, 1 to 4096 ways"},
        {"{\"tlb\": {\"l1d\": {\"ways\": -1}}}",
         "x.json:1:26: tlb.l1d.ways: -1; allowed: a whole number, 1 to 4096 ways"},
        {"{\"tlb\": {\"l1d\": {\"ways\": 18446744073709551617}}}",
         "x.json:1:26: tlb.l1d.ways: 18446744073709551617; allowed: a whole number, 1 to 4096 ways"},
        {"{\"tlb\": {\"l1d\": {\"ways\": [4]}}}",
         "x.json:1:26: tlb.l1d.ways: [...]; allowed: a whole number, 1 to 4096 ways"},
        {"{\"tlb\": {\"l1d\": null}}",
         "x.json:1:17: tlb.l1d: null; allowed: an object, {\"key\": value, ...}"},
        {"{\"machine\": {\"ram\": \"32KB\"}}", "x.json:1:21: machine.ram: \"32KB\"; allowed: a size, such as "
                                               "\"32KiB\", 4MiB to 3GiB; unknown unit \"KB\": B, "
                                               "KiB, MiB and GiB are known"},
        {"{\"machine\": {\"ram\": true}}",
         "x.json:1:21: machine.ram: true; allowed: a size, such as \"32KiB\", 4MiB to 3GiB"},
        {"{\"cpu\": {\"frequency\": \"1GB\"}}", "x.json:1:23: cpu.frequency: \"1GB\"; allowed: a frequency, "
                                                "such as \"1GHz\", 1MHz to 10GHz; unknown unit "
                                                "\"GB\": Hz, kHz, MHz and GHz are known"},
        {"{\"cpu\": {\"model\": \"inorde\"}}", "x.json:1:19: cpu.model: \"inorde\"; allowed: \"functional\", "
                                               "\"inorder\" (did you mean \"inorder\"?)"},
        {"{\"cpu\": {\"model\": 1}}", "x.json:1:19: cpu.model: 1; allowed: \"functional\", \"inorder\""},
        {"{\"schema\": \"lookaside/9\"}", "x.json:1:12: schema: \"lookaside/9\"; allowed: \"lookaside/1\""},
        {"{\"cpu\": {},\n\"cpu\": {}}", "x.json:2:1: cpu: given twice; it stands at x.json:1:2 already"},
        {"{\"tlb.l1d.ways\": 4}",
         "x.json:1:2: tlb.l1d.ways: a path with dots; in a file each part is an object of its own"},
        {"{\"include\": 7}", "x.json:1:13: include: 7; allowed: the name of a file, or a list of them"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_not(load(cases[i].text), "%s", cases[i].text);
        expect_one_line(cases[i].line);
        cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA);
        diag_fini(&diag);
    }
}

Test(config, all_mistakes_come_in_one_pass)
{
    cr_assert_not(load("{\"cpu\": {\"width\": 9, \"modle\": 1}, \"tlb\": 5, \"machine\": {\"ram\": \"x\"}}"));
    cr_assert_eq(diag.nr_lines, 4);
}

Test(config, what_is_not_json_is_refused_with_its_place)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"", "x.json: empty: a JSON object is wanted, {} at least"},
        {" // only a comment", "x.json: empty: a JSON object is wanted, {} at least"},
        {"{\"cpu\": {}\n", "x.json:2:1: not JSON: the file ends here"},
        {"{\"cpu\" {}}", "x.json:1:8: not JSON: unexpected {"},
        {"{\"cpu\": {} \"tlb\": {}}", "x.json:1:12: not JSON: unexpected \"tlb\""},
        {"{} {}", "x.json:1:4: not JSON: unexpected {"},
        {"{,}", "x.json:1:2: not JSON: unexpected ,"},
        {"{\"cpu\": {},,}", "x.json:1:12: not JSON: unexpected ,"},
        {"{\"include\": [,]}", "x.json:1:14: not JSON: unexpected ,"},
        {"{\"cpu\": 'a'}", "x.json:1:9: not JSON: unexpected 'a'"},
        {"{\"cpu\": \"a\n\"}", "x.json:1:9: not JSON: this string is not closed on its line"},
        {"{\"cpu\": \"\\u0000\"}", "x.json:1:10: a NUL character in a string"},
        {"{} /* ", "x.json:1:4: not JSON: this comment is not closed"},
        {"{\"a\": \"\xff\"}", "x.json:1:8: not JSON: this is not UTF-8"},
        {"{\"a\": \"\x01\"}", "x.json:1:8: not JSON: a control character"},
        {"\x7f"
         "ELF",
         "x.json:1:1: not JSON: a control character"},
        {"[]", "x.json:1:1: not a configuration; allowed: one object, {...}"},
        {"Hello, world", "x.json:1:1: not JSON: unexpected Hello"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_not(load(cases[i].text), "%s", cases[i].text);
        expect_one_line(cases[i].line);
        cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA);
        diag_fini(&diag);
    }
    write_bytes("x.json", "{\n\0}", 4);
    cr_assert_not(cfg_load_file(cfg, "x.json", &diag));
    expect_one_line("x.json:2:1: not JSON: a NUL byte");
}

Test(config, file_that_cannot_be_read_has_a_status_of_its_own)
{
    cr_assert_not(cfg_load_file(cfg, "none.json", &diag));
    expect_one_line("none.json: cannot be read: No such file or directory");
    cr_assert_eq(diag.status, EXIT_STATUS_NO_INPUT);
    diag_fini(&diag);
    cr_assert_not(cfg_load_file(cfg, "/", &diag));
    expect_one_line("/: cannot be read: this is a directory");
    cr_assert_eq(diag.status, EXIT_STATUS_NO_INPUT);
}

Test(config, endless_and_deep_files_end_in_one_line)
{
    cr_assert_not(cfg_load_file(cfg, "/dev/zero", &diag));
    expect_one_line("/dev/zero: too large: allowed is 1 MiB");
    diag_fini(&diag);
    static char deep[100000];
    memset(deep, '[', sizeof(deep) - 1);
    cr_assert_not(load(deep));
    expect_one_line("x.json:1:33: nested too deeply: allowed are 32 levels");
}

Test(config, include_comes_first_and_later_files_win)
{
    cr_assert_eq(system("mkdir -p sub"), 0);
    write_file("sub/a.json", "{\"include\": [\"b.json\", \"../c.json\"], \"cpu\": {\"width\": 4}}");
    write_file("sub/b.json", "{\"cpu\": {\"width\": 1, \"io_cycles\": 5, \"store_buffer\": 5}}");
    write_file("c.json", "{\"cpu\": {\"io_cycles\": 6}}");
    cr_assert(cfg_load_file(cfg, "sub/a.json", &diag));
    cr_assert_eq(cfg_values(cfg)->cpu_width, 4);
    cr_assert_eq(cfg_values(cfg)->cpu_io_cycles, 6);
    cr_assert_eq(cfg_values(cfg)->cpu_store_buffer, 5);
}

Test(config, include_of_itself_is_refused)
{
    write_file("a.json", "{\"include\": \"./b.json\"}");
    write_file("b.json", "{\n\"include\": [\"a.json\"]}");
    cr_assert_not(cfg_load_file(cfg, "a.json", &diag));
    expect_one_line(
        "./b.json:2:13: include: \"a.json\"; this file is being read already: it would include itself");
}

Test(config, include_of_nothing_is_refused_at_its_place)
{
    cr_assert_not(load("{\"include\": \"none.json\"}"));
    expect_one_line(
        "x.json:1:13: include: \"none.json\": none.json cannot be read: No such file or directory");
    cr_assert_eq(diag.status, EXIT_STATUS_NO_INPUT);
}

Test(config, includes_that_multiply_end)
{
    for (int level = 0; level < 20; level++) {
        char name[32], text[256];
        snprintf(name, sizeof(name), "l%d.json", level);
        snprintf(text, sizeof(text), "{\"include\": [\"l%d.json\", \"l%d.json\", \"l%d.json\"]}", level + 1,
                 level + 1, level + 1);
        write_file(name, level == 19 ? "{}" : text);
    }
    cr_assert_not(cfg_load_file(cfg, "l0.json", &diag));
    cr_assert_leq(diag.nr_lines, 101);
}

Test(config, settings_are_answered_like_files)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"mmu.walkers=17", "-s: mmu.walkers: 17; allowed: a whole number, 0 to 16 walkers"},
        {"mmu.hit_under_walk=2", "-s: mmu.hit_under_walk: 2; allowed: true or false"},
        {"tlb.pde.entries=-1", "-s: tlb.pde.entries: -1; allowed: a whole number, 0 to 4096 entries"},
        {"tlb.l1d.wayz=4", "-s: tlb.l1d.wayz: no such key (did you mean \"tlb.l1d.ways\": "
                           "a whole number, 1 to 4096 ways?)"},
        {"tlb.l1d.ways=four", "-s: tlb.l1d.ways: four; allowed: a whole number, 1 to 4096 ways"},
        {"tlb.l1d.ways=", "-s: tlb.l1d.ways: ; allowed: a whole number, 1 to 4096 ways"},
        {"tlb.l1d=4", "-s: tlb.l1d: 4; allowed: a value for a key inside tlb.l1d, not for all of it"},
        {"tlb.l1d.ways", "-s: tlb.l1d.ways; allowed: path=value, such as tlb.l1d.ways=4"},
        {"=4", "-s: =4; allowed: path=value, such as tlb.l1d.ways=4"},
        {"cpu.model=magic", "-s: cpu.model: magic; allowed: \"functional\", \"inorder\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_not(cfg_set(cfg, cases[i].text, &diag));
        expect_one_line(cases[i].line);
        cr_assert_eq(diag.status, EXIT_STATUS_USAGE);
        diag_fini(&diag);
    }
    cr_assert(cfg_set(cfg, "cpu.model=functional", &diag));
    cr_assert_eq(cfg_values(cfg)->cpu_model, CFG_CPU_FUNCTIONAL);
}

Test(config, keys_that_do_not_fit_each_other_are_refused)
{
    static const struct {
        const char *settings[4], *line;
    } cases[] = {
        {{"cache.l1d.size=3000", "cache.l1d.ways=3"},
         "-s: cache.l1d.ways: 3; allowed: a size that is ways x line x a power of two; with 3 ways of "
         "64-byte lines not "
         "3000 but 1536 or \"3KiB\""},
        {{"cache.l1d.ways=3", "cache.l1d.size=1000"},
         "-s: cache.l1d.size: 1000; allowed: a size that is ways x line x a power of two; with 3 ways of "
         "64-byte lines "
         "not 1000 but 768 or 1536"},
        {{"cache.l1d.size=64"},
         "-s: cache.l1d.size: 64; allowed: a size that is ways x line x a power of two; with 8 ways of "
         "64-byte lines "
         "not 64 but 512 at least"},
        {{"cache.l1d.line=48"}, "-s: cache.l1d.line: 48; allowed: a power of two"},
        {{"tlb.l1d.ways=3"}, "-s: tlb.l1d.ways: 3; allowed: what divides tlb.l1d.entries, which is 64"},
        {{"tlb.l1d.ways=128"}, "-s: tlb.l1d.ways: 128; allowed: what divides tlb.l1d.entries, which is 64"},
        {{"tlb.l1d.entries=6"}, "-s: tlb.l1d.entries: 6; allowed: a multiple of tlb.l1d.ways, which is 4"},
        {{"tlb.pde.entries=6"}, "-s: tlb.pde.entries: 6; allowed: a multiple of tlb.pde.ways, which is 4"},
        {{"tlb.pml4e.entries=4", "tlb.pml4e.ways=3"},
         "-s: tlb.pml4e.ways: 3; allowed: what divides tlb.pml4e.entries, which is 4"},
        {{"tlb.pdpte.entries=6", "tlb.pdpte.ways=3", "tlb.pdpte.replacement=plru"},
         "-s: tlb.pdpte.replacement: \"plru\"; allowed: plru with a power of two of ways up to 65536; there "
         "are 3"},
        {{"cpu.width=3"}, "-s: cpu.width: 3; allowed: 1, 2 or 4"},
        {{"cpu.memory_ports=3"}, "-s: cpu.memory_ports: 3; allowed: 1, 2 or 4"},
        {{"dram.banks=6"}, "-s: dram.banks: 6; allowed: a power of two"},
        {{"dram.row=5000"}, "-s: dram.row: 5000; allowed: a power of two"},
        {{"cache.l1d.replacement=plru", "cache.l1d.ways=3", "cache.l1d.size=24KiB"},
         "-s: cache.l1d.ways: 3; allowed: a power of two up to 64, as cache.l1d.replacement is plru"},
        {{"cache.l2.ways=128", "cache.l2.replacement=plru"},
         "-s: cache.l2.replacement: \"plru\"; allowed: plru with a power of two of ways up to 64; there are "
         "128"},
        {{"mmu.walk_through=l2", "cache.l2.inclusion=exclusive"},
         "-s: cache.l2.inclusion: \"exclusive\"; allowed: inclusive or non-inclusive: mmu.walk_through is "
         "l2"},
        {{"cache.l2.inclusion=exclusive", "mmu.walk_through=l2"},
         "-s: mmu.walk_through: \"l2\"; allowed: l1d: cache.l2.inclusion is exclusive"},
        {{"mmu.walk_through=l2", "cache.levels=1"},
         "-s: cache.levels: 1; allowed: 2 or 3: mmu.walk_through is l2"},
        {{"cache.levels=1", "mmu.walk_through=l2"},
         "-s: mmu.walk_through: \"l2\"; allowed: l1d: cache.levels is 1"},
        {{"cache.levels=3", "cache.l3.line=128"},
         "-s: cache.l3.line: 128; allowed: the same line in all caches; l1i has 64, l1d 64, l2 64, l3 128"},
        {{"dram.preset=ddr3-1600", "dram.tREFI=254"},
         "-s: dram.tREFI: 254; allowed: 0, or at least 255 clocks, so that an access fits between two "
         "refreshes"},
        {{"dram.bank_groups=3"}, "-s: dram.bank_groups: 3; allowed: a power of two, or 0"},
        {{"dram.bank_groups=16"}, "-s: dram.bank_groups: 16; allowed: at most dram.banks, which is 8"},
        {{"dram.channels=3"}, "-s: dram.channels: 3; allowed: a power of two"},
        {{"machine.ram=4194305"}, "-s: machine.ram: 4194305; allowed: a multiple of 4KiB"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cfg *fresh = cfg_create();
        for (size_t j = 0; cases[i].settings[j]; j++)
            cr_assert(cfg_set(fresh, cases[i].settings[j], &diag));
        cr_assert_not(cfg_check(fresh, &diag));
        cr_assert_str_eq(diag.lines[0], cases[i].line);
        cr_assert_eq(diag.status, EXIT_STATUS_USAGE);
        diag_fini(&diag);
        cfg_destroy(fresh);
    }
}

Test(config, times_are_clocks_or_exact_picoseconds_or_the_presets)
{
    cr_assert_eq(cfg_values(cfg)->dram_tCL, CFG_TIME_PRESET);
    const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"11", 11},
                {"0", 0},
                {"13.75ns", CFG_TIME_IS_PS | 13750},
                {"13.750 ns", CFG_TIME_IS_PS | 13750},
                {"833ps", CFG_TIME_IS_PS | 833},
                {"7.8us", CFG_TIME_IS_PS | 7800000},
                {"1000us", CFG_TIME_IS_PS | 1000000000},
                {"preset", CFG_TIME_PRESET}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char setting[64];
        snprintf(setting, sizeof setting, "dram.tCL=%s", good[i].text);
        cr_assert(cfg_set(cfg, setting, &diag), "%s", setting);
        cr_assert_eq(cfg_values(cfg)->dram_tCL, good[i].value, "%s", setting);
    }
    const char *const bad[] = {"1000001",
                               "1.5",
                               "0.0001ns",
                               "1001us",
                               "ns",
                               "",
                               "-1",
                               "12ms",
                               "presets",
                               "1e3",
                               "99999999999999999999ns"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char setting[64];
        snprintf(setting, sizeof setting, "dram.tCL=%s", bad[i]);
        cr_assert_not(cfg_set(cfg, setting, &diag), "%s", setting);
        cr_assert_neq(strstr(diag.lines[diag.nr_lines - 1], "0 to 1000000 clocks, a time up to"), NULL);
    }
    cr_assert(load("{\"dram\": {\"tRCD\": \"13.75ns\", \"tRP\": 11, \"tRAS\": \"preset\"}}"));
    cr_assert_not(load("{\"dram\": {\"tRCD\": true}}"));
    cr_assert_not(load("{\"dram\": {\"tRCD\": 13.75}}"));
}

/* What was set comes back from the text that shows it. */
Test(config, times_that_are_shown_can_be_read_back)
{
    cr_assert(cfg_set(cfg, "dram.tRCD=13.75ns", &diag));
    cr_assert(cfg_set(cfg, "dram.tRFC=350ns", &diag));
    cr_assert(cfg_set(cfg, "dram.tRP=11", &diag));
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    cfg_show(cfg, to);
    fclose(to);
    cr_assert_neq(strstr(text, "\"tRCD\": \"13.750ns\""), NULL);
    cr_assert_neq(strstr(text, "\"tRFC\": \"350ns\""), NULL);
    cr_assert_neq(strstr(text, "\"tRP\": 11"), NULL);
    struct config before = *cfg_values(cfg);
    cr_assert(load(text));
    cr_assert_arr_eq(cfg_values(cfg), &before, sizeof before);
    free(text);
}

Test(config, lines_must_be_the_same_in_all_caches)
{
    cr_assert(cfg_set(cfg, "cache.l2.line=128", &diag));
    cr_assert_not(cfg_check(cfg, &diag));
    expect_one_line(
        "-s: cache.l2.line: 128; allowed: the same line in all caches; l1i has 64, l1d 64, l2 128");
}

Test(config, mistake_between_keys_of_a_file_has_the_files_place_and_status)
{
    cr_assert(load("{\"dram\": {\n  \"banks\": 6}}"));
    cr_assert_not(cfg_check(cfg, &diag));
    expect_one_line("x.json:2:12: dram.banks: 6; allowed: a power of two");
    cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA);
}

Test(config, what_depends_on_a_refused_key_is_not_judged)
{
    cr_assert_not(load("{\"tlb\": {\"l1d\": {\"entries\": \"nine\", \"ways\": 9}}}"));
    cr_assert(cfg_check(cfg, &diag));
    cr_assert_eq(diag.nr_lines, 1);
}

Test(config, damaged_files_never_crash_and_always_answer)
{
    char *whole = read_file(LK_SOURCE_DIR "/configs/default.json");
    size_t length = strlen(whole);
    char *damaged = malloc(length + 1);
    static const char nasty[] = "{}[]\",:/*\\\n\0u0-9.eE\xff\x80";
    unsigned seed = 3;
    for (int round = 0; round < 400; round++) {
        memcpy(damaged, whole, length + 1);
        for (int i = rand_r(&seed) % 4; i >= 0; i--)
            damaged[(size_t)rand_r(&seed) % length] = nasty[(size_t)rand_r(&seed) % (sizeof(nasty) - 1)];
        size_t kept = rand_r(&seed) % 3 ? length : (size_t)rand_r(&seed) % length;
        write_bytes("x.json", damaged, kept);
        struct cfg *fresh = cfg_create();
        bool is_good = cfg_load_file(fresh, "x.json", &diag);
        cr_assert_eq(is_good, diag.nr_lines == 0);
        cfg_check(fresh, &diag);
        diag_fini(&diag);
        cfg_destroy(fresh);
    }
    free(damaged);
    free(whole);
}
