/* Random numbers that come again at every run. */
#pragma once

/* 0 to limit - 1. */
unsigned int random_below(unsigned int limit);
