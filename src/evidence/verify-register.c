/* Whose keys these are. The package brings the register that was used; the reader brings the fingerprint of
 * a root that he trusts. Without it everything can be shown to fit together, and not who the signers are,
 * so the result says "unconfirmed" and names the fingerprint to compare. A pinned entry speaks for itself
 * only: for the others that it had pinned the party that sealed the package vouches, which is less, and told
 * as less. Beside a register that has, or should have had, an entry of a party, no pin of it is believed. */
#include <string.h>

#include "base/clock.h"
#include "evidence/verify-internal.h"

static const uint8_t *root_at(const struct verification *v, size_t i)
{
	return v->o->roots + i * SHA256_BYTES;
}

static bool is_given(const struct verification *v, const uint8_t fingerprint[static SHA256_BYTES])
{
	for (size_t i = 0; i < v->o->root_count; i++)
		if (memcmp(root_at(v, i), fingerprint, SHA256_BYTES) == 0)
			return true;
	return false;
}

/* Under one of the roots that were given. False with REASON_ROOT_MISMATCH, or without a reason, when it is of none. */
static bool load_confirmed(struct verification *v, struct bytes bundle, int64_t at_ms, struct buf *problems, struct err *e)
{
	for (size_t i = 0; i < v->o->root_count; i++) {
		*e = (struct err){ 0 };
		buf_clear(problems);
		if (register_load(v->r, bundle, root_at(v, i), at_ms, problems, e))
			return true;
		if (e->reason != REASON_ROOT_MISMATCH)
			return false;
	}
	return false;
}

void verify_bundle(struct verification *v, const char *what, struct bytes bundle, int64_t at_ms)
{
	struct err e = { 0 };
	AUTO_BUF problems = { 0 };

	buf_init(&problems, 64 * KIB);
	if (load_confirmed(v, bundle, at_ms, &problems, &e)) {
		v->bundle_confirmed = v->root_matched = true;
	} else if (v->o->root_count > 0 && e.reason != REASON_ROOT_MISMATCH) {
		verify_broken_err(v, what, &e);
		return;
	} else if (!register_load(v->r, bundle, NULL, at_ms, &problems, &e)) {
		/* Believed on its own word, so that the rest can still be judged; verify_root says that it is not confirmed. */
		verify_broken_err(v, what, &e);
		return;
	}
	/* Whoever made the package could drop an entry, so that keys of his own stand in for that party. */
	if (register_missing(v->r) > 0)
		verify_broken(v, what, REASON_BAD_REGISTER, "entries that the snapshot lists and that are missing or false: %zu: %.250s",
			      register_missing(v->r), buf_text(&problems));
	else if (problems.len > 0)
		verify_note(v, "register-entries", "entries of the register that do not verify were not used: %.250s",
			    buf_text(&problems));
	verify_check(v, "register", true, "the register names %zu part%s and follows from its trust root", register_count(v->r),
		     register_count(v->r) == 1 ? "y" : "ies");
}

void verify_pin(struct verification *v, const char *what, const char *code, struct bytes act)
{
	struct err e = { 0 };
	AUTO_ACT *pin = NULL;

	if (!act_parse(act, &pin, &e)) {
		verify_broken_err(v, what, &e);
		return;
	}
	if (strcmp(json_text(pin->statement->body, "code"), code) != 0) {
		verify_broken(v, what, REASON_WRONG_PARTY, "this is the entry of %s", json_text(pin->statement->body, "code"));
		return;
	}
	if (register_party(v->r, bytes_of(code)) != NULL) {
		verify_note(v, "pin", "%s stands in the register; the pinned entry beside it was not used", code);
		return;
	}
	if (register_left_out(v->r, bytes_of(code)) || register_missing(v->r) > 0) {
		verify_note(v, "pin", "the register does not give its entry of %s truly; the pinned entry beside it was not used", code);
		return;
	}
	if (!register_pin(v->r, act, pin->statement->hash, &e)) {
		verify_broken_err(v, what, &e);
		return;
	}
	v->root_matched = v->root_matched || is_given(v, pin->statement->hash);
	verify_check(v, "pin", true, "%s is pinned: its entry verifies with its own keys", code);
}

bool verify_confirmed(const struct verification *v, const char *code)
{
	const struct party *p = register_party(v->r, bytes_of(code));

	return p != NULL && (p->pinned ? is_given(v, p->entry_hash) : v->bundle_confirmed);
}

bool verify_all_confirmed(const struct verification *v)
{
	for (size_t i = 0; i < v->act_count; i++)
		if (!verify_confirmed(v, v->statements[i]->from) ||
		    (v->acts[i].counter_judged && !verify_confirmed(v, v->statements[i]->to)))
			return false;
	return v->act_count > 0 && (v->seal == NULL || verify_confirmed(v, v->seal->statement->from));
}

static bool is_used(const struct verification *v, const uint8_t fingerprint[static SHA256_BYTES])
{
	const uint8_t *root = register_root_fingerprint(v->r);

	for (size_t i = 0; i < register_count(v->r); i++)
		if (register_at(v->r, i)->pinned && memcmp(register_at(v->r, i)->entry_hash, fingerprint, SHA256_BYTES) == 0)
			return true;
	return root != NULL && memcmp(root, fingerprint, SHA256_BYTES) == 0;
}

void verify_root(struct verification *v, const char *what)
{
	if (v->o->root_count > 0 && !v->root_matched && register_count(v->r) > 0)
		verify_broken_first(v, what, REASON_ROOT_MISMATCH,
				    v->o->root_count == 1 ? "the fingerprint you gave is not that of the trust root on which this rests" :
							    "none of the fingerprints you gave is that of a trust root on which this rests");
	for (size_t i = 0; v->root_matched && i < v->o->root_count; i++) {
		char hex[2 * SHA256_BYTES + 1];

		if (!is_used(v, root_at(v, i))) {
			hex_write(bytes_from(root_at(v, i), SHA256_BYTES), hex);
			verify_note(v, "trust-root", "the fingerprint %.16s that you gave is of nothing that is here", hex);
		}
	}
}

void verify_fingerprint(struct verification *v, const char *code)
{
	const struct party *p = register_party(v->r, bytes_of(code));
	const uint8_t *root = register_root_fingerprint(v->r);

	if (p != NULL && p->pinned)
		root = p->entry_hash;
	if (root != NULL)
		json_put_hex(v->report, "fingerprint", bytes_from(root, SHA256_BYTES));
	json_put_text(v->report, "fingerprint_of", p != NULL && p->pinned ? p->code : "");
	if (verify_confirmed(v, code))
		verify_check(v, "trust-root", true, p->pinned ? "the keys of %s stand in the pinned entry whose fingerprint you gave" :
							"the keys of %s follow from the trust root you gave", code);
	else if (v->root_matched)
		verify_note(v, "trust-root", "the trust root you gave confirms another party's keys, not those of %s", code);
}
