/* Whom we still have to ask stands in the table pair_recovery; a row goes when its peer has answered. The question and
 * the answer are the same message, each side's count of the other, and both sides act alike: what the other lacks is sent
 * again, what it has and we do not know of makes our numbers go on after it. Mutual TLS says who speaks. */
#include "exchange/pair-recover.h"

#include "base/clock.h"
#include "exchange/lately.h"

#define RETRY_MS_MIN 1000
#define RETRY_MS_MAX 60000

/* --- the message ----------------------------------------------------------------------------------------- */

static bool state_parse(const json_t *v, struct pair_state *ret, struct err *e)
{
	static const uint8_t none[SHA256_BYTES];
	int64_t n;

	if (!json_is_object(v) || json_object_size(v) != 2 || !json_must_int(v, "n", 0, LETTER_NUMBER_MAX, &n, e) ||
	    !json_must_hex(v, "head", ret->head, sizeof(ret->head), e))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "a count of letters has exactly head and n");
	ret->n = (uint64_t)n;
	return n > 0 || memcmp(ret->head, none, sizeof(none)) == 0 ||
	       err_set(e, ERR_INPUT, REASON_BAD_FIELD, "before the first letter the head is zero");
}

bool pair_message_parse(struct bytes in, struct pair_message *ret, struct err *e)
{
	struct pair_message m = { 0 };
	AUTO_JSON *v = NULL;
	struct bytes from;
	int64_t version;

	if (in.len > PAIR_MESSAGE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a count of letters is larger than %u bytes", PAIR_MESSAGE_BYTES_MAX);
	if (!json_parse_canonical(in, "pair", &v, e))
		return false;
	from = json_bytes(v, "from");
	if (!json_is_object(v) || json_object_size(v) != 4 || from.len < 2 || from.len > PARTY_CODE_LEN_MAX)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "pair has exactly from, received, sent and v");
	for (size_t i = 0; i < from.len; i++)
		if (from.at[i] < 'A' || from.at[i] > 'Z')
			return err_set(e, ERR_INPUT, REASON_MALFORMED, "from of a pair is a party's code");
	if (!json_must_int(v, "v", 1, 1, &version, e) || !state_parse(json_object_get(v, "received"), &m.received, e) ||
	    !state_parse(json_object_get(v, "sent"), &m.sent, e))
		return err_note(e, "pair");
	bytes_text(from, m.from, sizeof(m.from));
	*ret = m;
	return true;
}

static json_t *state_json(const struct pair_state *s)
{
	json_t *v = json_object();

	json_put_hex(v, "head", BYTES_ARRAY(s->head));
	json_put_int(v, "n", (int64_t)s->n);
	return v;
}

bool pair_message_write(const struct pair_message *m, struct buf *out, struct err *e)
{
	AUTO_JSON *v = json_object();

	json_put_text(v, "from", m->from);
	json_put(v, "received", state_json(&m->received));
	json_put(v, "sent", state_json(&m->sent));
	json_put_int(v, "v", 1);
	return json_write_canonical(v, out, e) && buf_check(out, "pair", e);
}

static bool message_of(struct node *n, const char *peer, struct buf *out, struct err *e)
{
	struct pair_message m = { 0 };

	snprintf(m.from, sizeof(m.from), "%s", node_party(n));
	return pair_last(n, peer, PAIR_RECEIVED, &m.received, e) && pair_last(n, peer, PAIR_SENT, &m.sent, e) && pair_message_write(&m, out, e);
}

/* --- whom we wait for -------------------------------------------------------------------------------------- */

/* What stands in the column `traffic`. */
enum { RECOVERY_NO_TRAFFIC = 0, RECOVERY_WAITS = 1, RECOVERY_LEFT_OUT = 2 };

static void name_add(char *list, size_t room, struct bytes peer)
{
	size_t used = strlen(list);

	if (used + peer.len + 3 < room)
		snprintf(list + used, room - used, "%s%.*s", used > 0 ? ", " : "", (int)peer.len, (const char *)peer.at);
}

bool pair_recovery_load(struct node *n, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_recovery_list);
	bool found, ok;

	n->recoveries = 0;
	n->recovering[0] = n->left_out[0] = '\0';
	while ((ok = query_row(q, &found, e)) && found) {
		n->recoveries++;
		if (query_int(q, 1) == RECOVERY_WAITS)
			name_add(n->recovering, sizeof(n->recovering), query_bytes(q, 0));
		else if (query_int(q, 1) == RECOVERY_LEFT_OUT)
			name_add(n->left_out, sizeof(n->left_out), query_bytes(q, 0));
	}
	query_end(q);
	return ok;
}

static bool named(const char *const *list, const char *code)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		if (strcmp(list[i], code) == 0)
			return true;
	return false;
}

bool pair_recovery_begin(struct node *n, const char *const *without, struct err *e)
{
	for (size_t i = 0; i < register_count(n->reg); i++) {
		const char *code = register_at(n->reg, i)->code;
		struct pair_state sent, received;
		if (bytes_is(bytes_of(code), node_party(n)))
			continue;
		if (!pair_last(n, code, PAIR_SENT, &sent, e) || !pair_last(n, code, PAIR_RECEIVED, &received, e))
			return false;
		struct query *q = store_query(n->store, QUERY_pair_recovery_put);
		query_bind_text(q, 1, code);
		query_bind_int(q, 2, named(without, code) ? RECOVERY_LEFT_OUT : sent.n > 0 || received.n > 0 ? RECOVERY_WAITS : RECOVERY_NO_TRAFFIC);
		bool ok = query_run(q, e);
		query_end(q);
		if (!ok)
			return false;
	}
	return pair_recovery_load(n, e);
}

bool pair_recovery_waits(struct node *n, const char *peer, bool *ret, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_recovery_get);
	bool ok;

	query_bind_text(q, 1, peer);
	ok = query_row(q, ret, e);
	query_end(q);
	return ok;
}

bool pair_recovery_allows(struct node *n, const struct kind *k, const json_t *body, const char *to, struct err *e)
{
	bool waits = false;

	if (n->recoveries == 0)
		return true;
	if (n->recovering[0] != '\0' && kind_approvals(k, body) != 0)
		return err_set(e, ERR_CONFLICT, REASON_LOCKED, "recovering: waiting for %s to re-send", n->recovering);
	/* A number that the peer may have already would be another letter in the same place. */
	if (k->to == TO_PEER && k->leaf && !pair_recovery_waits(n, to, &waits, e))
		return false;
	return !waits || err_set(e, ERR_CONFLICT, REASON_LOCKED, "recovering: %s has not said yet which letters it has", to);
}

bool pair_recovery_status(struct node *n, json_t *out, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_recovery_list);
	json_t *list = json_array();
	bool found, ok;

	json_put(out, "recovering", list);
	while ((ok = query_row(q, &found, e)) && found) {
		json_t *v = json_object();
		json_put_bytes(v, "peer", query_bytes(q, 0));
		json_put_bool(v, "skipped", query_int(q, 1) == RECOVERY_LEFT_OUT);
		json_put_bool(v, "waits", query_int(q, 1) == RECOVERY_WAITS);
		json_put_bytes(v, "error", query_bytes(q, 2));
		json_array_append_new(list, v);
	}
	query_end(q);
	return ok;
}

/* --- what the other says ----------------------------------------------------------------------------------- */

/* Our letters that they have: what they lack goes again; what they have and we lost is skipped over. */
static bool compare_sent(struct node *n, const char *peer, const struct pair_state *theirs, bool restored, struct err *e)
{
	uint8_t head[SHA256_BYTES];
	struct pair_state ours;
	bool found;

	if (!pair_last(n, peer, PAIR_SENT, &ours, e))
		return false;
	/* Nobody signed this count, and numbers end at 2^53. */
	if (theirs->n > ours.n && restored && theirs->n - ours.n > PAIR_SKIP_MAX)
		return err_set(e, ERR_REJECTED, REASON_BAD_FIELD, "%s says that it has %llu letters of this node, which knows of %llu: that "
			       "cannot be", peer, (unsigned long long)theirs->n, (unsigned long long)ours.n);
	if (theirs->n > ours.n && restored)
		return pair_skip(n, peer, PAIR_SENT, theirs, e);
	if (!pair_head_at(n, peer, PAIR_SENT, theirs->n, head, &found, e))
		return false;
	if (found && memcmp(head, theirs->head, sizeof(head)) == 0)
		return pair_send_again(n, peer, theirs->n, e);
	/* Where a recovery skipped over letters nothing can be compared. */
	if (!found && theirs->n < ours.n)
		return true;
	return pair_dispute(n, peer, "recovery", theirs->n, head, theirs->head, NULL, bytes_of(""), e);
}

static bool compare_received(struct node *n, const char *peer, const struct pair_state *theirs, struct err *e)
{
	uint8_t head[SHA256_BYTES];
	bool found;

	/* More than we have is on its way again; less than we have is for them to ask about. */
	return pair_head_at(n, peer, PAIR_RECEIVED, theirs->n, head, &found, e) &&
	       (!found || memcmp(head, theirs->head, sizeof(head)) == 0 ||
		pair_dispute(n, peer, "recovery", theirs->n, head, theirs->head, NULL, bytes_of(""), e));
}

/* Proofs that it took and lost again; the newest 4096 of all, older ones when it says that they are overdue. */
static bool proofs_again(struct node *n, const char *peer, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_proof_out_recent);

	query_bind_text(q, 1, peer);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

bool pair_asked(struct node *n, struct bytes body, const uint8_t *spki, struct buf *reply, struct err *e)
{
	const struct party *peer = register_party_by_tls(n->reg, spki);
	int64_t now = clock_now_ms();
	struct pair_message m;
	bool restored = false;

	if (!pair_message_parse(body, &m, e))
		return false;
	if (peer == NULL || !bytes_is(bytes_of(peer->code), m.from))
		return err_set(e, ERR_FORBIDDEN, REASON_WRONG_PARTY, "a count of letters of %s, brought by another", m.from);
	if (n->locked)
		return err_set(e, ERR_UNAVAILABLE, REASON_LOCKED, "this node was restored and is not recovered yet; try again later");
	if (lately_within(lately_of(n->lately, peer->code)->pair_ms, now, PAIR_AGAIN_MS_MAX))
		return err_set(e, ERR_UNAVAILABLE, REASON_BUSY, "%s asked a moment ago, and its letters were set to go again; ask again in half "
			       "a minute", peer->code);
	/* It asks before we have asked it: what it has of us we may have lost. */
	bool ok = (n->recoveries == 0 || pair_recovery_waits(n, peer->code, &restored, e)) &&
	       compare_sent(n, peer->code, &m.received, restored, e) && compare_received(n, peer->code, &m.sent, e) &&
	       pair_forget_early(n, peer->code, m.sent.n, e) && proofs_again(n, peer->code, e) && message_of(n, peer->code, reply, e);
	if (ok)
		lately_of(n->lately, peer->code)->pair_ms = now;
	return ok;
}

/* --- asking ------------------------------------------------------------------------------------------------ */

bool pair_question_next(struct node *n, int64_t now_ms, bool (*busy)(void *ctx, const char *peer), void *ctx, struct pair_question *ret,
			bool *ret_found, struct err *e)
{
	const struct party *p = NULL;
	struct query *q;
	bool found, ok = true;

	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->body, PAIR_MESSAGE_BYTES_MAX);
	*ret_found = false;
	if (n->locked || n->recoveries == 0)
		return true;
	q = store_query(n->store, QUERY_pair_recovery_due);
	query_bind_int(q, 1, now_ms);
	while (p == NULL && (ok = query_row(q, &found, e)) && found) {
		p = register_party(n->reg, query_bytes(q, 0));
		if (p != NULL && (p->endpoint[0] == '\0' || busy(ctx, p->code)))
			p = NULL;
	}
	query_end(q);
	if (!ok || p == NULL)
		return ok;
	snprintf(ret->peer, sizeof(ret->peer), "%s", p->code);
	snprintf(ret->url, sizeof(ret->url), "%s/pair", p->endpoint);
	memcpy(ret->pin, p->tls_spki, SHA256_BYTES);
	*ret_found = true;
	return message_of(n, p->code, &ret->body, e);
}

static bool ask_later(struct node *n, const char *peer, const char *error, int64_t now_ms, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_pair_recovery_get);
	bool found, ok;

	query_bind_text(q, 1, peer);
	ok = query_row(q, &found, e);
	int64_t attempts = ok && found ? query_int(q, 0) : 0, wait = RETRY_MS_MIN;
	query_end(q);
	while (attempts-- > 0 && wait < RETRY_MS_MAX)
		wait *= 2;
	q = store_query(n->store, QUERY_pair_recovery_later);
	query_bind_text(q, 1, peer);
	query_bind_int(q, 2, now_ms + (wait < RETRY_MS_MAX ? wait : RETRY_MS_MAX));
	query_bind_text(q, 3, error);
	ok = ok && query_run(q, e);
	query_end(q);
	return ok;
}

bool pair_question_answered(struct node *n, const char *peer, bool http_ok, unsigned status, struct bytes body, const char *error,
			    int64_t now_ms, struct err *e)
{
	struct pair_message m;
	struct err why = { 0 };
	char words[200];

	if (!http_ok || status != 200) {
		if (http_ok)
			snprintf(words, sizeof(words), "the other node answered with status %u", status);
		else
			snprintf(words, sizeof(words), "%s", error);
		return ask_later(n, peer, words, now_ms, e);
	}
	if (!pair_message_parse(body, &m, &why) || !bytes_is(bytes_of(peer), m.from))
		return ask_later(n, peer, why.text[0] != '\0' ? why.text : "the answer is of another party", now_ms, e);
	if (!compare_sent(n, peer, &m.received, true, &why)) {
		if (why.kind == ERR_REJECTED)
			return ask_later(n, peer, why.text, now_ms, e);
		return err_set(e, why.kind, why.reason, "%s", why.text);
	}
	if (!compare_received(n, peer, &m.sent, e))
		return false;
	struct query *q = store_query(n->store, QUERY_pair_recovery_done);
	query_bind_text(q, 1, peer);
	bool ok = query_run(q, e);
	query_end(q);
	return ok && pair_recovery_load(n, e);
}
