/* A letter: acts for one addressee, the first the one that it is about, the others in support (the
 * order with the court's approval, custody events). On its way it is an age file; inside is canonical
 * JSON {"acts":[...],"from":"XA","pair":{"n":3,"prev":64 hex},"to":"XR","v":1}; pair has a member "gone" before the others
 * where it is needed. Between nodes letters travel in batches:
 * u32 length and bytes, one after the other, at most LETTER_BATCH_MAX. */
#ifndef COMITY_STATEMENT_LETTER_H
#define COMITY_STATEMENT_LETTER_H

#include "seal/age.h"
#include "statement/act.h"

/* Which letter of its sender to its addressee it is, from 1, and the head of the chain before it (exchange/pairs.h).
 * Letters about what has no leaf are not counted: n 0, prev "". gone: hashes of the statements in the places right before
 * this one, the oldest first, when their content is erased: who lost those letters goes on after them. */
struct letter_pair {
	uint64_t n;
	uint8_t prev[SHA256_BYTES];
	size_t gone_count;
	uint8_t gone[LETTER_GONE_MAX][SHA256_BYTES];
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

/* What stands around acts that this program cannot read, as a newer one sends them: enough to reject a letter in its
 * place. Whether the envelope is signed is the caller's to ask; the id is the sender's word. */
struct letter_around {
	char from[PARTY_CODE_LEN_MAX + 1], to[PARTY_CODE_LEN_MAX + 1];
	struct letter_pair pair;
	struct envelope main; /* of the first act */
	struct id id;
	bool has_id;
};
/* ret must be zeroed or released; on failure it is left released. */
bool letter_around_parse(struct bytes plain, struct letter_around *ret, struct err *e) MUST_USE;
void letter_around_release(struct letter_around *l);
#define AUTO_LETTER_AROUND __attribute__((cleanup(letter_around_release))) struct letter_around

/* acts: canonical act JSON each. Appends the plaintext; then the sealed form of it. */
bool letter_write(const char *from, const char *to, const struct letter_pair *pair, const struct bytes *acts, size_t n,
		  struct buf *out, struct err *e) MUST_USE;
bool letter_seal(struct bytes plain, const struct age_recipient *to, struct buf *out, struct err *e) MUST_USE;

#endif
