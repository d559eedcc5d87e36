#include "sim/base/stats.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sample {
    uint64_t hits, misses;
};

static const struct stat_row rows[] = {
    STAT_ROW(struct sample, hits, "lookups", "found"),
    STAT_ROW(struct sample, misses, "lookups", "not found"),
};

static struct stat_registry *registry;
static struct sample sample;
static struct diag diag;
static char directory[64], file[128];
static double ratio;

static double give_ratio(const void *opaque)
{
    return *(const double *)opaque;
}

static uint64_t give_count(const void *opaque)
{
    const struct sample *from = opaque;
    return from->hits + from->misses;
}

static void setup(void)
{
    registry = stat_registry_create();
    diag_init(&diag);
    strcpy(directory, "/tmp/lk-stats-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    snprintf(file, sizeof(file), "%s/out", directory);
    sample = (struct sample){.hits = 3, .misses = UINT64_MAX};
    ratio = 0.25;
}

static void teardown(void)
{
    stat_registry_destroy(registry);
    diag_fini(&diag);
    unlink(file);
    rmdir(directory);
}

TestSuite(stats, .init = setup, .fini = teardown);

static void register_all(void)
{
    cr_assert(stat_register(registry, "cpu0.tlb", rows, 2, &sample));
    cr_assert(stat_register_count(registry, "cpu0.total", "lookups", "all", give_count, &sample));
    cr_assert(stat_register_ratio(registry, "cpu0.rate", "ratio", "misses a hit", give_ratio, &ratio));
}

static const char *read_back(void)
{
    static char text[4096];
    FILE *from = fopen(file, "r");
    cr_assert_not_null(from);
    text[fread(text, 1, sizeof(text) - 1, from)] = '\0';
    fclose(from);
    return text;
}

static const struct stat_header header[] = {{"version", "0.1"}, {"config", "a\"b\\c\n\xff"}};

Test(stats, json_has_exact_integers_in_order_of_registration)
{
    register_all();
    sample.hits = 9007199254740993; /* 2^53 + 1, which no double holds */
    cr_assert(stat_write_json(registry, file, header, 2, &diag));
    cr_assert_str_eq(read_back(), "{\n"
                                  "  \"lookaside\": {\n"
                                  "    \"version\": \"0.1\",\n"
                                  "    \"config\": \"a\\\"b\\\\c\\u000a\\ufffd\"\n"
                                  "  },\n"
                                  "  \"cpu0.tlb.hits\": 9007199254740993,\n"
                                  "  \"cpu0.tlb.misses\": 18446744073709551615,\n"
                                  "  \"cpu0.total\": 9007199254740992,\n"
                                  "  \"cpu0.rate\": 0.250000\n"
                                  "}\n");
}

Test(stats, json_is_json)
{
    register_all();
    cr_assert(stat_write_json(registry, file, NULL, 0, &diag));
    cJSON *root = cJSON_Parse(read_back());
    cr_assert_not_null(root);
    cr_assert_eq(cJSON_GetObjectItemCaseSensitive(root, "cpu0.tlb.hits")->valuedouble, 3.0);
    cJSON_Delete(root);
}

Test(stats, text_has_name_value_unit_and_sentence)
{
    register_all();
    cr_assert(stat_write_text(registry, file, header, 1, &diag));
    char name[64], value[64], unit[64], sentence[64];
    const char *text = read_back();
    cr_assert_eq(strncmp(text, "# version: 0.1\n", 15), 0);
    cr_assert_eq(sscanf(text + 15, "%63s %63s %63s %63[^\n]", name, value, unit, sentence), 4);
    cr_assert_str_eq(name, "cpu0.tlb.hits");
    cr_assert_str_eq(value, "3");
    cr_assert_str_eq(unit, "lookups");
    cr_assert_str_eq(sentence, "found");
}

Test(stats, ratio_that_is_not_finite_is_left_out)
{
    register_all();
    ratio = NAN;
    cr_assert(stat_write_json(registry, file, NULL, 0, &diag));
    cr_assert_null(strstr(read_back(), "rate"));
    ratio = INFINITY;
    cr_assert(stat_write_text(registry, file, NULL, 0, &diag));
    cr_assert_null(strstr(read_back(), "rate"));
}

Test(stats, ratio_is_rounded_and_signed_as_a_person_would)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, ": 0.000000\n"},
        {-0.0000001, ": 0.000000\n"},
        {2.0 / 3, ": 0.666667\n"},
        {-1.5, ": -1.500000\n"},
        {0.9999999, ": 1.000000\n"},
        {123456789.125, ": 123456789.125000\n"},
        {1e15, ": 1000000000000000.000000\n"},
        {1e30, ": 1e+30\n"},
    };
    register_all();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ratio = cases[i].value;
        cr_assert(stat_write_json(registry, file, NULL, 0, &diag));
        cr_assert_not_null(strstr(read_back(), cases[i].text), "%s in %s", cases[i].text, read_back());
    }
}

Test(stats, values_are_got_by_full_name)
{
    register_all();
    uint64_t count = 0;
    double value = 0;
    cr_assert(stat_get_count(registry, "cpu0.tlb.hits", &count));
    cr_assert_eq(count, 3);
    cr_assert(stat_get_count(registry, "cpu0.total", &count));
    cr_assert_eq(count, 2);
    cr_assert(stat_get(registry, "cpu0.rate", &value));
    cr_assert_eq(value, 0.25);
    cr_assert_not(stat_get_count(registry, "cpu0.rate", &count), "a ratio is no count");
    cr_assert_not(stat_get(registry, "cpu0.tlb", &value));
}

Test(stats, name_that_is_taken_is_refused)
{
    register_all();
    cr_assert_not(stat_register(registry, "cpu0.tlb", rows, 2, &sample));
    cr_assert_not(stat_register_count(registry, "cpu0.rate", "", "", give_count, &sample));
}

Test(stats, file_that_cannot_be_written_leaves_the_old_one_and_no_other)
{
    register_all();
    cr_assert_not(stat_write_json(registry, "/nonexistent/stats.json", NULL, 0, &diag));
    cr_assert_eq(diag.status, EXIT_STATUS_NO_OUTPUT);
    cr_assert_not_null(strstr(diag.lines[0], "/nonexistent/stats.json"));
    cr_assert_eq(mkdir(file, 0700), 0);
    cr_assert_not(stat_write_json(registry, file, NULL, 0, &diag), "a directory is no file");
    cr_assert_eq(rmdir(file), 0);
    cr_assert_eq(rmdir(directory), 0, "no temporary file is left behind");
}
