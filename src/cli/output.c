/* Everything is gathered in memory and written once, so that a command that fails has printed nothing that
 * looks like a result. */
#include "cli/output.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

void output_printable(struct buf *out, const char *text)
{
	text_printable(bytes_of(text), out);
}

void output_lines(struct buf *out, const char *text)
{
	for (struct bytes rest = bytes_of(text); rest.len > 0;) {
		text_printable(bytes_cut(&rest, '\n'), out);
		buf_add_u8(out, '\n');
	}
}

void output_member(struct buf *out, const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	buf_add_format(out, "%s: ", label);
	output_printable(out, text);
	buf_add_u8(out, '\n');
}

int local_offset_minutes(int64_t at_ms)
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm tm;

	return localtime_r(&seconds, &tm) == NULL ? 0 : (int)(tm.tm_gmtoff / 60);
}

void output_time(struct buf *out, const char *time)
{
	char people[64];
	int64_t ms;

	if (!time_parse(bytes_of(time), &ms)) {
		output_printable(out, time);
		return;
	}
	time_write_people(ms, local_offset_minutes(ms), people);
	buf_add_text(out, people);
}

void output_member_time(struct buf *out, const char *label, const char *time)
{
	if (time[0] == '\0')
		return;
	buf_add_format(out, "%s: ", label);
	output_time(out, time);
	buf_add_u8(out, '\n');
}

void output_findings(struct buf *out, const json_t *findings)
{
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *f = json_array_get(findings, i);
		const char *field = json_text(f, "field"), *clause = json_text(f, "clause");
		bool law = clause[0] != '\0';

		buf_add_format(out, "%-7s %s%-*s ", json_text(f, "severity"), law ? "art. " : "", law ? 9 : 14, clause);
		if (field[0] != '\0') {
			output_printable(out, field);
			buf_add_text(out, ": ");
		}
		output_printable(out, json_text(f, "text"));
		buf_add_format(out, " [%s]\n", json_text(f, "reason"));
	}
}

bool output_write(struct buf *text, struct err *e)
{
	return buf_check(text, "the output", e) && (fflush(stdout) == 0 || err_system(e, "cannot write")) &&
	       file_write_all(STDOUT_FILENO, buf_bytes(text), e);
}

int command_ended(bool ok, const struct err *e)
{
	return ok ? 0 : command_failed(e);
}

int output_value(const struct args *a, const json_t *v, void (*print)(const json_t *v, struct buf *out))
{
	struct err e;
	AUTO_BUF text = { 0 };

	buf_init(&text, OUTPUT_BYTES_MAX);
	if (args_has(a, "json")) {
		if (!json_write_pretty(v, &text, &e))
			return command_failed(&e);
	} else {
		print(v, &text);
	}
	return command_ended(output_write(&text, &e), &e);
}

int output_call(const struct args *a, const char *verb, json_t *in, void (*print)(const json_t *v, struct buf *out))
{
	AUTO_JSON *taken = in, *answer = NULL;
	AUTO_CLIENT *c = NULL;
	struct err e;

	if (!client_open(a, &c, &e) || !client_call(c, verb, json_incref(taken), &answer, &e))
		return command_failed(&e);
	return output_value(a, answer, print);
}

bool input_read(const char *path, struct buf *out, struct err *e)
{
	if (bytes_is(bytes_of(path), "-"))
		return file_read_fd(STDIN_FILENO, "standard input", out, e);
	return file_read(AT_FDCWD, path, out, e);
}
