/* comity verify: for anybody, without a node. */
#include <fcntl.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "evidence/verify.h"

#define UNUSABLE 2

const struct option verify_options_table[] = {
	OPTION_JSON, OPTION_QUIET,
	{ "root", 'r', OPTION_VALUE, "HEX", "fingerprint of the trust root, or of a pinned entry, that you compared yourself" },
	{ "html", 0, OPTION_VALUE, "FILE", "also write the report as a page" },
	OPTION_END,
};

static void hashed(void *ctx, uint64_t done, uint64_t total)
{
	struct progress *p = ctx;

	p->total = total;
	progress_at(p, done);
}

static void print_report(const json_t *report, struct buf *out)
{
	verify_print(report, local_offset_minutes(clock_now_ms()), out);
}

static bool write_page(const json_t *report, const char *path, struct err *e)
{
	AUTO_BUF page = { 0 };

	buf_init(&page, OUTPUT_BYTES_MAX);
	verify_html(report, local_offset_minutes(clock_now_ms()), &page);
	return buf_check(&page, "the page", e) && file_write(AT_FDCWD, path, buf_bytes(&page), 0644, false, e);
}

static int unusable(const struct err *e)
{
	(void)command_failed(e);
	return UNUSABLE;
}

/* As people copy it: in groups, in either case. */
static bool read_fingerprint(const char *text, uint8_t ret[static SHA256_BYTES])
{
	char hex[2 * SHA256_BYTES];
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == ':')
			continue;
		if (n == sizeof(hex))
			return false;
		hex[n++] = *text >= 'A' && *text <= 'F' ? (char)(*text - 'A' + 'a') : *text;
	}
	return hex_parse(bytes_from(hex, n), ret, SHA256_BYTES);
}

int verify_command(const struct args *a)
{
	const char *root = args_value(a, "root"), *page = args_value(a, "html");
	uint8_t fingerprint[SHA256_BYTES];
	struct progress p;
	struct verify_options o = { .path = a->positional[0], .progress = hashed, .ctx = &p,
				    .offset_minutes = local_offset_minutes(clock_now_ms()) };
	AUTO_JSON *report = NULL;
	struct err e;
	bool ok;
	int status;

	if (root != NULL && !read_fingerprint(root, fingerprint)) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--root wants the 64 hex digits of a fingerprint");
		return unusable(&e);
	}
	o.root = root != NULL ? fingerprint : NULL;
	progress_start(&p, "hashing", 0, args_has(a, "quiet"));
	ok = verify_path(&o, &report, &e);
	progress_end(&p);
	if (!ok || (page != NULL && !write_page(report, page, &e)))
		return unusable(&e);
	status = output_value(a, report, print_report);
	return status != 0 ? UNUSABLE : verify_status(report);
}
