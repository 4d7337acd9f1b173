/* For tests: a signed act of a sample, with as many approvals as asked for. */
#ifndef COMITY_STATEMENT_TEST_ACTS_H
#define COMITY_STATEMENT_TEST_ACTS_H

#include "statement/act.h"
#include "statement/test-samples.h"

#define SAMPLE_LEAF "{\"c\":\"a\",\"k\":\"b\",\"t\":\"c\",\"v\":1}" /* any text: its truth is judged elsewhere */

/* frame is taken. A new reference: change it, then write it. */
static inline json_t *sample_act(json_t *frame, size_t approval_count)
{
	const struct kind *k = kind_find(json_bytes(frame, "kind"));
	struct sign_key *key = sign_key_new();
	json_t *act = json_object(), *approvals = json_array(), *envelope = NULL;
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF payload = { 0 }, out = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&out, ENVELOPE_BYTES_MAX);
	if (!json_write_canonical(frame, &payload, NULL) ||
	    !envelope_sign(statement_type(k), buf_bytes(&payload), key, &out, NULL) ||
	    !json_parse(buf_bytes(&out), "envelope", &envelope, NULL))
		abort();
	pae_hash(statement_type(k), buf_bytes(&payload), hash);
	for (size_t i = 0; i < approval_count; i++) {
		json_t *approval = NULL;

		buf_clear(&out);
		if (!approval_make(key, "Rana Vale", APPROVAL_REVIEWER, "seen", hash, SAMPLE_NOW, &out, NULL) ||
		    !json_parse(buf_bytes(&out), "approval", &approval, NULL) ||
		    json_array_append_new(approvals, approval) != 0)
			abort();
	}
	json_put(act, "approvals", approvals);
	json_put(act, "envelope", envelope);
	json_put_text(act, "leaf", k->leaf ? SAMPLE_LEAF : "");
	json_put_text(act, "opening", k->leaf ? SAMPLE_HASH : "");
	json_put_text(act, "proof", "");
	json_put_text(act, "x", k->leaf ? SAMPLE_HASH_2 : "");
	sign_key_free(key);
	json_decref(frame);
	return act;
}

static inline json_t *sample_act_of(const char *kind, size_t approval_count)
{
	return sample_act(sample_frame(kind, sample_body(kind)), approval_count);
}

#endif
