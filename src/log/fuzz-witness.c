/* add-checkpoint calls from outside: whatever comes, the stored state moves only with a checkpoint that the log of that
 * name has signed, which no fuzzer has; and a call that is written is one that is understood. */
#include <stdlib.h>
#include <string.h>

#include "log/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct note_key *log_key(void *ctx, const char *origin)
{
	struct note_key *k = ctx;

	/* Every name is watched, with one key that nobody holds. */
	static const uint8_t public_key[SIGN_PUBLIC_BYTES] = { 9 };
	note_key_make(origin, NOTE_ED25519, public_key, k);
	return k;
}

static bool get(void *ctx, const char *origin, struct witness_state *ret, bool *ret_found, struct err *e)
{
	abort(); /* asked only after a signature was verified */
}

static bool put(void *ctx, const char *origin, const struct witness_state *was, const struct witness_state *now, struct bytes note,
		struct err *e)
{
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sign_key *key;
	struct note_key log;
	struct witness_store s = { .ctx = &log, .get = get, .put = put, .log_key = log_key };
	struct witness_answer a = { 0 };
	struct err e;

	if (key == NULL)
		key = sign_key_new();
	witness_add_checkpoint(&s, "witness.example", key, 1, bytes_from(data, size), &a, &e);
	if ((a.status != 400 && a.status != 403) || strcmp(a.content_type, "text/plain; charset=utf-8") != 0 || !buf_ok(&a.body))
		abort();
	buf_release(&a.body);
	return 0;
}
