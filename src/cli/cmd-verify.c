/* comity verify: for anybody, without a node. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "evidence/verify-proof.h"
#include "evidence/verify.h"

#define UNUSABLE 2

const struct option verify_options_table[] = {
	OPTION_JSON, OPTION_QUIET,
	{ "root", 'r', OPTION_MANY, "HEX", "fingerprint of the trust root, or of a pinned entry, that you compared yourself" },
	{ "html", 0, OPTION_VALUE, "FILE", "also write the report as a page" },
	{ "register", 0, OPTION_VALUE, "BUNDLE", "of a proof file: the register that says whose log it is and who must have cosigned" },
	{ "key", 'k', OPTION_VALUE, "VKEY", "of a proof file: the log's key, instead of a register" },
	{ "policy", 0, OPTION_VALUE, "FILE", "with --key: which witnesses must have cosigned (tlog-policy)" },
	{ "statement", 0, OPTION_VALUE, "FILE", "of a proof file: the act or envelope that it must be of" },
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

static bool is_proof(const char *path)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	static const char head[] = "c2sp.org/tlog-proof@";
	char begin[sizeof(head) - 1];

	return fd >= 0 && read(fd, begin, sizeof(begin)) == (ssize_t)sizeof(begin) &&
	       bytes_equal(bytes_from(begin, sizeof(begin)), bytes_of(head));
}

/* A damaged act or package is broken; what never was one is no object of a verdict. */
static bool is_ours(const char *path, struct err *e)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTO_BUF in = { 0 };
	AUTO_JSON *v = NULL;
	struct stat st;

	buf_init(&in, LETTER_BYTES_MAX);
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_system(e, "cannot open %s", path);
	if (S_ISDIR(st.st_mode)) {
		static const char *const parts[] = { "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "meta/acts" };

		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (faccessat(fd, parts[i], F_OK, 0) == 0)
				return true;
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "%s: this is no package, act, letter or proof", path);
	}
	if (!S_ISREG(st.st_mode) || !file_read_fd(fd, path, &in, NULL))
		return true; /* verify_path has the sentence */
	if (bytes_starts(buf_bytes(&in), "age-encryption.org/v1"))
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "%s is sealed: only its plain text can be verified (comity open)", path);
	bool other = json_parse(buf_bytes(&in), path, &v, NULL) && json_object_get(v, "envelope") == NULL &&
		     json_object_get(v, "acts") == NULL;
	if (other || !bytes_starts(buf_bytes(&in), "{"))
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "%s: this is no package, act, letter or proof", path);
	return true;
}

static void print_proof(const json_t *report, struct buf *out)
{
	verify_proof_print(report, local_offset_minutes(clock_now_ms()), out);
}

static int proof_command(const struct args *a, const uint8_t *roots, size_t root_count)
{
	struct verify_proof_options o = { .path = a->positional[0], .register_path = args_value(a, "register"), .roots = roots,
					  .root_count = root_count, .vkey = args_value(a, "key"), .policy_path = args_value(a, "policy"),
					  .statement_path = args_value(a, "statement") };
	AUTO_JSON *report = NULL;
	struct err e;
	bool ok;

	if (o.vkey != NULL && o.register_path != NULL)
		ok = err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "give --register or --key, not both");
	else if (o.policy_path != NULL && o.vkey == NULL)
		ok = err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--policy goes with --key; a register has its own policies");
	else if (root_count > 0 && o.register_path == NULL)
		ok = err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--root is of a register: give --register BUNDLE too");
	else if (args_value(a, "html") != NULL)
		ok = err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "the report on a proof is text alone: no --html");
	else
		ok = verify_proof(&o, &report, &e);
	if (!ok)
		return unusable(&e);
	return output_value(a, report, print_proof) != 0 ? UNUSABLE : verify_proof_status(report);
}

static bool is_about_proofs(const struct args *a)
{
	return args_has(a, "register") || args_has(a, "key") || args_has(a, "policy") || args_has(a, "statement");
}

int verify_command(const struct args *a)
{
	const char *root, *page = args_value(a, "html");
	uint8_t roots[ARGS_MANY_MAX][SHA256_BYTES];
	struct progress p;
	struct verify_options o = { .path = a->positional[0], .progress = hashed, .ctx = &p, .roots = roots[0],
				    .offset_minutes = local_offset_minutes(clock_now_ms()) };
	AUTO_JSON *report = NULL;
	struct err e;
	bool ok;
	int status;

	for (; (root = args_many(a, "root", o.root_count)) != NULL; o.root_count++) {
		if (digest_read(root, roots[o.root_count]))
			continue;
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--root wants the 64 hex digits of a fingerprint");
		return unusable(&e);
	}
	if (is_proof(o.path))
		return proof_command(a, roots[0], o.root_count);
	if (is_about_proofs(a)) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--register, --key, --policy and --statement are for a proof file; "
			      "this is none");
		return unusable(&e);
	}
	if (!is_ours(o.path, &e))
		return unusable(&e);
	progress_start(&p, "hashing", 0, args_has(a, "quiet"));
	ok = verify_path(&o, &report, &e);
	progress_end(&p);
	if (!ok || (page != NULL && !write_page(report, page, &e)))
		return unusable(&e);
	status = output_value(a, report, print_report);
	return status != 0 ? UNUSABLE : verify_status(report);
}
