/* Verbs about this home: how it stands, backup, doctor, recovery. */
#include "api/api-internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "exchange/audit-log.h"
#include "exchange/audit.h"
#include "exchange/closings.h"
#include "exchange/cosigning.h"
#include "exchange/directory.h"
#include "exchange/key-backup.h"
#include "exchange/overdue.h"
#include "exchange/pair-recover.h"
#include "exchange/pending.h"
#include "exchange/recover.h"

/* House policy: an order is renewed at the latest this long before it ends. */
#define ORDER_WARN_DAYS 10

static bool count_of(struct node *n, enum query_name name, json_t *out, const char *key, struct err *e)
{
	struct query *q = store_query(n->store, name);
	bool found, ok = query_row(q, &found, e);

	if (ok)
		json_put_int(out, key, found ? query_int(q, 0) : 0);
	query_end(q);
	return ok;
}

static bool put_undelivered(struct api_call *c, struct err *e)
{
	struct query *q = store_query(c->node->store, QUERY_outbox_waiting);
	json_t *list = json_array();
	int64_t late_ms = config_count(&c->node->config, undelivered_s) * 1000;
	bool found, ok;

	json_put(c->out, "undelivered", list);
	while ((ok = query_row(q, &found, e)) && found) {
		char peer[PARTY_CODE_LEN_MAX + 1] = "";
		struct bytes code = query_bytes(q, 1);
		if (clock_now_ms() - query_int(q, 2) < late_ms || code.len > PARTY_CODE_LEN_MAX)
			continue;
		memcpy(peer, code.at, code.len);
		json_t *v = json_object();
		json_put_hex(v, "id", query_bytes(q, 0));
		json_put_text(v, "peer", peer);
		json_put_time(v, "since", query_int(q, 2));
		json_put_bytes(v, "last_error", query_bytes(q, 3));
		json_put_bytes(v, "kind", query_bytes(q, 4));
		struct bytes hash = query_bytes(q, 5);
		bool waits = hash.len == SHA256_BYTES && cosigning_waits(c->node, hash.at, peer);
		json_put_text(v, "state", waits ? "waits for witnesses" : "undelivered");
		json_put_text(v, "call", call_number(c->node, peer));
		json_array_append_new(list, v);
	}
	query_end(q);
	return ok;
}

/* Domestic orders that end soon while the data must be kept: to be renewed (25(2), 42(8)). */
static bool put_orders_ending(struct api_call *c, struct err *e)
{
	struct query *q = store_query(c->node->store, QUERY_request_orders_ending);
	int64_t now = clock_now_ms();
	json_t *list = json_array();
	bool found, ok;

	json_put(c->out, "orders_ending", list);
	query_bind_int(q, 1, now + ORDER_WARN_DAYS * DAY_MS);
	while ((ok = query_row(q, &found, e)) && found) {
		json_t *v = json_object();
		json_put_hex(v, "id", query_bytes(q, 0));
		json_put_bytes(v, "peer", query_bytes(q, 1));
		json_put_time(v, "expires", query_int(q, 2));
		json_put_bool(v, "over", query_int(q, 2) <= now);
		json_array_append_new(list, v);
	}
	query_end(q);
	return ok;
}

static void put_letters(const struct node *n, json_t *out)
{
	json_t *v = json_object();

	json_put_int(v, "delivered", (int64_t)n->receipts.count);
	json_put_int(v, "receipt_ms_p50", (latency_quantile_us(&n->receipts, 500) + 999) / 1000);
	json_put_int(v, "receipt_ms_p99", (latency_quantile_us(&n->receipts, 990) + 999) / 1000);
	json_put(out, "letters", v);
}

/* Letters that were not accepted, by peer, day and reason: a peer that is out of step, or somebody who tries. */
static bool put_rejections(struct api_call *c, struct err *e)
{
	struct query *q = store_query(c->node->store, QUERY_reject_count_list);
	json_t *list = json_array();
	bool found, ok;

	json_put(c->out, "rejections", list);
	while ((ok = query_row(q, &found, e)) && found) {
		json_t *v = json_object();
		json_put_bytes(v, "peer", query_bytes(q, 0));
		json_put_bytes(v, "day", query_bytes(q, 1));
		json_put_bytes(v, "reason", query_bytes(q, 2));
		json_put_int(v, "count", query_int(q, 3));
		json_array_append_new(list, v);
	}
	query_end(q);
	return ok;
}

/* signs false and why empty: it was not heard yet, or has just ended. */
static void put_witness(const struct node *n, json_t *out)
{
	json_t *w = json_object();

	json_put_text(w, "name", n->identity.has_witness ? n->identity.witness.name : "");
	json_put_bool(w, "signs", n->witness.signs);
	json_put_text(w, "why", n->witness.why);
	json_put(out, "witness", w);
}

bool verb_status(struct api_call *c, struct err *e)
{
	struct node *n = c->node;
	json_t *log = json_object(), *reg = json_object();

	json_put_text(c->out, "party", node_party(n));
	json_put_text(c->out, "name", config_text(&n->config, name));
	json_put_bool(c->out, "exercise", node_exercise(n));
	json_put_bool(c->out, "locked", n->locked);
	json_put_text(c->out, "locked_why", n->locked_why);
	json_put_text(c->out, "version", COMITY_VERSION);
	json_put_time(c->out, "time", clock_now_ms());
	json_put_text(log, "origin", log_origin(n->log));
	json_put_int(log, "size", (int64_t)log_size(n->log));
	json_put_bytes(log, "note", buf_bytes(&cosigning_proved(n)->note));
	json_put(c->out, "log", log);
	json_put_text(reg, "origin", register_origin(n->reg));
	json_put_int(reg, "size", (int64_t)register_size(n->reg));
	put_time(reg, "time", register_time(n->reg));
	json_put_text(reg, "state", directory_state(n));
	json_put_int(reg, "parties", (int64_t)register_count(n->reg));
	json_put(c->out, "register", reg);
	put_letters(n, c->out);
	json_put(c->out, "witnesses", cosigning_status(n));
	json_put(c->out, "pending", pending_status(n, clock_now_ms()));
	put_witness(n, c->out);
	return count_of(n, QUERY_count_open_requests, c->out, "requests_open", e) &&
	       count_of(n, QUERY_outbox_count, c->out, "outbox_waiting", e) &&
	       count_of(n, QUERY_receipt_proofs_waiting, c->out, "proofs_waiting", e) &&
	       count_of(n, QUERY_proof_out_count, c->out, "proofs_owed", e) &&
	       count_of(n, QUERY_page_waiting, c->out, "pages_waiting", e) &&
	       count_of(n, QUERY_leaf_queue_count, c->out, "leaves_waiting", e) && put_undelivered(c, e) && put_orders_ending(c, e) && put_rejections(c, e) &&
	       overdue_status(n, c->out, e) && closings_status(n, c->out, e) && pair_recovery_status(n, c->out, e);
}

bool verb_backup(struct api_call *c, struct err *e)
{
	char time[TIME_TEXT_LEN + 1], folder[64];
	AUTO_FD fd = -1;
	int64_t now = clock_now_ms();
	json_t *deleted = json_array();

	json_put(c->out, "deleted", deleted);
	time_write(now, time);
	for (char *p = time; *p != '\0'; p++)
		if (*p == ':' || *p == '.')
			*p = '-';
	snprintf(folder, sizeof(folder), "backup/%s", time);
	/* The next erasure counts it from before it is there. */
	if (!key_backup_remember(c->node, "backup", folder, now, e) || !dir_make(c->node->home_fd, folder, 0700, e))
		return false;
	fd = openat(c->node->home_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_system(e, "cannot open %s", folder);
	if (!store_backup(c->node->store, fd, false, NULL, NULL, e))
		return false;
	json_put_text(c->out, "folder", folder);
	return key_backup_sweep_home(c->node, deleted, e);
}

bool verb_key_backup(struct api_call *c, struct err *e)
{
	struct age_recipient to[AGE_STANZAS_MAX];
	char name[KEY_BACKUP_NAME_LEN + 1], file[KEY_BACKUP_NAME_LEN + 8];
	json_t *deleted = json_array();
	size_t count;

	json_put(c->out, "deleted", deleted);
	if (!key_backup_recipients(c->node, json_object_get(c->in, "to"), to, &count, e) || !key_backup_make(c->node, to, count, name, e))
		return false;
	snprintf(file, sizeof(file), "backup/%s", name);
	json_put_text(c->out, "file", file);
	return key_backup_sweep_home(c->node, deleted, e);
}

bool verb_doctor(struct api_call *c, struct err *e)
{
	json_t *checks = json_array();
	bool ok = true;

	json_put(c->out, "checks", checks);
	if (!audit_node(c->node, checks, e))
		return false;
	for (size_t i = 0; i < json_array_size(checks); i++)
		ok = ok && json_bool(json_array_get(checks, i), "ok");
	json_put_bool(c->out, "ok", ok);
	return true;
}

bool verb_log_audit(struct api_call *c, struct err *e)
{
	struct audit_place at = { 0 };
	int64_t leaf, size = json_int(c->in, "size");
	merkle_hash root;

	if (!json_must_int(c->in, "leaf", 0, INT64_C(1) << 53, &leaf, e) ||
	    !json_must_int(c->in, "statement", 0, INT64_C(1) << 53, &at.statement, e))
		return false;
	at.leaf = (uint64_t)leaf;
	if (size > 0) {
		if ((uint64_t)size > log_size(c->node->log) || !log_root_at(c->node->log, (uint64_t)size, root, e))
			return err_set(e, ERR_CONFLICT, REASON_INCONSISTENT, "the store has no %lld leaves", (long long)size);
		json_put_hex(c->out, "root", BYTES_ARRAY(root));
	}
	if (!audit_log_portion(c->node->store, &at, c->out, e))
		return false;
	json_put_int(c->out, "leaf", (int64_t)at.leaf);
	json_put_int(c->out, "statement", at.statement);
	json_put_bool(c->out, "done", at.done);
	return true;
}

#define WITHOUT_MAX 64

bool verb_log_recover(struct api_call *c, struct err *e)
{
	const json_t *list = json_object_get(c->in, "without");
	const char *without[WITHOUT_MAX + 1] = { NULL };
	struct recovered back;
	bool was_locked = c->node->locked;

	if (json_array_size(list) > WITHOUT_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %d parties left out", WITHOUT_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		without[i] = json_string_value(json_array_get(list, i));
		if (without[i] == NULL || register_party(c->node->reg, bytes_of(without[i])) == NULL)
			return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "our register has no party \"%.20s\"", without[i] != NULL ? without[i] : "");
	}
	if (!node_recover(c->node, without, &back, e))
		return false;
	json_put_text(c->out, "waiting_for", c->node->recovering);
	json_put_bool(c->out, "was_locked", was_locked);
	json_put_text(c->out, "without", c->node->left_out);
	json_put_int(c->out, "acts", (int64_t)back.acts);
	json_put_int(c->out, "brought_back", (int64_t)back.leaves);
	json_put_int(c->out, "size", (int64_t)log_size(c->node->log));
	return true;
}
