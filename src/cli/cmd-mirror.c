/* comity log mirror: which logs are copied and where to, once or again and again; cli/mirror.h makes the copies. */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/mirror.h"
#include "cli/output.h"
#include "log/witness.h"


const struct option mirror_options_table[] = {
	OPTION_HOME, OPTION_JSON, OPTION_QUIET,
	{ "key", 'k', OPTION_VALUE, "VKEY", "key of the log: name+8 hex+base64" },
	OPTION_ORIGIN(OPTION_VALUE, "first line of the log's checkpoints, when it is not the key's name"),
	{ "pin", 0, OPTION_VALUE, "HEX", "SHA-256 of the web server's key (SPKI); without it any server is asked" },
	{ "every", 0, OPTION_VALUE, "SECONDS", "go on as a service until a signal ends it" },
	OPTION_TURN,
	OPTION_END,
};

/* --- which logs -------------------------------------------------------------------------------------- */

/* Keys and addresses of parties, as the node itself believes them. */
static bool parties_of_home(const struct args *a, struct watch_list *w, struct err *e)
{
	AUTO_CLIENT *c = NULL;
	AUTO_JSON *answer = NULL;

	if (!client_open(a, &c, e) || !client_call(c, "register-show", NULL, &answer, e))
		return false;
	for (size_t i = 0; i < a->positional_count; i++) {
		const json_t *p, *parties = json_object_get(answer, "parties");
		size_t k;
		bool found = false;

		json_array_foreach(parties, k, p) {
			struct note_key key;

			if (strcmp(json_text(p, "code"), a->positional[i]) != 0)
				continue;
			if (json_bytes(p, "public_endpoint").len == 0)
				return err_set(e, ERR_CONFLICT, REASON_NOT_FOUND, "the register says of no place where the log of %s is read", a->positional[i]);
			if (!note_key_parse(json_bytes(p, "log"), &key, e))
				return err_note(e, "%s", a->positional[i]);
			watch_list_add(w, json_text(p, "public_endpoint"), &key, a->positional[i], NULL);
			found = true;
		}
		if (!found)
			return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "the register has no party \"%.20s\"", a->positional[i]);
	}
	return true;
}

static bool one_target(const struct args *a, struct watch_list *w, struct err *e)
{
	const char *vkey = args_value(a, "key");
	struct note_key key;

	if (a->positional_count != 2 || vkey == NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "give TARGET, DIR and --key VKEY; or --home DIR and parties");
	if (!note_key_parse(bytes_of(vkey), &key, e))
		return false;
	watch_list_add(w, a->positional[0], &key, NULL, NULL);
	return origin_read(args_value(a, "origin"), &w->logs[0].origin, e);
}

/* --- the command ---------------------------------------------------------------------------------- */

static void told(const struct args *a, const struct mirror *m, const struct err *failed)
{
	AUTO_JSON *v = json_object();
	AUTO_BUF out = { 0 };
	struct err e;

	buf_init(&out, 16 * KIB);
	json_put_text(v, "event", failed == NULL ? "mirrored" : "failed");
	json_put_text(v, "log", watch_origin(m->log));
	size_put(v, "size", monitor_checkpoint(m->monitor)->size);
	size_put(v, "hashed", monitor_hashed(m->monitor));
	json_put_time(v, "time", clock_now_ms());
	if (failed != NULL) {
		json_put_text(v, "reason", reason_code(failed->reason));
		json_put_text(v, "text", failed->text);
	}
	if (args_has(a, "json")) {
		if (!json_write_canonical(v, &out, &e))
			(void)command_failed(&e);
	} else if (failed == NULL) {
		buf_add_format(&out, "%s: %" PRIu64 " leaves mirrored, %" PRIu64 " new act%s", watch_origin(m->log),
			       monitor_checkpoint(m->monitor)->size, m->acts, m->acts == 1 ? "" : "s");
	} else {
		buf_add_format(&out, "%s: ", watch_origin(m->log));
		output_printable(&out, failed->text);
		buf_add_format(&out, " (%s)", reason_code(failed->reason));
	}
	buf_add_u8(&out, '\n');
	if (!output_write(&out, &e))
		(void)command_failed(&e);
	(void)fflush(stdout);
}

/* What a signal cut short is begun and not wrong; what was rejected before it came stays so. */
static int mirror_failed(const struct args *a, const struct mirror *m, struct err *e, int status)
{
	if (watch_stop != 0 && e->kind != ERR_REJECTED)
		(void)err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "stopped before its end; the next run goes on there");
	told(a, m, e);
	return e->kind == ERR_REJECTED || status == 1 ? 1 : 2;
}

static int mirror_all(const struct args *a, struct mirror *mirrors, size_t count, uint64_t every)
{
	bool quiet = args_has(a, "quiet") || isatty(STDERR_FILENO) != 1;
	int status;

	do {
		size_t i = 0;

		status = 0;
		for (; i < count && watch_stop == 0; i++) {
			uint64_t before = monitor_checkpoint(mirrors[i].monitor)->size;
			struct err e = { 0 };

			mirrors[i].acts = 0;
			if (!mirror_round(&mirrors[i], quiet, &e))
				status = mirror_failed(a, &mirrors[i], &e, status);
			else if (every == 0 || before != monitor_checkpoint(mirrors[i].monitor)->size)
				told(a, &mirrors[i], NULL);
		}
		for (; i < count; i++)
			status = mirror_failed(a, &mirrors[i], &(struct err){ 0 }, status);
	} while (every > 0 && watch_sleep((int64_t)every * 1000));
	return status;
}

int mirror_command(const struct args *a)
{
	const char *home = args_value(a, "home");
	AUTO_WATCH_LIST w = { 0 };
	uint8_t room[SHA256_BYTES];
	const uint8_t *pin = NULL;
	struct mirror *mirrors;
	uint64_t seconds = 0, turn = 0;
	size_t count = 0;
	struct err e;
	int status = 2;
	bool ok = seconds_read(a, "every", &seconds, &e);

	watch_signals();
	ok = ok && pin_read(a, room, &pin, &e) && (home != NULL ? parties_of_home(a, &w, &e) : one_target(a, &w, &e)) && turn_read(a, w.count, &turn, &e);
	mirrors = calloc(w.count + 1, sizeof(*mirrors));
	if (mirrors == NULL)
		abort();
	for (; ok && count < w.count; count++) {
		char origin[2 * SHA256_BYTES + 1], folder[4400];

		witness_origin_hex(watch_origin(&w.logs[count]), origin);
		snprintf(folder, sizeof(folder), "%.4200s%s%s", home != NULL ? home : a->positional[1], home != NULL ? "/mirror/" : "",
			 home != NULL ? origin : "");
		ok = mirror_open(&mirrors[count], &w.logs[count], folder, pin, &e);
		mirrors[count].turn = turn;
	}
	if (ok)
		status = mirror_all(a, mirrors, count, seconds);
	else
		(void)command_failed(&e);
	while (count-- > 0)
		mirror_close(&mirrors[count]);
	free(mirrors);
	return status;
}
