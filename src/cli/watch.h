/* Logs that a command looks at: where each is, whose key it has, what is expected of it. */
#ifndef COMITY_CLI_WATCH_H
#define COMITY_CLI_WATCH_H

#include "cli/args.h"
#include "cli/source-https.h"
#include "log/monitor.h"
#include "register/register.h"

#define WATCHED_MAX 1024u

struct watched {
	struct note_key key;
	char *target;                /* folder or https address */
	char *party;                 /* code, from a register; NULL otherwise */
	const struct policy *policy; /* borrowed; NULL: none */
};
struct watch_list {
	struct watched *logs;
	size_t count;
	struct policy *policy;      /* of --logs */
	struct register_ *parties;  /* of --register */
};
/* A folder or an https address. stop may be NULL; pin: SHA-256 of the server's SPKI, or NULL. */
bool target_open(const char *target, const uint8_t *pin, const volatile sig_atomic_t *stop, struct log_source *ret, struct err *e) MUST_USE;
bool target_is_url(const char *target);

#define WATCH_OPTIONS \
	{ "key", 'k', OPTION_MANY, "VKEY", "key of the log: name+8 hex+base64; one for each TARGET, in the same order" }, \
	{ "logs", 'l', OPTION_VALUE, "FILE", "logs, witnesses and quorum, as a C2SP tlog-policy" }, \
	{ "register", 0, OPTION_VALUE, "FILE", "register bundle: the logs of all parties, with their policies" }, \
	{ "root", 'r', OPTION_VALUE, "HEX", "fingerprint of the register's trust root, which you compared yourself" }, \
	{ "pin", 0, OPTION_VALUE, "HEX", "SHA-256 of the web server's key (SPKI); without it any server is asked" }

/* TARGETs with --key, --logs and --register together. */
bool watch_list_read(const struct args *a, struct watch_list *ret, struct err *e) MUST_USE;
void watch_list_add(struct watch_list *w, const char *target, const struct note_key *key, const char *party, const struct policy *policy);
void watch_list_release(struct watch_list *w);
#define AUTO_WATCH_LIST __attribute__((cleanup(watch_list_release))) struct watch_list
/* --pin; *ret NULL when it is not given. room: 32 bytes. */
bool pin_read(const struct args *a, uint8_t room[static SHA256_BYTES], const uint8_t **ret, struct err *e) MUST_USE;
/* 64 hex digits, in groups and in either case. */
bool digest_read(const char *text, uint8_t ret[static SHA256_BYTES]);
/* Hex SHA-256 of a log's origin: what its files and folders are called. */
void origin_hex(const char *origin, char ret[static 2 * SHA256_BYTES + 1]);

/* Set by SIGTERM and SIGINT after watch_signals. */
extern volatile sig_atomic_t watch_stop;
void watch_signals(void);
/* Waits; false when a signal came. */
bool watch_sleep(int64_t ms);

#endif
