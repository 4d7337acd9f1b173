/* How a node stands, on one screen. */
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/output.h"

const struct option status_options[] = { OPTION_HOME, OPTION_JSON, OPTION_END };

static void print_late(const json_t *late, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(late); i++) {
		const json_t *u = json_array_get(late, i);

		buf_add_format(out, "UNDELIVERED to %s since ", json_text(u, "peer"));
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

static void print_status(const json_t *v, struct buf *out)
{
	const json_t *log = json_object_get(v, "log"), *reg = json_object_get(v, "register");

	output_member(out, "party", json_text(v, "party"));
	output_member(out, "name", json_text(v, "name"));
	buf_add_text(out, json_bool(v, "exercise") ? "EXERCISE: nothing here has legal effect\n" : "");
	if (json_bool(v, "locked"))
		output_member(out, "LOCKED, nothing is signed", json_text(v, "locked_why")[0] != '\0' ? json_text(v, "locked_why") : "yes");
	output_member(out, "log", json_text(log, "origin"));
	buf_add_format(out, "log size: %" PRId64 "\n", json_int(log, "size"));
	output_member(out, "register", json_text(reg, "state"));
	output_member_time(out, "register as of", json_text(reg, "time"));
	buf_add_format(out, "requests that need somebody: %" PRId64 "\n", json_int(v, "requests_open"));
	buf_add_format(out, "letters waiting: %" PRId64 "\nproofs waiting: %" PRId64 "\npages waiting: %" PRId64 "\n",
		       json_int(v, "outbox_waiting"), json_int(v, "proofs_waiting"), json_int(v, "pages_waiting"));
	print_late(json_object_get(v, "undelivered"), out);
	print_orders(json_object_get(v, "orders_ending"), out);
	output_member(out, "version", json_text(v, "version"));
}

int status_command(const struct args *a)
{
	return output_call(a, "status", NULL, print_status);
}
