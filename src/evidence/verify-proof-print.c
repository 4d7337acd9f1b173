/* The report on a proof file, in words: nothing is shown as known that was only said or not looked at. */
#include <string.h>

#include "evidence/verify-proof.h"

static void print_time(const char *time, int offset_minutes, struct buf *out)
{
	char people[64];
	int64_t ms;

	if (!time_parse(bytes_of(time), &ms))
		return;
	time_write_people(ms, offset_minutes, people);
	buf_add_text(out, people);
}

static void print_list(const json_t *list, const char *before, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);

		buf_add_format(out, "%s", before);
		text_printable(bytes_of(json_is_string(v) ? json_string_value(v) : json_text(v, "text")), out);
		buf_add_u8(out, '\n');
	}
}

static void print_witnesses(const json_t *report, int offset_minutes, struct buf *out)
{
	const json_t *list = json_object_get(report, "cosigned");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);

		buf_add_text(out, "  cosigned by ");
		text_printable(json_bytes(v, "name"), out);
		buf_add_text(out, " at ");
		print_time(json_text(v, "time"), offset_minutes, out);
		buf_add_u8(out, '\n');
	}
	if (!json_bool(report, "cosignatures_checked"))
		buf_add_text(out, "  cosignatures were not checked (no policy given)\n");
	else if (json_int(report, "witnesses") == 0)
		buf_add_text(out, "  no independent witness yet\n");
	if (json_text(report, "not_later_than")[0] == '\0')
		return;
	buf_add_text(out, "  not later than ");
	print_time(json_text(report, "not_later_than"), offset_minutes, out);
	buf_add_text(out, "\n");
}

/* By the statement where it was given, else by what the file says. */
static void print_kind(const json_t *report, int offset_minutes, struct buf *out)
{
	bool given = json_text(report, "statement_kind")[0] != '\0';

	buf_add_format(out, "  %s: %s, of ", given ? "what it is" : "what it is said to be",
		       json_text(report, given ? "statement_kind" : "said_kind"));
	print_time(json_text(report, given ? "statement_time" : "said_time"), offset_minutes, out);
	buf_add_u8(out, '\n');
}

void verify_proof_print(const json_t *report, int offset_minutes, struct buf *out)
{
	static const struct {
		const char *result, *words;
	} verdicts[] = {
		{ "intact", "The proof holds." },
		{ "intact-unconfirmed", "The proof holds under this register; whose register it is, is not confirmed." },
		{ "not-verified", "NOT VERIFIED: what the file says of itself fits together, and who says so was not checked." },
		{ "broken", "BROKEN: the proof does not hold." },
	};

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (strcmp(json_text(report, "result"), verdicts[i].result) == 0)
			buf_add_format(out, "%s\n", verdicts[i].words);
	print_list(json_object_get(report, "broken"), "  broken: ", out);
	if (json_text(report, "hash")[0] != '\0') {
		buf_add_format(out, "a statement with SHA-256 %s\n  stands as leaf %lld of %lld in the log ", json_text(report, "hash"),
			       (long long)json_int(report, "index"), (long long)json_int(report, "size"));
		text_printable(json_bytes(report, "origin"), out);
		buf_add_u8(out, '\n');
		print_kind(report, offset_minutes, out);
		if (json_text(report, "party")[0] != '\0') {
			buf_add_text(out, "  the log is that of ");
			text_printable(json_bytes(report, "party"), out);
			buf_add_u8(out, '\n');
		}
		if (verify_proof_status(report) == 0)
			print_witnesses(report, offset_minutes, out);
	}
	print_list(json_object_get(report, "checks"), "  checked: ", out);
	print_list(json_object_get(report, "unchecked"), "  NOT checked: ", out);
}
