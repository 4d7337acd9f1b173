/* The file says which logs ended and where; the statement says so to everybody, in the new log. */
#include "exchange/retire.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/reader.h"
#include "exchange/draft.h"
#include "exchange/recover.h"
#include "exchange/shown.h"
#include "exchange/signing.h"

void retired_write(const struct register_retired *r, struct buf *out)
{
	char at[TIME_TEXT_LEN + 1];

	time_write(r->at, at);
	note_key_write(&r->log_key, out);
	buf_add_format(out, " %llu ", (unsigned long long)r->size);
	buf_add_hex(out, BYTES_ARRAY(r->root));
	buf_add_format(out, " %s\n", at);
}

static bool line_read(struct bytes line, struct register_retired *ret, struct err *e)
{
	struct bytes key = bytes_cut(&line, ' '), size = bytes_cut(&line, ' '), root = bytes_cut(&line, ' ');
	char number[24] = "";

	if (size.len < sizeof(number))
		bytes_text(size, number, sizeof(number));
	return (note_key_parse(key, &ret->log_key, e) && num_parse_u64(number, INT64_MAX, &ret->size) &&
		hex_parse(root, ret->root, sizeof(ret->root)) && time_parse(line, &ret->at)) ||
	       err_set(e, ERR_INPUT, REASON_MALFORMED, "%s: a line is no key, size, root and time", RETIRED_FILE);
}

bool retired_read(int home_fd, struct register_retired ret[static PARTY_RETIRED_MAX], size_t *ret_count, struct err *e)
{
	struct bytes rest;
	AUTO_BUF text = { 0 };

	*ret_count = 0;
	if (faccessat(home_fd, RETIRED_FILE, F_OK, 0) != 0)
		return true;
	buf_init(&text, RETIRED_BYTES_MAX);
	if (!file_read(home_fd, RETIRED_FILE, &text, e))
		return false;
	rest = buf_bytes(&text);
	while (rest.len > 0) {
		struct bytes line = bytes_cut(&rest, '\n');
		if (line.len == 0)
			continue;
		if (*ret_count == PARTY_RETIRED_MAX)
			memmove(ret, ret + 1, --*ret_count * sizeof(*ret));
		memset(&ret[*ret_count], 0, sizeof(*ret));
		if (!line_read(line, &ret[*ret_count], e))
			return false;
		++*ret_count;
	}
	return true;
}

bool retire_successor(const char *origin, char ret[static CONFIG_ORIGIN_BYTES_MAX + 1], struct err *e)
{
	const char *slash = strrchr(origin, '/');
	size_t stem = strlen(origin);
	uint64_t number = 1;

	if (slash != NULL && num_parse_u64(slash + 1, 1000000, &number) && number >= 2)
		stem = (size_t)(slash - origin);
	else
		number = 1;
	int len = snprintf(ret, CONFIG_ORIGIN_BYTES_MAX + 1, "%.*s/%llu", (int)stem, origin, (unsigned long long)number + 1);
	return len <= CONFIG_ORIGIN_BYTES_MAX || err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "the name of the next log is too long");
}

bool retire_furthest(int home_fd, const struct note_key *log_key, struct checkpoint *ret, struct err *e)
{
	static const char *const files[] = { "log/checkpoint", RECOVER_FOLDER "/checkpoint" };
	AUTO_FD cell = openat(home_fd, "keys/checkpoint", O_RDONLY | O_CLOEXEC);
	struct checkpoint c = { .size = 0 };
	struct store *s = NULL;

	merkle_empty(c.root);
	if ((cell >= 0 && !signing_cell(cell, &c, e)) || !store_open(home_fd, &s, e))
		return false;
	bool ok = shown_furthest_in_store(s, log_key, &c, e);
	store_close(s);
	for (size_t i = 0; ok && i < sizeof(files) / sizeof(files[0]); i++) {
		struct checkpoint file;
		AUTO_BUF note = { 0 };
		buf_init(&note, NOTE_BYTES_MAX);
		if (file_read(home_fd, files[i], &note, NULL) && checkpoint_verify(buf_bytes(&note), log_key, &file, NULL) && file.size > c.size)
			c = file;
	}
	if (ok)
		*ret = c;
	return ok;
}

bool retire_draft(struct node *n, const char *officer, const char *text, struct id *ret_draft, struct err *e)
{
	AUTO_JSON *body = json_object();
	struct draft_new d = { .kind = "history-lost", .to = "*", .case_ref = "", .legal_basis = "UNCC", .officer = officer, .body = body };
	struct register_retired all[PARTY_RETIRED_MAX];
	size_t count;
	AUTO_BUF key = { 0 };

	buf_init(&key, KIB);
	if (!retired_read(n->home_fd, all, &count, e))
		return false;
	if (count == 0)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "no log of this home has ended: stop the node, then comity log retire");
	const struct register_retired *r = &all[count - 1];
	note_key_write(&r->log_key, &key);
	json_put_time(body, "at", r->at);
	json_put_text(body, "log", buf_text(&key));
	json_put_text(body, "origin", r->log_key.name);
	json_put_hex(body, "root", BYTES_ARRAY(r->root));
	json_put_int(body, "size", (int64_t)r->size);
	json_put_text(body, "successor", log_origin(n->log));
	json_put_text(body, "text", text);
	return draft_new(n, &d, ret_draft, e);
}
