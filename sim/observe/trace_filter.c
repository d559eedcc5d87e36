#include "sim/observe/trace_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[NR_TRACE_KINDS] = {
    [TRACE_INSN] = "instructions", [TRACE_TRANSLATION] = "translations",
    [TRACE_ACCESS] = "accesses",   [TRACE_EXCEPTION] = "exceptions",
    [TRACE_CONTROL] = "controls",  [TRACE_REQUEST] = "requests",
    [TRACE_DEVICE] = "devices",    [TRACE_MARK] = "marks",
};

struct trace_filter trace_filter_of_all(void)
{
    return (struct trace_filter){.kinds = (1u << NR_TRACE_KINDS) - 1, .last = laddr(UINT64_MAX)};
}

bool trace_filter_parse_kinds(struct trace_filter *filter, const char *where, const char *text,
                              struct diag *diag)
{
    filter->kinds = 0;
    for (const char *at = text;;) {
        size_t length = strcspn(at, ",");
        unsigned kind = 0;
        while (kind < NR_TRACE_KINDS &&
               (strlen(names[kind]) != length || strncmp(at, names[kind], length) != 0))
            kind++;
        if (kind == NR_TRACE_KINDS)
            return diag_add(diag, EXIT_STATUS_USAGE,
                            "%s: '%.*s' is no kind of record; allowed: instructions, translations, accesses, "
                            "exceptions, controls, requests, devices, marks, with commas between them",
                            where, (int)(length < 80 ? length : 80), at);
        filter->kinds |= 1u << kind;
        if (!at[length])
            return true;
        at += length + 1;
    }
}

static bool parse_number(const char *text, char end, const char **rest, uint64_t *value)
{
    char *after;
    errno = 0;
    *value = strtoull(text, &after, 0);
    *rest = *after ? after + 1 : after;
    return text[0] >= '0' && text[0] <= '9' && errno == 0 && after != text && *after == end;
}

bool trace_filter_parse_address(struct trace_filter *filter, const char *where, const char *text,
                                struct diag *diag)
{
    const char *second, *end;
    if (!parse_number(text, '-', &second, &filter->first.v) ||
        !parse_number(second, 0, &end, &filter->last.v) || filter->first.v > filter->last.v)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "%s: '%s': allowed: two addresses, the lower one first, such as "
                        "0xc0100000-0xc01fffff",
                        where, text);
    return true;
}

static bool has(const struct trace_filter *filter, uint64_t linear)
{
    return linear >= filter->first.v && linear <= filter->last.v;
}

bool trace_filter_takes(const struct trace_filter *filter, const struct trace_record *record)
{
    if (!(filter->kinds >> record->kind & 1))
        return false;
    switch (record->kind) {
    case TRACE_INSN:
        return has(filter, record->insn.linear.v);
    case TRACE_TRANSLATION:
        return has(filter, record->translation.linear.v);
    case TRACE_ACCESS:
        return has(filter, record->access.linear.v);
    case TRACE_EXCEPTION:
        return has(filter, record->exception.rip) ||
               (record->exception.cr2 && has(filter, record->exception.cr2));
    case TRACE_REQUEST:
        return has(filter, record->request.ip);
    case TRACE_CONTROL:
    case TRACE_DEVICE:
    case TRACE_MARK:
    case NR_TRACE_KINDS:
        break;
    }
    return true;
}
