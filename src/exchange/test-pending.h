/* For the tests of proof-pending: two parties, a policy of two of three witnesses, and a quorum that is missed and met again. */
#ifndef COMITY_EXCHANGE_TEST_PENDING_H
#define COMITY_EXCHANGE_TEST_PENDING_H

#include "exchange/test-witnesses.h"

#include "exchange/pending.h"
#include "exchange/test-restoring.h"

static inline int witnessed(void **state)
{
	witnessed_world_begin(&w);
	policy_two_of_three(&w, "XA");
	return 0;
}

static inline int witnessed_end(void **state)
{
	witnessed_world_end(&w);
	return 0;
}

/* As the keeper does: what was noted is kept before the letters leave. */
static inline bool carry_kept(struct home *from, struct home *to)
{
	struct outbox_job j;
	struct err why;
	AUTO_BUF reply = { 0 };

	buf_init(&reply, LETTER_BATCH_BYTES_MAX);
	IN(from, outbox_next(from->node, OUTBOX_LETTERS, the_time, nobody_is_busy, NULL, &j, e));
	bool any = j.count > 0;
	if (any) {
		unsigned status = receive_at(to, buf_bytes(&j.body), from->tls, &reply, &why);
		answered(from, &j, status, buf_bytes(&reply));
	}
	outbox_job_release(&j);
	return any;
}

static inline int64_t pending(struct home *h, const char *what)
{
	AUTO_JSON *v = pending_status(h->node, the_time);

	return json_int(v, what);
}

/* The quorum has been missed for a minute. */
static inline void miss(void)
{
	all_dead(true);
	cosigned_slot(&w.xa);
	cosigned_slot(&w.xa);
	cosigned_slot(&w.xa);
	assert_true(cosigning_missed_since(w.xa.node) != 0);
}

static inline void met_again(void)
{
	all_dead(false);
	the_time += 20000;
	ask_witnesses(&w.xa);
	assert_int_equal(cosigning_missed_since(w.xa.node), 0);
}

#endif
