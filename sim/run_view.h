/* What `lookaside run` shows while it runs: the window of --view, and the picture of --screenshot. */
#ifndef LK_SIM_RUN_VIEW_H
#define LK_SIM_RUN_VIEW_H

#include "sim/machine.h"
#include "sim/run_options.h"
#include "sim/run_symbols.h"

struct run_view;

/*
 * None of --view, --screenshot and --record: returns NULL, and all is well. On failure adds a line and
 * returns NULL too. The options, the machine and the symbols outlive it.
 */
struct run_view *run_view_create(const struct run_options *options, struct machine *machine,
                                 struct run_symbols *symbols, struct diag *diag);
void run_view_destroy(struct run_view *view);

/* A byte that the guest wrote to COM1. NULL is fine, here and below. */
void run_view_put(struct run_view *view, uint8_t byte);

/* A marker of the guest's with a text. */
void run_view_mark(struct run_view *view, const char *text);

/*
 * Where a slice that begins at `now` should end at the latest, so that the window moves and the picture is in
 * time.
 */
cycle_t run_view_next_stop(const struct run_view *view, cycle_t now);

/*
 * Between two slices: redraws, does what the user asks, and stays here while the run is paused and cycle
 * `due` has not come, beyond which the user's steps do not go. False: the user quits.
 */
bool run_view_update(struct run_view *view, cycle_t due, struct diag *diag);

/* The user's steps are all that runs. */
bool run_view_is_paused(const struct run_view *view);

/*
 * The run has ended: the picture that was asked for at the end; a window stays open until the user closes it.
 */
void run_view_finish(struct run_view *view, struct diag *diag);

#endif
