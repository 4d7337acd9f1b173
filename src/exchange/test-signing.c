/* What the signer refuses by itself, whoever asks: it is the last door, and does not trust the keeper. */
#include "exchange/test-carry.h"

static struct world w;

static int begin(void **state)
{
	world_begin(&w);
	return 0;
}

static int end(void **state)
{
	world_end(&w);
	return 0;
}

static json_t *frame(const char *kind)
{
	json_t *v = sample_frame(kind, sample_body(kind));

	json_put_time(v, "time", the_time);
	return v;
}

/* The act that goes with what is asked; empty: none. */
static struct bytes support;

/* Asks Arcadia's signer for this statement (taken) with approvals by these people. */
static enum reason asked(json_t *v, const char *kind, const enum person *who, size_t count)
{
	const struct kind *k = kind_find(bytes_of(kind));
	struct buf envelopes[4];
	struct bytes approvals[4];
	uint8_t hash[SHA256_BYTES], signature[64];
	struct err why = { 0 };
	AUTO_BUF payload = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	assert_ok(json_write_canonical(v, &payload, e));
	json_decref(v);
	if (k != NULL)
		pae_hash(statement_type(k), buf_bytes(&payload), hash);
	for (size_t i = 0; i < count; i++) {
		buf_init(&envelopes[i], ENVELOPE_BYTES_MAX);
		approval_of(&w.xa, who[i], who[i] == ADA ? APPROVAL_AUTHORITY : people[who[i]].role, "seen", hash, &envelopes[i]);
		approvals[i] = buf_bytes(&envelopes[i]);
	}
	struct signing_item item = { .kind = bytes_of(kind), .payload = buf_bytes(&payload), .approvals = approvals, .approval_count = count,
				     .support = &support, .support_count = support.len > 0 };
	bool ok = signing_statement(w.xa.signing, &item, signature, &why);
	for (size_t i = 0; i < count; i++)
		buf_release(&envelopes[i]);
	assert_int_equal(ok, why.reason == REASON_NONE);
	return why.reason;
}

#define BY(...) (const enum person[]){ __VA_ARGS__ }, sizeof((const enum person[]){ __VA_ARGS__ }) / sizeof(enum person)

static void signs_what_is_in_order(void **state)
{
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA, ILSE)), REASON_NONE);
	assert_int_equal(asked(frame("confirmation"), "confirmation", NULL, 0), REASON_NONE);
}

static void signs_for_its_own_party_only(void **state)
{
	json_t *v = frame("confirmation");

	json_put_text(v, "from", "XR");
	json_put_text(v, "to", "XA");
	assert_int_equal(asked(v, "confirmation", NULL, 0), REASON_WRONG_PARTY);
}

static void signs_no_exercise_at_a_live_home(void **state)
{
	json_t *v = frame("confirmation");

	json_put_bool(v, "exercise", true);
	assert_int_equal(asked(v, "confirmation", NULL, 0), REASON_EXERCISE_IN_LIVE);
}

static void signs_nothing_from_the_future(void **state)
{
	json_t *v = frame("confirmation");

	json_put_time(v, "time", the_time + 60001);
	assert_int_equal(asked(v, "confirmation", NULL, 0), REASON_CLOCK_OFF);
	v = frame("confirmation");
	json_put_time(v, "time", the_time + 60000);
	assert_int_equal(asked(v, "confirmation", NULL, 0), REASON_NONE);
}

static void signs_nothing_that_people_did_not_approve(void **state)
{
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", NULL, 0), REASON_MISSING_APPROVAL);
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA)), REASON_MISSING_APPROVAL);
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(ILSE)), REASON_MISSING_APPROVAL);
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA, ADA)), REASON_BAD_APPROVAL);
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA, RANA)), REASON_BAD_APPROVAL);
	assert_int_equal(asked(frame("order"), "order", BY(FINCH)), REASON_MISSING_APPROVAL);
	json_t *v = frame("order");
	json_put_text(json_object_get(v, "body"), "measure", "disclose");
	assert_int_equal(asked(v, "order", BY(ILSE)), REASON_MISSING_APPROVAL);
}

static void an_approval_by_a_key_that_the_register_does_not_name_counts_for_nothing(void **state)
{
	struct sign_key *own = w.xa.person[ILSE];

	w.xa.person[ILSE] = w.xl.person[ILSE]; /* the same name at another party */
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA, ILSE)), REASON_BAD_APPROVAL);
	w.xa.person[ILSE] = own;
}

/* HOME/approvers with another key for this person; the signer reads it at its start. */
static void approvers_change(enum person who, const struct sign_key *key)
{
	struct sign_key *own = w.xa.person[who];

	signing_free(w.xa.signing);
	w.xa.signing = NULL;
	close(w.xa.cell_fd);
	w.xa.person[who] = (struct sign_key *)(uintptr_t)key;
	home_write(&w.xa);
	w.xa.person[who] = own;
	assert_ok(signer_open(&w.xa, false, e));
	assert_ok(signing_trust(w.xa.signing, buf_bytes(&w.bundle), e));
}

static json_t *disclosure(void)
{
	json_t *v = frame("order"), *body = json_object_get(v, "body");

	json_put_text(body, "measure", "disclose");
	return v;
}

/* The secretariat signs our entry: whom it alone names there, as our court for example, counts for nothing. */
static void whom_only_the_register_names_approves_nothing(void **state)
{
	struct sign_key *other = sign_key_new();

	assert_int_equal(asked(disclosure(), "order", BY(FINCH)), REASON_NONE);
	approvers_change(FINCH, other);
	assert_int_equal(asked(disclosure(), "order", BY(FINCH)), REASON_BAD_APPROVAL);
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA, ILSE)), REASON_NONE);
	/* Nor does the file alone name anybody. */
	struct sign_key *own = w.xa.person[FINCH];
	w.xa.person[FINCH] = other;
	assert_int_equal(asked(disclosure(), "order", BY(FINCH)), REASON_BAD_APPROVAL);
	w.xa.person[FINCH] = own;
	sign_key_free(other);
}

static void nobody_approves_under_a_register_of_thirty_days(void **state)
{
	the_time += REGISTER_STALE_MS;
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA, ILSE)), REASON_NONE);
	the_time += 60000;
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA, ILSE)), REASON_STALE_REGISTER);
	assert_int_equal(asked(frame("confirmation"), "confirmation", NULL, 0), REASON_NONE);
}

/* An order of ours as an act, with the court's approval; its hash in hex. */
static void order_act(const char *to, int64_t expires, struct buf *act, char hex[static 2 * SHA256_BYTES + 1])
{
	struct bytes type = statement_type(kind_find(bytes_of("order")));
	json_t *v = disclosure();
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF payload = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	json_put_text(v, "to", to);
	json_put_time(json_object_get(v, "body"), "expires", expires);
	assert_ok(json_write_canonical(v, &payload, e));
	json_decref(v);
	pae_hash(type, buf_bytes(&payload), hash);
	hex_write(BYTES_ARRAY(hash), hex);
	buf_clear(act);
	buf_add_text(act, "{\"approvals\":[");
	approval_of(&w.xa, FINCH, APPROVAL_COURT, "seen", hash, act);
	buf_add_text(act, "],\"envelope\":");
	assert_ok(envelope_sign(type, buf_bytes(&payload), w.xa.sign, act, e));
	buf_add_text(act, ",\"leaf\":\"\",\"opening\":\"\",\"proof\":\"\",\"x\":\"\"}");
	support = buf_bytes(act);
}

static enum reason evidence_asked(const char *order)
{
	json_t *v = frame("exhibit");

	json_put_text(json_object_get(v, "body"), "order", order);
	return asked(v, "exhibit", BY(CORA));
}

static void evidence_leaves_only_to_whom_a_valid_order_names(void **state)
{
	char hex[2 * SHA256_BYTES + 1];
	AUTO_BUF act = { 0 };

	buf_init(&act, LETTER_BYTES_MAX);
	assert_int_equal(evidence_asked(SAMPLE_HASH), REASON_NO_DISCLOSURE_ORDER);
	order_act("XR", the_time + 1, &act, hex);
	assert_int_equal(evidence_asked(hex), REASON_NONE);
	order_act("XL", the_time + 1, &act, hex);
	assert_int_equal(evidence_asked(hex), REASON_NO_DISCLOSURE_ORDER);
	order_act("XR", the_time, &act, hex);
	assert_int_equal(evidence_asked(hex), REASON_NO_DISCLOSURE_ORDER);
	support = bytes_of(NULL);
}

static void signs_no_trust_root_and_no_kind_that_it_does_not_know(void **state)
{
	assert_int_equal(asked(frame("register-root"), "register-root", NULL, 0), REASON_UNKNOWN_KIND);
	json_t *v = frame("confirmation");
	assert_int_equal(asked(v, "wish", NULL, 0), REASON_UNKNOWN_KIND);
	assert_int_not_equal(asked(frame("confirmation"), "receipt", NULL, 0), REASON_NONE); /* one kind's bytes as another's */
}

static void believes_no_other_register(void **state)
{
	struct world other = w;
	struct buf theirs;
	uint8_t fingerprint[SHA256_BYTES];
	int64_t version;
	size_t entries;
	uint64_t size;
	char hex[2 * SHA256_BYTES + 1];
	AUTO_BUF root = { 0 };

	/* Another secretariat of the same name, with keys of its own. */
	buf_init(&root, ENVELOPE_BYTES_MAX);
	buf_init(&theirs, REGISTER_BYTES_MAX);
	home_begin(&other.xs, "XS", "Secretariat");
	world_root(&other, &root, fingerprint);
	hex_write(BYTES_ARRAY(fingerprint), hex);
	set(&other.xs, CONFIG_trust_root, hex);
	home_write(&other.xs);
	home_open(&other.xs);
	IN(&other.xs, directory_root(other.xs.node, buf_bytes(&root), &version, fingerprint, e));
	slot(&other.xs);
	IN(&other.xs, directory_publish(other.xs.node, &entries, &size, e));
	assert_ok(directory_bundle(other.xs.node, &theirs, e));
	assert_refused(signing_trust(w.xa.signing, buf_bytes(&theirs), e), REASON_ROOT_MISMATCH);
	IN_REFUSED(&w.xa, directory_take(w.xa.node, buf_bytes(&theirs), &entries, NULL, e), REASON_ROOT_MISMATCH);
	buf_release(&theirs);
	home_end(&other.xs);
	assert_ok(signing_trust(w.xa.signing, buf_bytes(&w.bundle), e));
}

/* --- checkpoints ---------------------------------------------------------------------------------------------------- */

/* The checkpoint that a keeper would ask for; `size` and `root` may lie. */
static enum reason checkpoint_asked(uint64_t size, const uint8_t *root, size_t proof_count)
{
	struct signing_extension x = { .size = size, .proof_count = proof_count };
	struct err why = { 0 };
	AUTO_BUF note = { 0 };

	buf_init(&note, NOTE_BYTES_MAX);
	memcpy(x.root, root, SHA256_BYTES);
	bool ok = signing_checkpoint(w.xa.signing, &x, &note, &why);
	assert_int_equal(ok, why.reason == REASON_NONE);
	return why.reason;
}

static void the_same_checkpoint_is_signed_again_the_same(void **state)
{
	const struct checkpoint *last = signing_last(w.xa.signing);

	slot(&w.xa);
	assert_true(last->size > 0);
	assert_int_equal(checkpoint_asked(last->size, last->root, 0), REASON_NONE);
}

static void a_smaller_log_locks(void **state)
{
	struct checkpoint last;

	slot(&w.xa);
	last = *signing_last(w.xa.signing);
	assert_int_equal(checkpoint_asked(last.size - 1, last.root, 0), REASON_LOCKED);
	assert_true(signing_locked(w.xa.signing));
	assert_int_equal(asked(frame("confirmation"), "confirmation", NULL, 0), REASON_LOCKED);
	assert_int_equal(checkpoint_asked(last.size, last.root, 0), REASON_LOCKED);
	signing_unlock(w.xa.signing);
	assert_int_equal(checkpoint_asked(last.size, last.root, 0), REASON_NONE);
	assert_int_equal(checkpoint_asked(last.size - 1, last.root, 0), REASON_LOCKED);
}

static void another_history_is_not_signed(void **state)
{
	struct checkpoint last;

	slot(&w.xa);
	last = *signing_last(w.xa.signing);
	last.root[0] ^= 1;
	assert_int_equal(checkpoint_asked(last.size, last.root, 0), REASON_INCONSISTENT);
	assert_int_not_equal(checkpoint_asked(last.size + 4, last.root, 0), REASON_NONE);
	assert_false(signing_locked(w.xa.signing));
	slot(&w.xa); /* the true one goes on */
}

/* --- the cell ------------------------------------------------------------------------------------------------------------ */

static void cell_overwrite(off_t at)
{
	uint8_t garbage[512];
	int fd = openat(w.xa.dir.fd, "keys/checkpoint", O_WRONLY | O_CLOEXEC);

	memset(garbage, 0xa5, sizeof(garbage));
	assert_int_equal(pwrite(fd, garbage, sizeof(garbage), at), sizeof(garbage));
	close(fd);
}

static void cell_copy(uint8_t out[static 1024], bool back)
{
	int fd = openat(w.xa.dir.fd, "keys/checkpoint", O_RDWR | O_CLOEXEC);

	memset(out, 0, back ? 0 : 1024);
	assert_true((back ? pwrite(fd, out, 1024, 0) : pread(fd, out, 1024, 0)) > 512);
	close(fd);
}

static void a_torn_cell_leaves_the_other_one(void **state)
{
	uint8_t whole[1024];
	uint64_t size;
	struct err why = { 0 };

	slot(&w.xa);
	slot(&w.xa);
	size = signing_last(w.xa.signing)->size;
	home_close(&w.xa);
	cell_copy(whole, false);
	for (off_t half = 0; half < 2; half++) {
		cell_overwrite(half * 512);
		assert_ok(signer_open(&w.xa, false, e));
		uint64_t found = signing_last(w.xa.signing)->size;
		assert_true(found == size || found == size - 4);
		home_close(&w.xa);
		cell_copy(whole, true);
	}
	cell_overwrite(0);
	cell_overwrite(512);
	assert_false(signer_open(&w.xa, false, &why));
	assert_int_equal(why.reason, REASON_INCONSISTENT);
	cell_copy(whole, true);
	home_open(&w.xa);
}

static void an_empty_log_has_the_empty_root(void **state)
{
	const uint8_t root[SHA256_BYTES] = { 1 };

	assert_int_equal(signing_last(w.xa.signing)->size, 0);
	assert_int_equal(checkpoint_asked(0, root, 0), REASON_INCONSISTENT);
}

static void the_cell_of_another_log_is_refused(void **state)
{
	uint8_t theirs[1024];
	struct err why = { 0 };
	int fd = openat(w.xr.dir.fd, "keys/checkpoint", O_RDONLY | O_CLOEXEC);

	slot(&w.xr);
	slot(&w.xr);
	memset(theirs, 0, sizeof(theirs));
	assert_true(pread(fd, theirs, sizeof(theirs), 0) > 0);
	close(fd);
	home_close(&w.xa);
	cell_copy(theirs, true);
	assert_false(signer_open(&w.xa, false, &why));
	assert_int_equal(why.reason, REASON_INCONSISTENT);
}

static void a_restored_home_is_locked_until_it_is_unlocked(void **state)
{
	home_close(&w.xa);
	assert_ok(signer_open(&w.xa, true, e));
	assert_ok(signing_trust(w.xa.signing, buf_bytes(&w.bundle), e));
	assert_true(signing_locked(w.xa.signing));
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA, ILSE)), REASON_LOCKED);
	assert_int_equal(asked(frame("receipt"), "receipt", NULL, 0), REASON_LOCKED);
	signing_unlock(w.xa.signing);
	assert_int_equal(asked(frame("preservation-request"), "preservation-request", BY(RANA, ILSE)), REASON_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CLAIM(signs_what_is_in_order),
		CLAIM(signs_for_its_own_party_only),
		CLAIM(signs_no_exercise_at_a_live_home),
		CLAIM(signs_nothing_from_the_future),
		CLAIM(signs_nothing_that_people_did_not_approve),
		CLAIM(an_approval_by_a_key_that_the_register_does_not_name_counts_for_nothing),
		CLAIM(whom_only_the_register_names_approves_nothing),
		CLAIM(nobody_approves_under_a_register_of_thirty_days),
		CLAIM(evidence_leaves_only_to_whom_a_valid_order_names),
		CLAIM(signs_no_trust_root_and_no_kind_that_it_does_not_know),
		CLAIM(believes_no_other_register),
		CLAIM(the_same_checkpoint_is_signed_again_the_same),
		CLAIM(a_smaller_log_locks),
		CLAIM(another_history_is_not_signed),
		CLAIM(a_torn_cell_leaves_the_other_one),
		CLAIM(an_empty_log_has_the_empty_root),
		CLAIM(the_cell_of_another_log_is_refused),
		CLAIM(a_restored_home_is_locked_until_it_is_unlocked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
