/* How a node stands, on one screen. */
#include <inttypes.h>

#include "cli/commands.h"
#include "base/text.h"
#include "cli/output.h"
#include "exchange/cosigning.h"

const struct option status_options[] = { OPTION_HOME, OPTION_JSON, OPTION_END };

static void print_late(const json_t *late, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(late); i++) {
		const json_t *u = json_array_get(late, i);

		bool waits = bytes_is(json_bytes(u, "state"), "waits for witnesses");

		buf_add_format(out, "%s to %s since ", waits ? "WAITS FOR WITNESSES: letter" : "UNDELIVERED", json_text(u, "peer"));
		output_time(out, json_text(u, "since"));
		bool callable = json_text(u, "call")[0] != '\0';

		buf_add_text(out, callable ? "; call " : "; no telephone is known for ");
		output_printable(out, json_text(u, callable ? "call" : "peer"));
		buf_add_format(out, " (%s)\n", json_text(u, "id"));
	}
}

static void print_orders(const json_t *orders, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(orders); i++) {
		const json_t *o = json_array_get(orders, i);

		buf_add_format(out, "RENEW the preservation order for %s: it %s ", json_text(o, "peer"),
			       json_bool(o, "over") ? "ended" : "ends");
		output_time(out, json_text(o, "expires"));
		buf_add_format(out, " (%s) (25(2), 42(8))\n", json_text(o, "id"));
	}
}

static void print_witness(const json_t *w, struct buf *out)
{
	const char *why = json_text(w, "why");

	if (json_bool(w, "signs"))
		output_member(out, "witness", json_text(w, "name"));
	else
		output_member(out, "WITNESS, nothing is cosigned", why[0] != '\0' ? why : "it is not running");
}

static void print_one_witness(const json_t *w, struct buf *out)
{
	char time[TIME_TEXT_LEN + 1];
	const char *error = json_text(w, "error");

	buf_add_text(out, "  ");
	output_printable(out, json_text(w, "name"));
	buf_add_text(out, json_bool(w, "counts") ? json_bool(w, "signed") ? ": signed" : ": has not signed" : ": of an addressee, for art. 41 and 42");
	if (json_int(w, "last_ms") > 0) {
		time_write(json_int(w, "last_ms"), time);
		buf_add_text(out, ", last at ");
		output_time(out, time);
	}
	if (error[0] != '\0') {
		buf_add_text(out, "; ");
		output_printable(out, error);
	}
	buf_add_u8(out, '\n');
}

/* Whose cosignatures our log has, and what waits for those that it has not. */
static void print_cosigning(const json_t *v, const json_t *pending, struct buf *out)
{
	const json_t *list = json_object_get(v, "witnesses");
	const char *missed = json_text(v, "missed_since");
	int64_t off = json_int(v, "clock_off_ms");

	if (bytes_is(json_bytes(v, "quorum"), "none"))
		buf_add_text(out, "cosignatures: none are asked for, one signature is enough: no independent witness yet\n");
	else if (missed[0] != '\0') {
		buf_add_text(out, "COSIGNATURES MISSING since ");
		output_time(out, missed);
		buf_add_format(out, ": %" PRId64 " letters and %" PRId64 " proofs wait\n", json_int(v, "waiting"), json_int(v, "waiting_proofs"));
	} else
		buf_add_format(out, "cosignatures: %s, %" PRId64 " leaves are proved\n", json_text(v, "quorum"), json_int(v, "proved_size"));
	for (size_t i = 0; i < json_array_size(list); i++)
		print_one_witness(json_array_get(list, i), out);
	if (cosigning_is_off(off))
		buf_add_format(out, "CLOCK OFF by %" PRId64 " s from the witnesses' median: nothing is sent\n", -off / 1000);
	if (json_int(pending, "ours") + json_int(pending, "theirs") > 0)
		buf_add_format(out, "proof-pending: %" PRId64 " of ours, %" PRId64 " of others; overdue: %" PRId64 "\n", json_int(pending, "ours"),
			       json_int(pending, "theirs"), json_int(pending, "overdue"));
}

/* What the peer signed and does not fit, what it promised and did not send, and what it says of us. */
static void print_differences(const json_t *v, struct buf *out)
{
	const json_t *list = json_object_get(v, "disputed");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *d = json_array_get(list, i);
		buf_add_format(out, "DISPUTED with %s: its %s and ours differ at letter %" PRId64 "\n", json_text(d, "peer"), json_text(d, "what"),
			       json_int(d, "n"));
	}
	list = json_object_get(v, "recovering");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);
		if (!json_bool(r, "waits") && !json_bool(r, "skipped"))
			continue;
		buf_add_format(out, "RECOVERING: %s has not said yet what it has of us%s", json_text(r, "peer"),
			       json_bool(r, "skipped") ? " (left out)" : "");
		buf_add_text(out, json_text(r, "error")[0] != '\0' ? ": " : "");
		output_printable(out, json_text(r, "error"));
		buf_add_u8(out, '\n');
	}
	list = json_object_get(v, "overdue");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		buf_add_format(out, "OVERDUE: %s promised a proof until ", json_text(o, "peer"));
		output_time(out, json_text(o, "due"));
		buf_add_format(out, " (%s)\n", json_text(o, "hash"));
	}
	list = json_object_get(v, "notices");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		buf_add_format(out, "%s waits for a proof of ours since ", json_text(o, "peer"));
		output_time(out, json_text(o, "due"));
		buf_add_format(out, " (%s)\n", json_text(o, "hash"));
	}
}

/* How the log stands, at a glance. */
static void print_log(const json_t *log, const json_t *w, struct buf *out)
{
	const char *at = json_text(w, "proved_at"), *quorum = json_text(w, "quorum");
	const json_t *list = json_object_get(w, "witnesses");
	size_t count = 0;

	output_member(out, "log's name", json_text(log, "origin"));
	for (size_t i = 0; i < json_array_size(list); i++)
		count += json_bool(json_array_get(list, i), "counts");
	buf_add_format(out, "log: %" PRId64 " leaves, proved %" PRId64, json_int(log, "size"), json_int(w, "proved_size"));
	if (bytes_is(bytes_of(quorum), "none"))
		buf_add_text(out, " (no quorum asked for)\n");
	else {
		buf_add_format(out, " (signed by %" PRId64 " of %zu%s", json_int(w, "proved_by"), count, at[0] != '\0' ? ", " : "");
		if (at[0] != '\0')
			output_time(out, at);
		buf_add_text(out, ")\n");
	}
}

static void print_status(const json_t *v, struct buf *out)
{
	const json_t *log = json_object_get(v, "log"), *reg = json_object_get(v, "register");

	output_member(out, "party", json_text(v, "party"));
	output_member(out, "name", json_text(v, "name"));
	buf_add_text(out, json_bool(v, "exercise") ? "EXERCISE: nothing here has legal effect\n" : "");
	if (json_bool(v, "locked"))
		output_member(out, "LOCKED, nothing is signed", json_text(v, "locked_why")[0] != '\0' ? json_text(v, "locked_why") : "yes");
	print_log(log, json_object_get(v, "witnesses"), out);
	print_witness(json_object_get(v, "witness"), out);
	print_cosigning(json_object_get(v, "witnesses"), json_object_get(v, "pending"), out);
	output_member(out, "register", json_text(reg, "state"));
	output_member_time(out, "register as of", json_text(reg, "time"));
	buf_add_format(out, "requests that need somebody: %" PRId64 "\n", json_int(v, "requests_open"));
	buf_add_format(out, "letters waiting: %" PRId64 "\nproofs waiting: %" PRId64 "\npages waiting: %" PRId64 "\n",
		       json_int(v, "outbox_waiting"), json_int(v, "proofs_waiting"), json_int(v, "pages_waiting"));
	print_late(json_object_get(v, "undelivered"), out);
	print_orders(json_object_get(v, "orders_ending"), out);
	print_differences(v, out);
	output_member(out, "version", json_text(v, "version"));
}

int status_command(const struct args *a)
{
	return output_call(a, "status", NULL, print_status);
}
