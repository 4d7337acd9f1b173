/* Verification by anybody: nothing is believed that does not follow from signatures, and nothing is written.
 * A folder is a package; a file is one act or the plaintext of a letter, judged with the register that lies
 * beside it (register.json in its folder or the one above). The report has every check and everything
 * that is broken, by name; the result follows from these alone. */
#include "evidence/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "evidence/verify-internal.h"
#include "statement/letter.h"

/* A report stays readable, and bounded, when everything is broken. */
#define BROKEN_MAX 500u
#define CHECKS_MAX 500u

static void append(json_t *array, json_t *taken)
{
	if (json_array_append_new(array, taken) != 0)
		abort();
}

/* Text may quote names from outside. */
static void put_printable(json_t *v, const char *key, const char *text)
{
	AUTO_BUF out = { 0 };

	buf_init(&out, 64 * KIB);
	text_printable(bytes_of(text), &out);
	json_put_text(v, key, buf_text(&out));
}

void verify_broken(struct verification *v, const char *what, enum reason reason, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	json_t *row;
	va_list args;

	if (json_array_size(v->broken) >= BROKEN_MAX) {
		v->broken_lost++;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	row = json_object();
	put_printable(row, "what", what);
	json_put_text(row, "reason", reason_code(reason));
	put_printable(row, "text", text);
	append(v->broken, row);
}

void verify_broken_first(struct verification *v, const char *what, enum reason reason, const char *text)
{
	json_t *row = json_object();

	put_printable(row, "what", what);
	json_put_text(row, "reason", reason_code(reason));
	put_printable(row, "text", text);
	if (json_array_insert_new(v->broken, 0, row) != 0)
		abort();
}

void verify_broken_err(struct verification *v, const char *what, const struct err *e)
{
	verify_broken(v, what, e->reason, "%s", e->text);
}

static void add_check(struct verification *v, const char *name, bool ok, bool note, const char *text)
{
	json_t *row;

	if (json_array_size(v->checks) >= CHECKS_MAX)
		return;
	row = json_object();
	json_put_text(row, "name", name);
	json_put_bool(row, "ok", ok);
	json_put_bool(row, "note", note);
	put_printable(row, "text", text);
	append(v->checks, row);
}

void verify_check(struct verification *v, const char *name, bool ok, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add_check(v, name, ok, false, text);
}

void verify_note(struct verification *v, const char *name, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add_check(v, name, true, true, text);
}

size_t verify_broken_count(const struct verification *v)
{
	return json_array_size(v->broken) + v->broken_lost;
}

static json_t *put_list(json_t *report, const char *name)
{
	json_t *list = json_array();

	json_put(report, name, list);
	return list;
}

static void begin(struct verification *v, const struct verify_options *o, const char *kind)
{
	v->o = o;
	v->report = json_object();
	v->broken = put_list(v->report, "broken");
	v->checks = put_list(v->report, "checks");
	put_list(v->report, "exhibits");
	put_list(v->report, "acts");
	put_list(v->report, "parties");
	json_put_text(v->report, "kind", kind);
	json_put_text(v->report, "fingerprint", "");
	json_put_text(v->report, "case", "");
	json_put_bool(v->report, "exercise", false);
	v->r = register_new();
	v->cache = checkpoint_cache_new();
}

static json_t *finish(struct verification *v)
{
	bool broken = verify_broken_count(v) > 0;

	if (v->broken_lost > 0)
		verify_check(v, "more", false, "%zu more things are broken than are listed", v->broken_lost);
	json_put_bool(v->report, "root_given", v->o->root_count > 0);
	json_put_int(v->report, "roots_given", (int64_t)v->o->root_count);
	json_put_int(v->report, "proofs_missing", (int64_t)v->proofs_missing);
	verify_tell_witnesses(v);
	json_put_text(v->report, "result", broken ? "broken" : verify_all_confirmed(v) ? "intact" : "intact-unconfirmed");
	return v->report;
}

static void release(struct verification *v)
{
	for (size_t i = 0; i < v->act_count; i++)
		act_free(v->acts[i].act);
	free(v->acts);
	free(v->statements);
	act_free(v->seal);
	register_free(v->r);
	checkpoint_cache_free(v->cache);
	bag_free(v->bag);
}

/* --- one file ---------------------------------------------------------------------------------- */

/* The register that lies beside the file, if any. */
static bool register_beside(struct verification *v, int64_t at_ms)
{
	static const char *const places[] = { "register.json", "../register.json" };
	const char *slash = strrchr(v->o->path, '/');
	char folder[4096];
	AUTO_FD fd = -1;

	snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 1 : (int)(slash - v->o->path) + 1, slash == NULL ? "." : v->o->path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; fd >= 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		AUTO_BUF in = { 0 };

		buf_init(&in, REGISTER_BYTES_MAX);
		if (file_read(fd, places[i], &in, NULL)) {
			verify_bundle(v, places[i], buf_bytes(&in), at_ms);
			return true;
		}
	}
	return false;
}

static void take_act(struct verification *v, struct act *a, const char *what)
{
	v->acts = realloc(v->acts, (v->act_count + 1) * sizeof(*v->acts));
	v->statements = realloc(v->statements, (v->act_count + 1) * sizeof(*v->statements));
	if (v->acts == NULL || v->statements == NULL)
		abort();
	v->acts[v->act_count] = (struct verified_act){ .act = a };
	snprintf(v->acts[v->act_count].file, sizeof(package_path), "%s", what);
	v->statements[v->act_count++] = a->statement;
}

static bool parse_file(struct verification *v, struct bytes in, const char *what, struct err *e)
{
	struct err inner = { 0 };
	AUTO_LETTER *l = NULL;
	struct act *a = NULL;

	if (act_parse(in, &a, e)) {
		take_act(v, a, what);
		return true;
	}
	if (!letter_parse(in, &l, &inner))
		return false; /* the sentence about an act is the better one */
	for (size_t i = 0; i < l->act_count; i++) {
		char name[PACKAGE_PATH_BYTES_MAX + 1];

		snprintf(name, sizeof(name), "%.200s#%zu", what, i + 1);
		take_act(v, l->acts[i], name);
		l->acts[i] = NULL;
	}
	return true;
}

static void verify_file(struct verification *v, struct bytes in)
{
	const char *slash = strrchr(v->o->path, '/'), *what = slash == NULL ? v->o->path : slash + 1;
	struct err e = { 0 };
	int64_t at_ms;

	if (!parse_file(v, in, what, &e)) {
		verify_broken_err(v, what, &e);
		return;
	}
	at_ms = v->acts[0].act->statement->time;
	json_put_text(v->report, "case", v->acts[0].act->statement->case_ref);
	if (!register_beside(v, at_ms) && strcmp(v->acts[0].act->statement->kind->name, "register-entry") == 0)
		verify_pin(v, what, v->acts[0].act->statement->from, buf_bytes(&v->acts[0].act->json));
	if (register_count(v->r) == 0)
		verify_broken(v, what, REASON_UNKNOWN_KEY,
			      "who signed this cannot be decided here: put the register (register.json) beside the file");
	verify_root(v, what);
	verify_judge_all(v);
	verify_register_age(v);
	verify_one_exercise(v);
	verify_fingerprint(v, v->acts[0].act->statement->from);
	verify_tell_acts(v);
	verify_tell_parties(v);
}

bool verify_path(const struct verify_options *o, json_t **ret, struct err *e)
{
	struct verification v = { 0 };
	struct err inner = { 0 };
	AUTO_FD fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	AUTO_BUF in = { 0 };

	buf_init(&in, LETTER_BYTES_MAX);
	if (fd < 0)
		return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_INPUT, REASON_NOT_FOUND, "cannot open %s: %s", o->path,
			       strerror(errno));
	if (fstat(fd, &st) != 0 || !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s is neither a package's folder nor a file", o->path);
	if (S_ISREG(st.st_mode) && !file_read_fd(fd, o->path, &in, &inner))
		return err_set(e, ERR_INPUT, inner.reason, "this is no act and no letter: %s", inner.text);
	begin(&v, o, S_ISDIR(st.st_mode) ? "package" : "act");
	if (S_ISDIR(st.st_mode))
		verify_package(&v, fd, &inner);
	else
		verify_file(&v, buf_bytes(&in));
	*ret = finish(&v);
	release(&v);
	return true;
}

int verify_status(const json_t *report)
{
	return strcmp(json_text(report, "result"), "intact") == 0 || strcmp(json_text(report, "result"), "intact-unconfirmed") == 0 ?
		       0 :
		       1;
}
