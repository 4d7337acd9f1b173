/* The register as one value in memory: parties in order of their codes, from pins and from at most one
 * bundle (bundle.c). What a person pinned after a telephone call stands above what a bundle says: a
 * bundle's entry for a pinned party is left out, and so is one that uses a pinned party's keys. Pointers
 * to parties live until the next register_load, register_pin or register_free. */
#include "register/register.h"

#include <stdlib.h>
#include <string.h>

#include "log/leaf.h"
#include "log/tlog-proof.h"
#include "register/judge.h"
#include "register/register-internal.h"

struct register_ *register_new(void)
{
	struct register_ *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	return r;
}

void register_free(struct register_ *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++)
		party_free(r->parties[i]);
	policies_release(&r->policies);
	buf_release(&r->note);
	free(r);
}

/* Position of the code, or where it would stand. */
static size_t place_of(const struct register_ *r, struct bytes code, bool *ret_found)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (bytes_compare(bytes_of(r->parties[mid]->code), code) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_found = low < r->count && bytes_is(code, r->parties[low]->code);
	return low;
}

bool register_insert(struct register_ *r, struct party *p, struct err *e)
{
	bool found;
	size_t at = place_of(r, bytes_of(p->code), &found);

	if (found)
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "%s is in the register already", p->code);
	if (r->count == PARTIES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a register holds at most %u parties", PARTIES_MAX);
	memmove(&r->parties[at + 1], &r->parties[at], (r->count - at) * sizeof(r->parties[0]));
	r->parties[at] = p;
	r->count++;
	return true;
}

void register_remove(struct register_ *r, size_t i)
{
	party_free(r->parties[i]);
	r->count--;
	memmove(&r->parties[i], &r->parties[i + 1], (r->count - i) * sizeof(r->parties[0]));
}

size_t register_count(const struct register_ *r)
{
	return r->count;
}

const struct party *register_at(const struct register_ *r, size_t i)
{
	return i < r->count ? r->parties[i] : NULL;
}

const struct party *register_party(const struct register_ *r, struct bytes code)
{
	bool found;
	size_t at = place_of(r, code, &found);

	return found ? r->parties[at] : NULL;
}

const struct party *register_party_by_tls(const struct register_ *r, const uint8_t spki[static SHA256_BYTES])
{
	for (size_t i = 0; i < r->count; i++) {
		if (memcmp(r->parties[i]->tls_spki, spki, SHA256_BYTES) == 0)
			return r->parties[i];
	}
	return NULL;
}

const struct note_key *register_log_key(const struct register_ *r)
{
	return r->has_bundle ? &r->head.log_key : NULL;
}

const char *register_origin(const struct register_ *r)
{
	return r->has_bundle ? r->head.origin : "";
}

uint64_t register_size(const struct register_ *r)
{
	return r->has_bundle ? r->head.size : 0;
}

int64_t register_time(const struct register_ *r)
{
	return r->has_bundle ? r->head.time : 0;
}

const uint8_t *register_root_fingerprint(const struct register_ *r)
{
	return r->has_bundle ? r->head.fingerprint : NULL;
}

bool register_same(const struct register_ *a, const struct register_ *b)
{
	if (a->count != b->count || a->has_bundle != b->has_bundle || a->head.time != b->head.time ||
	    a->head.size != b->head.size || memcmp(a->head.tree, b->head.tree, SHA256_BYTES) != 0 ||
	    memcmp(a->head.root_hash, b->head.root_hash, SHA256_BYTES) != 0)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct party *x = a->parties[i], *y = b->parties[i];

		if (x->pinned != y->pinned || memcmp(x->entry_hash, y->entry_hash, SHA256_BYTES) != 0)
			return false;
	}
	if (a->policies.count != b->policies.count)
		return false;
	for (size_t i = 0; i < a->policies.count; i++)
		if (memcmp(a->policies.at[i].hash, b->policies.at[i].hash, SHA256_BYTES) != 0)
			return false;
	return true;
}

size_t register_missing(const struct register_ *r)
{
	return r->missing;
}

bool register_left_out(const struct register_ *r, struct bytes code)
{
	for (size_t i = 0; i < r->left_out_count; i++) {
		if (bytes_is(code, r->left_out[i]))
			return true;
	}
	return false;
}

bool register_in_force(const struct register_ *r, struct bytes a, struct bytes b, int64_t at_ms)
{
	const struct party *x = register_party(r, a), *y = register_party(r, b);

	return x != NULL && y != NULL && x->in_force_from != 0 && x->in_force_from <= at_ms &&
	       y->in_force_from != 0 && y->in_force_from <= at_ms;
}

/* --- pins -------------------------------------------------------------------------------------- */

const char *party_shares_key(const struct party *a, const struct party *b)
{
	struct party_held x[PARTY_HELD_MAX], y[PARTY_HELD_MAX];
	size_t n = party_all_keys(a, x), m = party_all_keys(b, y);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < m; j++) {
			if (memcmp(x[i].key, y[j].key, SIGN_PUBLIC_BYTES) == 0)
				return x[i].what;
		}
	}
	return NULL;
}

static bool signed_by_itself(const struct act *a, const struct party *p)
{
	for (size_t i = 0; i < p->key_count; i++) {
		if (party_key_valid(p, p->keys[i].key, a->statement->time) &&
		    envelope_signed_by(&a->envelope, p->keys[i].key))
			return true;
	}
	return false;
}

/* A home that has just been set up has no log yet, and the person compared the hash of the statement
 * itself: leaf and proof may be missing, but what is there must be true. */
static bool pin_check(const struct act *a, const struct party *p, const uint8_t *hash, struct err *e)
{
	uint8_t leaf[LEAF_V1_BYTES];
	struct checkpoint cp;
	uint64_t index;

	if (memcmp(a->statement->hash, hash, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_ROOT_MISMATCH,
			       "the entry of %s does not have the fingerprint that was given", p->code);
	if (strcmp(a->statement->from, p->code) != 0)
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY,
			       "%s states an entry for %s: only a self-signed entry can be pinned",
			       a->statement->from, p->code);
	if (!signed_by_itself(a, p))
		return err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "the entry of %s is not signed by a key that it names",
			       p->code);
	if (a->leaf.len == 0)
		return true;
	judge_leaf(a->statement, a->opening, a->x, false, leaf);
	if (!bytes_equal(a->leaf, BYTES_ARRAY(leaf)))
		return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "the leaf of the entry of %s does not rebuild", p->code);
	return a->proof.len == 0 || tlog_proof_check(a->proof, a->leaf, &p->log_key, NULL, &cp, &index, e);
}

/* Puts p in the place of what a bundle said about it, once it is clear that this will work. */
static bool pin_insert(struct register_ *r, struct party *p, struct err *e)
{
	bool found;
	size_t at = place_of(r, bytes_of(p->code), &found);

	for (size_t i = 0; i < r->count; i++) {
		const char *what = found && i == at ? NULL : party_shares_key(p, r->parties[i]);

		if (what != NULL)
			return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "%s and %s have the same %s", p->code,
				       r->parties[i]->code, what);
	}
	if (found)
		register_remove(r, at);
	return register_insert(r, p, e);
}

bool register_pin(struct register_ *r, struct bytes act, const uint8_t hash[static SHA256_BYTES], struct err *e)
{
	struct party *p = NULL;
	AUTO_ACT *a = NULL;

	if (!act_parse(act, &a, e))
		return err_note(e, "pinned entry");
	if (strcmp(a->statement->kind->name, "register-entry") != 0)
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "a %s cannot be pinned, only a register-entry",
			       a->statement->kind->name);
	if (!party_from_json(a->statement->body, &p, e))
		return err_note(e, "pinned entry");
	memcpy(p->entry_hash, a->statement->hash, SHA256_BYTES);
	p->pinned = true;
	if (!pin_check(a, p, hash, e) || !pin_insert(r, p, e)) {
		party_free(p);
		return false;
	}
	return true;
}
