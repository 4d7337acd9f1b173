/* A letter: acts for one addressee, the first the one that it is about, the others in support (the
 * order with the court's approval, custody events). On its way it is an age file; inside is canonical
 * JSON {"acts":[...],"from":"XA","pair":{"n":3,"prev":64 hex},"to":"XR","v":1}. Between nodes letters travel in batches:
 * u32 length and bytes, one after the other, at most LETTER_BATCH_MAX. */
#ifndef COMITY_STATEMENT_LETTER_H
#define COMITY_STATEMENT_LETTER_H

#include "seal/age.h"
#include "statement/act.h"

/* Which letter of its sender to its addressee it is, from 1, and the head of the chain before it (exchange/pairs.h).
 * Letters about what has no leaf are not counted: n 0, prev "". */
struct letter_pair {
	uint64_t n;
	uint8_t prev[SHA256_BYTES];
};

struct letter {
	const char *from, *to;
	struct letter_pair pair;
	struct act *acts[LETTER_ACTS_MAX];
	size_t act_count; /* at least 1 */
	json_t *json;
};
bool letter_parse(struct bytes plain, struct letter **ret, struct err *e) MUST_USE;
void letter_free(struct letter *l);
void letter_free_at(struct letter **l);
#define AUTO_LETTER __attribute__((cleanup(letter_free_at))) struct letter

/* acts: canonical act JSON each. Appends the plaintext; then the sealed form of it. */
bool letter_write(const char *from, const char *to, const struct letter_pair *pair, const struct bytes *acts, size_t n,
		  struct buf *out, struct err *e) MUST_USE;
bool letter_seal(struct bytes plain, const struct age_recipient *to, struct buf *out, struct err *e) MUST_USE;

#endif
