#include "cpu/stop_points.h"

#include "cpu/cpu_internal.h"

/*
 * Fronts of watched pages have another tag, and accesses go the long way. They are not dropped: the paging
 * unit is asked as often as without points.
 */
static void mark_fronts(struct cpu *cpu)
{
    for (unsigned i = 0; i < cpu->nr_used_fronts; i++) {
        struct front *front = &cpu->data_front[cpu->used_front[i]];
        for (unsigned kind = 0; kind < NR_FRONT_KINDS; kind++) {
            if (front->tag[kind] == FRONT_NO_PAGE)
                continue;
            uint64_t page = front->tag[kind] & ~FRONT_WATCHED;
            front->tag[kind] = page | (stop_watches_page(cpu, page) ? FRONT_WATCHED : 0);
        }
    }
}

void cpu_set_points(struct cpu *cpu, const struct cpu_point *points, unsigned nr_points)
{
    struct stop_points *stops = &cpu->stops;
    stops->nr_points = nr_points < CPU_MAX_POINTS ? nr_points : CPU_MAX_POINTS;
    stops->has_data_points = stops->is_met = false;
    for (unsigned i = 0; i < stops->nr_points; i++) {
        stops->point[i] = points[i];
        stops->has_data_points |= points[i].kind != CPU_POINT_EXECUTE;
    }
    mark_fronts(cpu);
}

const struct cpu_point *cpu_points(const struct cpu *cpu, unsigned *nr_points)
{
    *nr_points = cpu->stops.nr_points;
    return cpu->stops.point;
}

static uint64_t next_instruction(const struct cpu *cpu)
{
    return cpu_code_linear(cpu, cpu->rip);
}

void cpu_pass_point(struct cpu *cpu)
{
    cpu->stops.is_passed = true;
    cpu->stops.passed_at = next_instruction(cpu);
    cpu->stops.passed_number = cpu->stats.instructions;
}

bool cpu_take_met_point(struct cpu *cpu, struct cpu_point *met)
{
    *met = cpu->stops.met;
    bool is_met = cpu->stops.is_met;
    cpu->stops.is_met = false;
    return is_met;
}

bool stop_is_at_point(const struct cpu *cpu)
{
    const struct stop_points *stops = &cpu->stops;
    uint64_t at = next_instruction(cpu);
    bool is_passed =
        stops->is_passed && stops->passed_at == at && stops->passed_number == cpu->stats.instructions;
    if (cpu->is_mid_insn || is_passed)
        return false;
    for (unsigned i = 0; i < stops->nr_points; i++)
        if (stops->point[i].kind == CPU_POINT_EXECUTE && stops->point[i].at.v == at)
            return true;
    return false;
}

bool stop_is_near_point(const struct cpu *cpu, uint64_t linear, uint64_t size_bytes)
{
    const struct stop_points *stops = &cpu->stops;
    for (unsigned i = 0; i < stops->nr_points; i++)
        if (stops->point[i].kind == CPU_POINT_EXECUTE &&
            ((stops->point[i].at.v - linear) & cpu->linear_mask) < size_bytes)
            return true;
    return false;
}

bool stop_watches_page(const struct cpu *cpu, uint64_t page)
{
    const struct stop_points *stops = &cpu->stops;
    for (unsigned i = 0; stops->has_data_points && i < stops->nr_points; i++) {
        const struct cpu_point *point = &stops->point[i];
        uint64_t last = point->at.v + point->size_bytes - 1;
        if (point->kind != CPU_POINT_EXECUTE && page >= point->at.v >> PAGE_SHIFT &&
            page <= last >> PAGE_SHIFT)
            return true;
    }
    return false;
}

static bool waits_for(enum cpu_point_kind kind, bool is_write)
{
    return kind == CPU_POINT_ACCESS || kind == (is_write ? CPU_POINT_WRITE : CPU_POINT_READ);
}

/* The first one met is told of. */
void stop_note_access(struct cpu *cpu, uint64_t linear, unsigned size_bytes, bool is_write)
{
    struct stop_points *stops = &cpu->stops;
    for (unsigned i = 0; i < stops->nr_points && !stops->is_met; i++) {
        const struct cpu_point *point = &stops->point[i];
        bool overlaps = linear - point->at.v < point->size_bytes || point->at.v - linear < size_bytes;
        if (!waits_for(point->kind, is_write) || !overlaps)
            continue;
        stops->is_met = true;
        stops->met = *point;
        stops->met.at = laddr(linear > point->at.v ? linear : point->at.v);
    }
}
