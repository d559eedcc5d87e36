/* For tests without processes: what a task remembers of the CPU. */
#pragma once

struct thread_struct {
    char unused;
};
