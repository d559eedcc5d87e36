/* The kernel's own crash test. */
#pragma once

/* Breaks in the named way; NULL: not at all. */
void lkdtm(const char *what);
