/* Store, log files against the store, every leaf against its opening, register, clocks, deliveries. */
#include "exchange/audit.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/cosigning.h"
#include "exchange/directory.h"
#include "log/leaf.h"
#include "register/judge.h"

static void check_add(json_t *checks, const char *name, bool ok, const char *format, ...) __attribute__((format(printf, 4, 5)));

static void check_add(json_t *checks, const char *name, bool ok, const char *format, ...)
{
	json_t *c = json_object();
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_put_text(c, "name", name);
	json_put_bool(c, "ok", ok);
	json_put_text(c, "text", text);
	json_array_append_new(checks, c);
}

/* Nothing is broken, and somebody should know. */
static void check_note(json_t *checks, const char *name, const char *text)
{
	check_add(checks, name, true, "%s", text);
	json_put_bool(json_array_get(checks, json_array_size(checks) - 1), "note", true);
}

bool audit_store(struct store *s, json_t *checks, struct err *e)
{
	AUTO_BUF problems = { 0 };

	buf_init(&problems, 16 * KIB);
	if (!store_check(s, &problems, e))
		return false;
	check_add(checks, "store", problems.len == 0, "%s", problems.len == 0 ? "both databases are whole" : buf_text(&problems));
	return true;
}

static void audit_log_files(struct node *n, json_t *checks)
{
	struct log_audit a;
	struct err e = { 0 };
	merkle_hash root;

	if (!log_audit_files(n->log_fd, &n->identity.log, NULL, NULL, &a, &e)) {
		check_add(checks, "log-files", false, "%s", e.text);
		return;
	}
	bool same = log_root_at(n->log, a.checkpoint.size, root, &e) && memcmp(root, a.checkpoint.root, sizeof(root)) == 0;
	check_add(checks, "log-files", same, same ? "%llu leaves re-hashed from the files up to the signed checkpoint, equal to the store"
						  : "the files (%llu leaves) and the store disagree",
		  (unsigned long long)a.leaves);
}

/* Rebuilds our leaf of one statement and compares it with the log's. An erased one has nothing left to rebuild it from. */
static bool leaf_rebuilds(struct node *n, const uint8_t *hash, bool own, bool *ret_there, bool *ret_erased, struct err *e)
{
	struct record_keys keys;
	uint8_t leaf[LEAF_V1_BYTES];
	AUTO_BUF stored = { 0 };
	AUTO_ACT *a = NULL;
	struct err none = { 0 };

	buf_init(&stored, LEAF_BYTES_MAX);
	*ret_erased = false;
	*ret_there = node_leaf(n, hash, &stored, &none);
	if (!*ret_there)
		return true; /* waits for its slot, or has none */
	if (!node_act_load(n, hash, &a, &none)) {
		*ret_erased = none.reason == REASON_ERASED;
		*ret_there = false;
		return *ret_erased || (e != NULL && (*e = none, false));
	}
	if (!node_record_keys(n, hash, &keys, e))
		return false;
	judge_leaf(a->statement, keys.opening, own ? keys.x : a->x, !own, leaf);
	wipe(&keys, sizeof(keys));
	return bytes_equal(buf_bytes(&stored), BYTES_ARRAY(leaf)) ||
	       err_set(e, ERR_SYSTEM, REASON_LEAF_MISMATCH, "the leaf of a %s does not open", a->statement->kind->name);
}

static bool audit_leaves(struct node *n, json_t *checks, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_statement_all);
	size_t room = 1024, count = 0, opened = 0, erased = 0;
	struct entry {
		uint8_t hash[SHA256_BYTES];
		bool own;
	} *all = calloc(room, sizeof(*all));
	struct err why = { 0 };
	bool found, ok, there, gone;

	while ((ok = query_row(q, &found, e)) && found) {
		if (all != NULL && count == room)
			all = reallocarray(all, room *= 2, sizeof(*all));
		if (all == NULL)
			abort();
		if (query_bytes(q, 0).len != SHA256_BYTES)
			continue;
		memcpy(all[count].hash, query_bytes(q, 0).at, SHA256_BYTES);
		all[count++].own = query_int(q, 1) != 0;
	}
	query_end(q);
	size_t i = 0;
	while (ok && i < count && leaf_rebuilds(n, all[i].hash, all[i].own, &there, &gone, &why)) {
		opened += there;
		erased += gone;
		i++;
	}
	free(all);
	check_add(checks, "leaves", ok && i == count, "%zu of %zu statements opened against their leaves, %zu erased%s%s", opened, count, erased,
		  i < count ? ": " : "", i < count ? why.text : "");
	return ok;
}

/* Blanked, but keys or blobs could not be removed: tried at every commit, so it is the disk that is to be looked at. */
static bool audit_erasures(struct node *n, json_t *checks, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_erase_unfinished);
	bool found, ok = query_row(q, &found, e);
	int64_t count = ok && found ? query_int(q, 0) : 0;

	query_end(q);
	check_add(checks, "erasures", count == 0, count == 0 ? "%lld are unfinished" : "%lld are signed and blanked, but keys, blobs or files are not clean yet",
		  (long long)count);
	return ok;
}

/* Without a quorum nothing leaves: that is a fault, wherever its cause is. */
static void audit_cosignatures(struct node *n, json_t *checks)
{
	AUTO_JSON *v = cosigning_status(n);
	struct bytes quorum = json_bytes(v, "quorum");
	int64_t missed = cosigning_missed_since(n);
	char when[64];

	if (bytes_is(quorum, "none")) {
		check_note(checks, "cosignatures", "no policy: no independent witness yet");
	} else if (missed != 0) {
		time_write_people(missed, (int)config_count(&n->config, utc_offset_minutes), when);
		check_add(checks, "cosignatures", false, "missing since %s: %lld letters wait", when, (long long)json_int(v, "waiting"));
	} else {
		check_add(checks, "cosignatures", true, "%lld leaves are proved, signed by %lld witnesses%s", (long long)json_int(v, "proved_size"),
			  (long long)json_int(v, "proved_by"), bytes_is(quorum, "waiting") ? "; the newest checkpoint waits" : "");
	}
}

/* Our clock against the witnesses' median in the last round. */
static void audit_clock(struct node *n, json_t *checks)
{
	json_t *v = cosigning_status(n);
	size_t signers = 0;

	for (size_t i = 0; i < json_array_size(json_object_get(v, "witnesses")); i++)
		signers += json_int(json_array_get(json_object_get(v, "witnesses"), i), "last_ms") != 0;
	json_decref(v);
	if (signers == 0)
		check_add(checks, "clock", true, "witness time is not compared: no witness has signed since the start");
	else
		check_add(checks, "clock", !cosigning_clock_off(n), "%lld ms from the median of %zu witnesses%s",
			  (long long)cosigning_clock_off_ms(n), signers, cosigning_clock_off(n) ? ": nothing is sent" : "");
}

/* Whom an officer did not wait for after a restore may know of letters that we do not: it is told until they have answered. */
static void audit_recovery(struct node *n, json_t *checks)
{
	if (n->left_out[0] != '\0')
		check_add(checks, "recovery", false, "left out, and not heard since: %s", n->left_out);
	else if (n->recovering[0] != '\0')
		check_add(checks, "recovery", true, "waiting for %s", n->recovering);
	else
		check_add(checks, "recovery", true, "nobody is waited for");
}

bool audit_node(struct node *n, json_t *checks, struct err *e)
{
	const char *state = directory_state(n);

	if (!audit_store(n->store, checks, e))
		return false;
	audit_log_files(n, checks);
	if (!audit_leaves(n, checks, e) || !audit_erasures(n, checks, e))
		return false;
	check_add(checks, "register", !bytes_is(bytes_of(state), "stale"), "%zu parties, %s", register_count(n->reg), state);
	check_add(checks, "signing", !n->locked, "%s", n->locked ? n->locked_why : "not locked");
	audit_recovery(n, checks);
	audit_cosignatures(n, checks);
	audit_clock(n, checks);
	return true;
}
