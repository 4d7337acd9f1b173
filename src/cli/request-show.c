/* One request on one screen: how it stands, what it says, what was answered, what happened, who was paged, what is
 * ours to do next. Times are in UTC and in the reader's; what only a program needs is in --json. */
#include "cli/request-show.h"

#include <inttypes.h>

#include "cli/output.h"
#include "statement/statement.h"

static void heading(const char *words, struct buf *out)
{
	buf_add_format(out, "\n%s:\n", words);
}

static void print_delivery(const json_t *d, const char *peer, struct buf *out)
{
	const char *call = json_text(d, "call");
	bool answered = bytes_is(json_bytes(d, "state"), "answered");

	if (json_text(d, "state")[0] == '\0')
		return;
	output_member(out, "delivery", json_text(d, "state"));
	output_member_time(out, "sent", json_text(d, "since"));
	if (answered)
		return;
	output_member(out, "last error", json_text(d, "last_error"));
	output_member(out, "if it stays undelivered, call", call);
	if (call[0] == '\0')
		buf_add_format(out, "no telephone is known for %s\n", peer);
}

static void print_moves(const json_t *list, struct buf *out)
{
	heading("what happened", out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *m = json_array_get(list, i);

		output_time(out, json_text(m, "time"));
		buf_add_format(out, "  %s%s", json_text(m, "to"), json_text(m, "why")[0] != '\0' ? ": " : "");
		output_printable(out, json_text(m, "why"));
		buf_add_u8(out, '\n');
	}
}

static void print_pages(const json_t *list, struct buf *out)
{
	if (json_array_size(list) > 0)
		heading("who was paged", out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);
		bool ended = json_text(p, "ended")[0] != '\0';

		output_printable(out, json_text(p, "officer"));
		if (json_text(p, "sent")[0] == '\0') {
			buf_add_text(out, ", not called yet\n");
			continue;
		}
		buf_add_text(out, ", ");
		output_time(out, json_text(p, "sent"));
		if (ended && json_int(p, "exit_status") == 0)
			buf_add_text(out, ": the page command ended well\n");
		else if (ended)
			buf_add_format(out, ": the page command failed (%" PRId64 ")\n", json_int(p, "exit_status"));
		else
			buf_add_text(out, ": the page command runs\n");
	}
}

/* An answer with its conditions, or an order with its end: what either side must keep to. */
static void print_answer(const json_t *s, struct buf *out)
{
	const json_t *body = json_object_get(s, "body"), *conditions = json_object_get(body, "conditions");

	output_time(out, json_text(s, "time"));
	buf_add_format(out, "  %s of %s: ", json_text(s, "kind"), json_text(s, "from"));
	output_printable(out, json_text(body, bytes_is(json_bytes(s, "kind"), "order") ? "measure" : "outcome"));
	buf_add_u8(out, '\n');
	for (size_t i = 0; i < json_array_size(conditions); i++) {
		const json_t *c = json_array_get(conditions, i);
		const char *clause = json_text(c, "clause");

		buf_add_text(out, clause[0] != '\0' ? "  condition, art. " : "  condition");
		output_printable(out, clause);
		output_member(out, "", json_text(c, "text"));
	}
	output_member(out, "  reasons", json_text(body, "reasons"));
	output_member(out, "  ground", json_text(body, "ground"));
	output_member(out, "  instrument", json_text(body, "instrument"));
	output_member_time(out, "  held until", json_text(body, "hold_until"));
	output_member_time(out, "  looked at again", json_text(body, "review_date"));
	output_member(out, "  ordered by", json_text(body, "authorising_body"));
	output_member_time(out, "  expires", json_text(body, "expires"));
}

static void print_answers(const json_t *list, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);
		struct bytes kind = json_bytes(s, "kind");

		if (json_object_get(s, "body") == NULL || bytes_is(kind, "acknowledgement"))
			continue;
		if (first)
			heading("answers and orders", out);
		first = false;
		print_answer(s, out);
	}
}

/* How far a statement is proved, in words. */
static const char *proved(const json_t *s)
{
	const struct kind *k = kind_find(json_bytes(s, "kind"));

	if (k == NULL || !k->leaf)
		return "not logged by design";
	/* What stays at home is logged there alone, and comes along with what it supports. */
	if (k->to == TO_SELF && !json_bool(s, "own"))
		return "in their log";
	if (k->to == TO_SELF)
		return json_bool(s, "logged") ? "in our log" : "waits for our log";
	if (!json_bool(s, "own"))
		return json_bool(s, "logged") ? "in both logs" : "in their log, waits for ours";
	if (json_bool(s, "proof"))
		return "in both logs";
	if (bytes_is(json_bytes(s, "receipt"), "rejected"))
		return "in our log, rejected there";
	if (json_text(s, "receipt")[0] != '\0')
		return "in our log, received there";
	return json_bool(s, "logged") ? "in our log" : "waits for our log";
}

/* An erasure reaches every statement of the request, whoever signed it, but for erasures themselves. */
static void print_statements(const json_t *list, bool erased, struct buf *out)
{
	heading("statements", out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);

		output_time(out, json_text(s, "time"));
		buf_add_format(out, "  %-20s %s -> %s  %s  %s%s\n", json_text(s, "kind"), json_text(s, "from"), json_text(s, "to"),
			       json_text(s, "hash"), proved(s), erased && !bytes_is(json_bytes(s, "kind"), "erasure") ? ", erased here" : "");
	}
}

static void print_exhibits(const json_t *list, struct buf *out)
{
	if (json_array_size(list) > 0)
		heading("exhibits", out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);

		buf_add_format(out, "%s  %-10s %12" PRId64 "  ", json_text(x, "id"), json_text(x, "state"), json_int(x, "size"));
		output_printable(out, json_text(x, "name"));
		buf_add_u8(out, '\n');
	}
}

/* Commands, for what our side can do; what the other side or a clock does is not for us to type. */
static void print_next(const json_t *list, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *n = json_array_get(list, i);

		if (json_text(n, "command")[0] == '\0')
			continue;
		if (first)
			heading("what you can do now", out);
		first = false;
		output_printable(out, json_text(n, "command"));
		buf_add_text(out, "\n    ");
		output_printable(out, json_text(n, "why"));
		buf_add_u8(out, '\n');
	}
}

/* The screen that art. 24 asks for here too; the asking side did its own before it sent. */
static void print_screening(const json_t *v, struct buf *out)
{
	if (!json_bool(v, "asked") || json_array_size(json_object_get(v, "findings")) == 0)
		return;
	heading("for you to decide before you accept", out);
	output_findings(out, json_object_get(v, "findings"));
}

void request_print(const json_t *v, struct buf *out)
{
	output_member(out, "request", json_text(v, "id"));
	output_member(out, json_bool(v, "asked") ? "they ask" : "we ask", json_text(v, "peer"));
	buf_add_format(out, "state: %s (", json_text(v, "state"));
	output_printable(out, json_text(v, "words"));
	buf_add_text(out, ")\n");
	print_delivery(json_object_get(v, "delivery"), json_text(v, "peer"), out);
	output_member(out, "acknowledged by", json_text(v, "acknowledged_by"));
	output_member_time(out, "acknowledged at", json_text(v, "acknowledged_at"));
	if (json_bool(v, "proof_pending"))
		output_member_time(out, "PROOF-PENDING: it may be preserved, nothing is disclosed; the full proof is due by", json_text(v, "proof_due"));
	output_member_time(out, "the domestic order expires", json_text(v, "order_expires"));
	output_member_time(out, "the data are held until", json_text(v, "hold_until"));
	output_member_time(out, "erased here", json_text(v, "erased"));
	output_member(out, "follows preservation", json_text(v, "preservation"));
	buf_add_u8(out, '\n');
	output_lines(out, json_text(v, "text"));
	print_screening(v, out);
	print_answers(json_object_get(v, "statements"), out);
	print_moves(json_object_get(v, "moves"), out);
	print_pages(json_object_get(v, "pages"), out);
	print_statements(json_object_get(v, "statements"), json_text(v, "erased")[0] != '\0', out);
	print_exhibits(json_object_get(v, "exhibits"), out);
	print_next(json_object_get(v, "next"), out);
}
