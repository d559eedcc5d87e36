/*
 * Threads of glibc: each adds to one sum under a mutex and to a variable of its own, they meet at a barrier,
 * and a condition variable hands a token round. Needs futexes, thread-local storage and shared memory.
 * usage: threads [THREADS [ROUNDS]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS_MOST 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t all_added;
static unsigned long sum, nr_rounds;
static unsigned int turn, nr_threads;
static __thread unsigned long own_sum;

static void *add_and_pass(void *number_arg)
{
    unsigned int number = *(unsigned int *)number_arg;
    for (unsigned long i = 0; i < nr_rounds; i++) {
        pthread_mutex_lock(&lock);
        sum += number;
        pthread_mutex_unlock(&lock);
        own_sum += number;
    }
    pthread_barrier_wait(&all_added);
    for (unsigned long i = 0; i < nr_rounds; i++) {
        pthread_mutex_lock(&lock);
        while (turn != number)
            pthread_cond_wait(&turn_changed, &lock);
        turn = turn % nr_threads + 1;
        pthread_cond_broadcast(&turn_changed);
        pthread_mutex_unlock(&lock);
    }
    unsigned long *result = malloc(sizeof(*result));
    if (result)
        *result = own_sum;
    return result;
}

int main(int argc, char *argv[])
{
    nr_threads = argc > 1 ? (unsigned int)atoi(argv[1]) : 4;
    nr_rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 100;
    if (nr_threads < 1 || nr_threads > THREADS_MOST) {
        fprintf(stderr, "threads: 1 to %d of them\n", THREADS_MOST);
        return 64;
    }
    pthread_t threads[THREADS_MOST];
    unsigned int numbers[THREADS_MOST];
    turn = 1;
    pthread_barrier_init(&all_added, NULL, nr_threads);
    for (unsigned int i = 0; i < nr_threads; i++) {
        numbers[i] = i + 1;
        int error = pthread_create(&threads[i], NULL, add_and_pass, &numbers[i]);
        if (error) {
            fprintf(stderr, "threads: pthread_create: error %d\n", error);
            return 1;
        }
    }
    unsigned long own_sums = 0;
    for (unsigned int i = 0; i < nr_threads; i++) {
        void *result = NULL;
        if (pthread_join(threads[i], &result) || result == NULL) {
            fprintf(stderr, "threads: thread %u is lost\n", i + 1);
            return 1;
        }
        own_sums += *(unsigned long *)result;
        free(result);
    }
    unsigned long expected = nr_rounds * nr_threads * (nr_threads + 1) / 2;
    printf("threads: %u threads, %lu rounds: sum %lu, own sums %lu, turn of %u: %s\n", nr_threads, nr_rounds,
           sum, own_sums, turn, sum == expected && own_sums == expected && turn == 1 ? "ok" : "FAILED");
    return sum == expected && own_sums == expected && turn == 1 ? 0 : 1;
}
