/* Logs that a command looks at: where each is, whose key it has, what is expected of it. */
#ifndef COMITY_CLI_WATCH_H
#define COMITY_CLI_WATCH_H

#include "cli/args.h"
#include "cli/source-https.h"
#include "log/monitor.h"
#include "register/register.h"


struct watched_place {
	struct note_key key;
	const char *origin;          /* borrowed; NULL: the key's name */
	char *target;                /* folder or https address */
	char *party;                 /* code, from a register; NULL otherwise */
	const struct policy *policy; /* borrowed; NULL: none */
	const struct register_retired *retired; /* it ended so; target is where mirrors have it. NULL: a log in use */
};
struct watch_list {
	struct watched_place *logs;
	size_t count, first_target; /* TARGETs begin there */
	struct policy *policy;      /* of --logs */
	struct register_ *parties;  /* of --register */
};
/* A folder or an https address. stop may be NULL; pin: SHA-256 of the server's SPKI, or NULL. */
bool target_open(const char *target, const uint8_t *pin, const volatile sig_atomic_t *stop, struct log_source *ret, struct err *e) MUST_USE;
bool target_is_url(const char *target);
/* From now on the source gives nothing more after so many seconds, so that others come to their turn. 0: no end. */
void target_turn(const struct log_source *s, uint64_t seconds);
/* How long one of several is followed before the next one is. */
#define TURN_SECONDS 900u
/* --turn SECONDS; else TURN_SECONDS when there are several logs and no end when there is one. */
bool turn_read(const struct args *a, size_t logs, uint64_t *ret, struct err *e) MUST_USE;
#define OPTION_TURN { "turn", 0, OPTION_VALUE, "SECONDS", "a server has so long before the next log has its turn (several logs: 900)" }
/* Makes the folder that an option names; without the option *ret stays. */
bool folder_of(const struct args *a, const char *option, int *ret, struct err *e) MUST_USE;

#define WATCH_OPTIONS \
	{ "key", 'k', OPTION_MANY, "VKEY", "key of the log: name+8 hex+base64; one for each TARGET, in the same order" }, \
	{ "logs", 'l', OPTION_VALUE, "FILE", "logs, witnesses and quorum, as a C2SP tlog-policy" }, \
	{ "register", 0, OPTION_VALUE, "FILE", "register bundle: the logs of all parties, with their policies" }, \
	{ "root", 'r', OPTION_VALUE, "HEX", "fingerprint of the register's trust root, which you compared yourself" }, \
	{ "pin", 0, OPTION_VALUE, "HEX", "SHA-256 of the web server's key (SPKI); without it any server is asked" }

#define OPTION_ORIGIN(kind, words) { "origin", 0, kind, "ORIGIN", words }
/* An --origin; NULL and an empty one: NULL, the key's name. */
bool origin_read(const char *given, const char **ret, struct err *e) MUST_USE;
/* What the checkpoints of this log begin with. */
const char *watch_origin(const struct watched_place *p);

/* TARGETs with --key, --logs and --register together. */
bool watch_list_read(const struct args *a, struct watch_list *ret, struct err *e) MUST_USE;
/* --origin of TARGETs, in the same order; an empty one: the key's name. */
bool watch_list_origins(const struct args *a, struct watch_list *w, struct err *e) MUST_USE;
void watch_list_add(struct watch_list *w, const char *target, const struct note_key *key, const char *party, const struct policy *policy);
/* The logs that parties of the register retired: nothing may come after their end. */
void watch_list_retired(struct watch_list *w);
/* Where a retired log still is: in a mirror that one of the register's parties serves. ERR_NOT_FOUND: in none. */
bool watch_find_retired(const struct watch_list *w, struct watched_place *log, const uint8_t *pin, struct log_source *ret, struct err *e) MUST_USE;
/* Whether the log of that checkpoint ended where the register says: REASON_INCONSISTENT when it went on, or is another tree. */
bool watch_ended(const struct watched_place *log, const struct checkpoint *c, const char *shown_by, struct err *e) MUST_USE;
void watch_list_release(struct watch_list *w);
#define AUTO_WATCH_LIST __attribute__((cleanup(watch_list_release))) struct watch_list
/* --pin; *ret NULL when it is not given. room: 32 bytes. */
bool pin_read(const struct args *a, uint8_t room[static SHA256_BYTES], const uint8_t **ret, struct err *e) MUST_USE;
/* "NAME-a.txt" and "NAME-b.txt". A proof of two trees is enough: nothing that comes later is written over it; *ret_new
 * stays false then. */
bool evidence_write(int dir_fd, const char *name, const struct bytes note[static 2], bool *ret_new, struct err *e) MUST_USE;
/* One state is of one place: a copy that is behind would set it back, or be accused of going back. */
bool watch_list_apart(const struct watch_list *w, struct err *e) MUST_USE;
/* A size that a stranger signed: a number, or text beyond what JSON's numbers carry (2^53 - 1). */
void size_put(json_t *v, const char *key, uint64_t size);

/* Set by SIGTERM and SIGINT after watch_signals. */
extern volatile sig_atomic_t watch_stop;
void watch_signals(void);
/* Waits; false when a signal came. */
bool watch_sleep(int64_t ms);

#endif
