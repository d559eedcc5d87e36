#include "tests/oracle/naive_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cJSON *run_json(const char *file)
{
    FILE *from = fopen(file, "r");
    char *text = NULL;
    size_t length = 0;
    ssize_t got = from ? getdelim(&text, &length, 0, from) : -1;
    cJSON *json = got > 0 ? cJSON_Parse(text) : NULL;
    if (from)
        fclose(from);
    free(text);
    if (!json) {
        fprintf(stderr, "naive_counts: %s: cannot be read, or is no JSON\n", file);
        exit(2);
    }
    return json;
}

uint64_t run_setting(const cJSON *config, const char *key)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
    const cJSON *value = cJSON_GetObjectItem(cJSON_GetObjectItem(config, key), "value");
    if (cJSON_IsNumber(value))
        return (uint64_t)value->valuedouble;
    if (cJSON_IsString(value)) {
        char *unit;
        double number = strtod(value->valuestring, &unit);
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            if (strcmp(unit, units[i].unit) == 0)
                return (uint64_t)(number * units[i].factor);
        }
    }
    fprintf(stderr, "naive_counts: the configuration has no size or number %s\n", key);
    exit(2);
}

struct cfg *run_config(const cJSON *config, struct diag *diag)
{
    struct cfg *cfg = cfg_create();
    bool is_good = cfg != NULL;
    for (const cJSON *item = config->child; item && is_good; item = item->next) {
        const cJSON *value = cJSON_GetObjectItem(item, "value");
        char *text = value ? cJSON_PrintUnformatted(value) : NULL, assignment[256];
        if (!text)
            continue;
        bool is_word = cJSON_IsString(value);
        snprintf(assignment, sizeof assignment, "%s=%s", item->string, is_word ? value->valuestring : text);
        is_good = cfg_set(cfg, assignment, diag);
        free(text);
    }
    if (is_good && cfg_check(cfg, diag))
        return cfg;
    cfg_destroy(cfg);
    return NULL;
}

const char *run_word(const cJSON *config, const char *key)
{
    const cJSON *value = cJSON_GetObjectItem(cJSON_GetObjectItem(config, key), "value");
    if (cJSON_IsString(value))
        return value->valuestring;
    fprintf(stderr, "naive_counts: the configuration has no word %s\n", key);
    exit(2);
}
