/* For the tests of erasure: a request that has ended, its erasure, and what can be read afterwards. */
#ifndef COMITY_EXCHANGE_TEST_ERASING_H
#define COMITY_EXCHANGE_TEST_ERASING_H

#include "exchange/test-restoring.h"

#include "exchange/erase.h"
#include "exchange/key-backup.h"

/* A request that has ended on both sides, everything delivered and proved. */
static inline struct said ended(void)
{
	struct said p = say_request(&w.xa, "XR");
	json_t *body;

	settle(&w.xa, &w.xr);
	body = body_about("answer", &p.id);
	json_put_text(body, "outcome", "withdrawn");
	json_put_text(body, "hold_until", "");
	json_put(body, "conditions", json_array());
	json_put_text(body, "reasons", "the account was closed");
	say(&w.xa, "answer", "XR", &p.id, body, ILSE, ILSE);
	settle(&w.xa, &w.xr);
	assert_state(&w.xa, &p.id, WITHDRAWN);
	assert_state(&w.xr, &p.id, WITHDRAWN);
	return p;
}

static inline bool draft_erasure(struct home *h, const char *to, const struct id *request, struct id *ret, struct err *e)
{
	AUTO_JSON *body = body_about("erasure", request);
	struct draft_new d = { .kind = "erasure", .to = to, .case_ref = "XA-2026-17", .legal_basis = "UNCC", .officer = "", .request = request,
			       .body = body };

	return draft_new(h->node, &d, ret, e);
}

static inline struct said erased_at(struct home *h, const char *to, const struct id *request)
{
	struct said s;

	IN(h, draft_erasure(h, to, request, &s.id, e));
	approve(h, &s.id, RANA);
	approve(h, &s.id, ILSE);
	IN(h, send_draft(h, &s.id, s.hash, e));
	return s;
}

/* Whether our record of this statement can be read, and why not. */
static inline enum reason readable(struct home *h, const uint8_t *hash)
{
	struct err why = { 0 };
	AUTO_BUF out = { 0 };

	buf_init(&out, LETTER_BYTES_MAX);
	return node_act_json(h->node, hash, &out, &why) ? REASON_NONE : why.reason;
}

static inline void assert_erased(struct home *h, const struct said *p)
{
	struct request_row r = request_at(h, &p->id);

	assert_true(r.erased > 0);
	assert_string_equal(r.case_ref, "");
	assert_int_equal(readable(h, p->hash), REASON_ERASED);
}

static inline void back_up_keys(struct home *h, struct seal_identity **ret_identity, char name[static KEY_BACKUP_NAME_LEN + 1])
{
	struct age_recipient to;

	*ret_identity = seal_identity_new();
	seal_identity_recipient(*ret_identity, &to);
	assert_ok(key_backup_make(h->node, &to, 1, name, e));
}

#endif
