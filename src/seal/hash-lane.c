/* One thread, one block at a time. The owner and the thread share a mutex and nothing else: while
 * `working` is set the thread owns the hash state and the block, otherwise the owner does. */
#define OPENSSL_SUPPRESS_DEPRECATED /* why SHA256_Update: see base/text-hash.c */
#include "seal/hash-lane.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct hash_lane {
	SHA256_CTX sha;
	struct bytes block;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool threaded, working, quit;
};

static void must(bool ok)
{
	if (!ok)
		abort(); /* a lock of our own fails only when it is misused */
}

static void *lane_main(void *ctx)
{
	struct hash_lane *l = ctx;

	must(pthread_mutex_lock(&l->lock) == 0);
	for (;;) {
		while (!l->working && !l->quit)
			must(pthread_cond_wait(&l->changed, &l->lock) == 0);
		if (!l->working)
			break;
		must(pthread_mutex_unlock(&l->lock) == 0);
		must(SHA256_Update(&l->sha, l->block.at, l->block.len) == 1);
		must(pthread_mutex_lock(&l->lock) == 0);
		l->working = false;
		must(pthread_cond_signal(&l->changed) == 0);
	}
	must(pthread_mutex_unlock(&l->lock) == 0);
	return NULL;
}

struct hash_lane *hash_lane_new(void)
{
	struct hash_lane *l = calloc(1, sizeof(*l));

	must(l != NULL && SHA256_Init(&l->sha) == 1 && pthread_mutex_init(&l->lock, NULL) == 0 &&
	     pthread_cond_init(&l->changed, NULL) == 0);
	return l;
}

void hash_lane_thread(struct hash_lane *l)
{
	sigset_t all, before;

	if (l->threaded)
		return;
	/* Signals are for the main thread. */
	sigfillset(&all);
	must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	l->threaded = pthread_create(&l->thread, NULL, lane_main, l) == 0;
	must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

void hash_lane_feed(struct hash_lane *l, struct bytes in)
{
	if (!l->threaded) {
		must(SHA256_Update(&l->sha, in.at, in.len) == 1);
		return;
	}
	must(pthread_mutex_lock(&l->lock) == 0);
	while (l->working)
		must(pthread_cond_wait(&l->changed, &l->lock) == 0);
	l->block = in;
	l->working = true;
	must(pthread_cond_signal(&l->changed) == 0);
	must(pthread_mutex_unlock(&l->lock) == 0);
}

/* The thread finishes the block that it has. */
static void lane_join(struct hash_lane *l)
{
	if (!l->threaded)
		return;
	must(pthread_mutex_lock(&l->lock) == 0);
	l->quit = true;
	must(pthread_cond_signal(&l->changed) == 0);
	must(pthread_mutex_unlock(&l->lock) == 0);
	must(pthread_join(l->thread, NULL) == 0);
	l->threaded = false;
}

void hash_lane_final(struct hash_lane *l, uint8_t ret[static SHA256_BYTES])
{
	lane_join(l);
	must(SHA256_Final(ret, &l->sha) == 1);
}

void hash_lane_free(struct hash_lane *l)
{
	if (l == NULL)
		return;
	lane_join(l);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
