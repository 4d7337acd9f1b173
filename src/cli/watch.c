/* What the commands that look at logs have in common. Keys always come from whoever runs the command, never from the
 * place that is looked at. */
#include "cli/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "cli/output.h"
#include "log/witness.h"

#define LOOK_SECONDS_MAX 30u

volatile sig_atomic_t watch_stop;

static void stop_now(int signal_number)
{
	watch_stop = 1;
}

void watch_signals(void)
{
	struct sigaction sa = { .sa_handler = stop_now };

	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
}

bool watch_sleep(int64_t ms)
{
	int64_t until = clock_monotonic_us() + ms * 1000;

	while (watch_stop == 0) {
		int64_t left = (until - clock_monotonic_us()) / 1000;

		if (left <= 0)
			return true;
		(void)poll(NULL, 0, left > 1000 ? 1000 : (int)left + 1);
	}
	return false;
}

bool target_is_url(const char *target)
{
	return strstr(target, "://") != NULL;
}

static void folder_close(void *ctx)
{
	int fd = (int)(intptr_t)ctx;

	fd_close_at(&fd);
}

bool target_open(const char *target, const uint8_t *pin, const volatile sig_atomic_t *stop, struct log_source *ret, struct err *e)
{
	int fd;

	if (target_is_url(target))
		return source_https_open(&(struct https_options){ .url = target, .pin = pin, .stop = stop }, ret, e);
	fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_system(e, "cannot open %s", target);
	*ret = log_source_folder(fd);
	ret->close = folder_close;
	return true;
}

void target_turn(const struct log_source *s, uint64_t seconds)
{
	source_https_until(s, seconds == 0 ? 0 : clock_monotonic_us() + (int64_t)seconds * 1000000);
}

bool turn_read(const struct args *a, size_t logs, uint64_t *ret, struct err *e)
{
	*ret = logs > 1 ? TURN_SECONDS : 0;
	return seconds_read(a, "turn", ret, e);
}

bool folder_of(const struct args *a, const char *option, int *ret, struct err *e)
{
	const char *path = args_value(a, option);

	if (path == NULL)
		return true;
	if (!dir_make(AT_FDCWD, path, 0755, e))
		return false;
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret >= 0 || err_system(e, "cannot open %s", path);
}

bool pin_read(const struct args *a, uint8_t room[static SHA256_BYTES], const uint8_t **ret, struct err *e)
{
	const char *pin = args_value(a, "pin");

	*ret = NULL;
	if (pin == NULL)
		return true;
	if (!digest_read(pin, room))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "--pin wants 64 hex digits");
	*ret = room;
	return true;
}

bool evidence_write(int dir_fd, const char *name, const struct bytes note[static 2], bool *ret_new, struct err *e)
{
	char path[160];

	snprintf(path, sizeof(path), "%s-b.txt", name);
	if (faccessat(dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s-%c.txt", name, "ab"[i]);
		if (!file_write(dir_fd, path, note[i], 0644, true, e))
			return false;
	}
	*ret_new = true;
	return true;
}

bool watch_list_apart(const struct watch_list *w, struct err *e)
{
	for (size_t i = 1; i < w->count; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(watch_origin(&w->logs[i]), watch_origin(&w->logs[k])) == 0)
				return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s is named twice, and has one state: follow its copies with another --state",
					       watch_origin(&w->logs[i]));
	return true;
}

void size_put(json_t *v, const char *key, uint64_t size)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, size);
	if (size >> 53 == 0)
		json_put_int(v, key, (int64_t)size);
	else
		json_put_text(v, key, text);
}

/* --- the list --------------------------------------------------------------------------------- */

const char *watch_origin(const struct watched_place *p)
{
	return p->origin == NULL ? p->key.name : p->origin;
}

static char *copy_of(const char *text)
{
	char *copy = text == NULL ? NULL : strdup(text);

	if (text != NULL && copy == NULL)
		abort();
	return copy;
}

void watch_list_add(struct watch_list *w, const char *target, const struct note_key *key, const char *party, const struct policy *policy)
{
	w->logs = realloc(w->logs, (w->count + 1) * sizeof(w->logs[0]));
	if (w->logs == NULL)
		abort();
	w->logs[w->count++] = (struct watched_place){ .key = *key, .target = copy_of(target), .party = copy_of(party), .policy = policy };
}

void watch_list_release(struct watch_list *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free(w->logs[i].target);
		free(w->logs[i].party);
	}
	free(w->logs);
	policy_free(w->policy);
	register_free(w->parties);
	*w = (struct watch_list){ 0 };
}

static bool add_policy(struct watch_list *w, const char *path, struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, POLICY_BYTES_MAX);
	if (!file_read(AT_FDCWD, path, &text, e) || !policy_parse(buf_bytes(&text), &w->policy, e))
		return err_note(e, "%s", path);
	for (size_t i = 0; i < policy_log_count(w->policy); i++) {
		const struct policy_log *l = policy_log_at(w->policy, i);

		if (l->url[0] != '\0')
			watch_list_add(w, l->url, &l->key, NULL, w->policy);
	}
	return true;
}

static bool add_register(struct watch_list *w, const char *path, const char *root, struct err *e)
{
	uint8_t fingerprint[SHA256_BYTES];
	AUTO_BUF text = { 0 };

	buf_init(&text, REGISTER_BYTES_MAX);
	if (root != NULL && !digest_read(root, fingerprint))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "--root wants the 64 hex digits of a fingerprint");
	w->parties = register_new();
	if (!file_read(AT_FDCWD, path, &text, e) ||
	    !register_load(w->parties, buf_bytes(&text), root == NULL ? NULL : fingerprint, clock_now_ms(), NULL, e))
		return err_note(e, "%s", path);
	if (root == NULL)
		fprintf(stderr, "comity: whose register %s is, is not checked: give --root FINGERPRINT, compared over another channel\n", path);
	for (size_t i = 0; i < register_count(w->parties); i++) {
		const struct party *p = register_at(w->parties, i);
		const struct register_policy *policy = register_policy(w->parties, p->code, clock_now_ms());

		if (p->public_endpoint[0] != '\0')
			watch_list_add(w, p->public_endpoint, &p->log_key, p->code, policy == NULL ? w->policy : policy->policy);
	}
	return true;
}

/* --- retired logs ------------------------------------------------------------------------------ */

static char *mirror_at(const struct party *p, const char *origin)
{
	char hex[2 * SHA256_BYTES + 1];
	AUTO_BUF url = { 0 };

	buf_init(&url, KIB);
	witness_origin_hex(origin, hex);
	buf_add_format(&url, "%s/mirror/%s", p->public_endpoint, hex);
	return copy_of(buf_text(&url));
}

void watch_list_retired(struct watch_list *w)
{
	for (size_t i = 0; w->parties != NULL && i < register_count(w->parties); i++) {
		const struct party *p = register_at(w->parties, i);
		const struct register_policy *policy = register_policy(w->parties, p->code, clock_now_ms());

		for (size_t j = 0; j < p->retired_count && w->count < MONITOR_LOGS_MAX; j++) {
			char *target = mirror_at(p, p->retired[j].log_key.name);

			watch_list_add(w, target, &p->retired[j].log_key, p->code, policy == NULL ? NULL : policy->policy);
			w->logs[w->count - 1].retired = &p->retired[j];
			free(target);
		}
	}
}

bool watch_find_retired(const struct watch_list *w, struct watched_place *log, const uint8_t *pin, struct log_source *ret, struct err *e)
{
	for (size_t i = 0; i < register_count(w->parties); i++) {
		const struct party *p = register_at(w->parties, i);
		AUTO_BUF note = { 0 };
		struct log_source s;
		char *target;

		if (p->public_endpoint[0] == '\0')
			continue;
		target = mirror_at(p, log->key.name);
		buf_init(&note, NOTE_BYTES_MAX);
		/* Who does not answer at all is told about for its own log. */
		if (!target_open(target, pin, &watch_stop, &s, NULL)) {
			free(target);
			continue;
		}
		target_turn(&s, LOOK_SECONDS_MAX);
		if (s.fetch(s.ctx, "checkpoint", NOTE_BYTES_MAX, &note, NULL)) {
			struct checkpoint c;

			free(log->target);
			log->target = target;
			/* What its key signed is enough: nobody hides it by withholding the leaves. */
			if (checkpoint_verify(buf_bytes(&note), &log->key, &c, NULL) && !watch_ended(log, &c, target, e)) {
				log_source_close(&s);
				return false;
			}
			*ret = s;
			return true;
		}
		log_source_close(&s);
		free(target);
	}
	if (watch_stop != 0)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "a signal came before all parties were asked for a mirror of it");
	return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "no party of the register serves a mirror of it");
}

bool watch_ended(const struct watched_place *log, const struct checkpoint *c, const char *shown_by, struct err *e)
{
	const struct register_retired *r = log->retired;
	char at[TIME_TEXT_LEN + 1];

	if (r == NULL || c->size < r->size || (c->size == r->size && memcmp(c->root, r->root, SHA256_BYTES) == 0))
		return true;
	time_write(r->at, at);
	return err_set(e, ERR_REJECTED, REASON_INCONSISTENT, "it was retired at %s with %llu leaves; %s shows %s%llu, signed by its key", at,
		       (unsigned long long)r->size, shown_by, c->size == r->size ? "another tree of " : "", (unsigned long long)c->size);
}

static bool add_targets(const struct args *a, struct watch_list *w, struct err *e)
{
	w->first_target = w->count;
	for (size_t i = 0; i < a->positional_count; i++) {
		const char *vkey = args_many(a, "key", i);
		struct note_key key;

		if (vkey == NULL)
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "whose log is %s? give --key VKEY for each", a->positional[i]);
		if (!note_key_parse(bytes_of(vkey), &key, e))
			return false;
		watch_list_add(w, a->positional[i], &key, NULL, w->policy);
	}
	if (args_many(a, "key", a->positional_count) != NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "there are more --key than logs");
	return true;
}

bool origin_read(const char *given, const char **ret, struct err *e)
{
	*ret = given == NULL || given[0] == '\0' ? NULL : given;
	return *ret == NULL || checkpoint_origin_is_valid(bytes_of(given)) ||
	       err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "\"%.100s\" is no origin of a log: one line of at most %u bytes", given,
		       CHECKPOINT_ORIGIN_BYTES_MAX);
}

bool watch_list_origins(const struct args *a, struct watch_list *w, struct err *e)
{
	const char *origin;
	size_t i = 0;

	for (; (origin = args_many(a, "origin", i)) != NULL && i < a->positional_count; i++)
		if (!origin_read(origin, &w->logs[w->first_target + i].origin, e))
			return false;
	return origin == NULL || err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "there are more --origin than logs");
}

bool watch_list_read(const struct args *a, struct watch_list *ret, struct err *e)
{
	const char *logs = args_value(a, "logs"), *parties = args_value(a, "register");

	if ((logs != NULL && !add_policy(ret, logs, e)) || !add_targets(a, ret, e) ||
	    (parties != NULL && !add_register(ret, parties, args_value(a, "root"), e)))
		return false;
	if (ret->count == 0)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "no log is named: give TARGET and --key, --logs FILE or --register FILE");
	return ret->count <= MONITOR_LOGS_MAX ||
	       err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u logs", MONITOR_LOGS_MAX);
}
