/* Whose keys these are. The package brings the register that was used; the reader brings the fingerprint of
 * a root that he trusts. Without it everything can be shown to fit together, and not who the signers are,
 * so the result says "unconfirmed" and names the fingerprint to compare. A pinned entry speaks for itself
 * only: for the others that it had pinned the party that sealed the package vouches, which is less, and told
 * as less. Beside a register that has, or should have had, an entry of a party, no pin of it is believed. */
#include <string.h>

#include "base/clock.h"
#include "evidence/verify-internal.h"

void verify_bundle(struct verification *v, const char *what, struct bytes bundle, int64_t at_ms)
{
	struct err e = { 0 };
	AUTO_BUF problems = { 0 };

	buf_init(&problems, 64 * KIB);
	if (v->o->root != NULL && register_load(v->r, bundle, v->o->root, at_ms, &problems, &e)) {
		v->bundle_confirmed = v->root_matched = true;
	} else if (v->o->root != NULL && e.reason != REASON_ROOT_MISMATCH) {
		verify_broken_err(v, what, &e);
		return;
	} else if (!register_load(v->r, bundle, NULL, at_ms, &problems, &e)) {
		/* Believed on its own word, so that the rest can still be judged; verify_root says that it is not confirmed. */
		verify_broken_err(v, what, &e);
		return;
	}
	/* Whoever made the package could drop an entry, so that keys of his own stand in for that party. */
	if (register_missing(v->r) > 0)
		verify_broken(v, what, REASON_BAD_REGISTER, "%zu entries that the snapshot lists are missing or false: %.250s",
			      register_missing(v->r), buf_text(&problems));
	else if (problems.len > 0)
		verify_note(v, "register-entries", "entries of the register that do not verify were not used: %.250s",
			    buf_text(&problems));
	verify_check(v, "register", true, "the register names %zu parties and follows from its trust root", register_count(v->r));
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
	if (v->o->root != NULL && memcmp(v->o->root, pin->statement->hash, SHA256_BYTES) == 0)
		v->root_matched = true;
	verify_check(v, "pin", true, "%s is pinned: its entry verifies with its own keys", code);
}

bool verify_confirmed(const struct verification *v, const char *code)
{
	const struct party *p = register_party(v->r, bytes_of(code));

	if (v->o->root == NULL || p == NULL)
		return false;
	return p->pinned ? memcmp(p->entry_hash, v->o->root, SHA256_BYTES) == 0 : v->bundle_confirmed;
}

bool verify_all_confirmed(const struct verification *v)
{
	for (size_t i = 0; i < v->act_count; i++)
		if (!verify_confirmed(v, v->statements[i]->from) ||
		    (v->acts[i].counter_judged && !verify_confirmed(v, v->statements[i]->to)))
			return false;
	return v->act_count > 0 && (v->seal == NULL || verify_confirmed(v, v->seal->statement->from));
}

void verify_root(struct verification *v, const char *what)
{
	if (v->o->root != NULL && !v->root_matched && register_count(v->r) > 0)
		verify_broken(v, what, REASON_ROOT_MISMATCH,
			      "the trust root you gave is not the one that this rests on: the signers are not those you trust");
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
	if (v->o->root == NULL)
		return;
	if (verify_confirmed(v, code))
		verify_check(v, "trust-root", true, "the keys of %s follow from the trust root you gave", code);
	else if (v->root_matched)
		verify_note(v, "trust-root", "the trust root you gave confirms another party's keys, not those of %s", code);
}
