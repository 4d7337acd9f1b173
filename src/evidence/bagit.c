/* The formats of a bag: names, manifests, bag-info.txt. Each has exactly one spelling here, narrower than
 * RFC 8493 allows, and everything outside it is refused: what is written again equals what was read. That
 * is why the manifests are in order of path, have two spaces, and never need percent-encoding, so that
 * `sha256sum -c` reads them as they stand. */
#include "evidence/bagit.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/reader.h"

static bool is_safe(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool bag_path_check(struct bytes path, struct err *e)
{
	size_t depth = 0;

	if (path.len == 0 || path.len > PACKAGE_PATH_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a path in a bag has 1 to %u bytes", PACKAGE_PATH_BYTES_MAX);
	for (size_t i = 0; i < path.len;) {
		size_t from = i;

		while (i < path.len && path.at[i] != '/') {
			if (!is_safe(path.at[i]))
				return err_set(e, ERR_INPUT, REASON_MALFORMED,
					       "a name in a bag is made of letters, digits, dot, underscore and hyphen");
			i++;
		}
		/* A leading dot is "..", "." or hidden; a leading hyphen is an option to every tool. */
		if (i == from || path.at[from] == '.' || path.at[from] == '-')
			return err_set(e, ERR_INPUT, REASON_MALFORMED,
				       "no part of a path in a bag is empty or begins with a dot or hyphen");
		if (++depth > PACKAGE_DEPTH_MAX)
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a bag is at most %u folders deep", PACKAGE_DEPTH_MAX);
		if (i < path.len && ++i == path.len)
			return err_set(e, ERR_INPUT, REASON_MALFORMED, "a path in a bag does not end with a slash");
	}
	return true;
}

/* --- manifests --------------------------------------------------------------------------------- */

static bool parse_line(struct bytes line, size_t digest_bytes, struct bag_line *ret, struct err *e)
{
	size_t hex = 2 * digest_bytes;

	if (line.len < hex + 3 || !hex_parse(bytes_slice(line, 0, hex), ret->digest, digest_bytes))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "it does not begin with %zu lower-case hex digits", hex);
	if (line.at[hex] != ' ' || line.at[hex + 1] != ' ')
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "digest and path are not two spaces apart");
	ret->path = bytes_slice(line, hex + 2, line.len);
	return bag_path_check(ret->path, e);
}

bool bag_manifest_parse(struct bytes in, size_t digest_bytes, struct bag_manifest *ret, struct err *e)
{
	AUTO_BAG_MANIFEST m = { .digest_bytes = digest_bytes };
	struct reader r = reader_over(in);
	size_t lines = 0;

	if (in.len > PACKAGE_TAG_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a manifest has at most %u bytes", PACKAGE_TAG_BYTES_MAX);
	for (size_t i = 0; i < in.len; i++)
		lines += in.at[i] == '\n';
	if (lines > PACKAGE_FILES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "a manifest lists at most %u files", PACKAGE_FILES_MAX);
	m.lines = calloc(lines + 1, sizeof(*m.lines));
	if (m.lines == NULL)
		abort();
	while (reader_left(&r) > 0 && m.count < lines) {
		struct bag_line *l = &m.lines[m.count];
		struct bytes line = reader_line(&r, 2 * SHA512_BYTES + 2 + PACKAGE_PATH_BYTES_MAX);

		if (!reader_ok(&r) || !parse_line(line, digest_bytes, l, e)) {
			if (!reader_ok(&r))
				return err_set(e, ERR_INPUT, REASON_MALFORMED, "line %zu is too long", m.count + 1);
			return err_note(e, "line %zu", m.count + 1);
		}
		if (m.count > 0 && bytes_compare(l[-1].path, l->path) >= 0)
			return err_set(e, ERR_INPUT, REASON_NOT_CANONICAL, "line %zu: %s", m.count + 1,
				       bytes_equal(l[-1].path, l->path) ? "this file is listed already" :
									  "the lines are not in order of path");
		m.count++;
	}
	if (!reader_done(&r, "manifest", e))
		return false;
	*ret = m;
	m.lines = NULL;
	return true;
}

void bag_manifest_release(struct bag_manifest *m)
{
	free(m->lines);
	m->lines = NULL;
	m->count = 0;
}

void bag_line_write(struct bytes path, struct bytes digest, struct buf *out)
{
	buf_add_hex(out, digest);
	buf_add_text(out, "  ");
	buf_add(out, path);
	buf_add_u8(out, '\n');
}

const struct bag_line *bag_manifest_find(const struct bag_manifest *m, struct bytes path)
{
	size_t from = 0, to = m->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int c = bytes_compare(m->lines[middle].path, path);

		if (c == 0)
			return &m->lines[middle];
		if (c < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

/* --- bag-info.txt ------------------------------------------------------------------------------ */

static bool is_value(struct bytes v)
{
	if (v.len == 0 || v.len > LINE_BYTES_MAX || !utf8_is_valid(v) || v.at[0] == ' ' || v.at[v.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.at[i] < 0x20 || v.at[i] == 0x7f)
			return false;
	}
	return true;
}

static struct bytes read_value(struct reader *r, const char *label)
{
	struct bytes v;

	reader_literal(r, label);
	reader_literal(r, ": ");
	v = reader_line(r, LINE_BYTES_MAX);
	if (!is_value(v))
		reader_fail(r);
	return v;
}

bool bag_info_parse(struct bytes in, struct bag_info *ret, struct err *e)
{
	struct reader r = reader_over(in);
	struct bag_info b;

	b.organization = read_value(&r, "Source-Organization");
	b.case_ref = read_value(&r, "External-Identifier");
	b.party = read_value(&r, "Internal-Sender-Identifier");
	b.date = read_value(&r, "Bagging-Date");
	reader_literal(&r, "Payload-Oxum: ");
	b.payload_bytes = reader_decimal(&r);
	reader_literal(&r, ".");
	b.payload_files = reader_decimal(&r);
	reader_literal(&r, "\n");
	if (!reader_done(&r, "bag-info.txt", e))
		return false;
	*ret = b;
	return true;
}

bool bag_info_write(const struct bag_info *b, struct buf *out, struct err *e)
{
	const struct {
		const char *label;
		struct bytes value;
	} rows[] = {
		{ "Source-Organization", b->organization },
		{ "External-Identifier", b->case_ref },
		{ "Internal-Sender-Identifier", b->party },
		{ "Bagging-Date", b->date },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!is_value(rows[i].value))
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s of a package is one line of at most %u bytes",
				       rows[i].label, LINE_BYTES_MAX);
		buf_add_text(out, rows[i].label);
		buf_add_text(out, ": ");
		buf_add(out, rows[i].value);
		buf_add_u8(out, '\n');
	}
	buf_add_format(out, "Payload-Oxum: %llu.%llu\n", (unsigned long long)b->payload_bytes,
		       (unsigned long long)b->payload_files);
	return buf_check(out, "bag-info.txt", e);
}
