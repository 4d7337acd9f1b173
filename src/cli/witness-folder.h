/* The folder of a witness as its commands see it: made, told, changed. */
#ifndef COMITY_CLI_WITNESS_FOLDER_H
#define COMITY_CLI_WITNESS_FOLDER_H

#include "base/json.h"
#include "exchange/config.h"
#include "log/watched.h"

struct witness_folder {
	int fd;
	struct config config;
};
bool witness_folder_open(const char *path, struct witness_folder *ret, struct err *e) MUST_USE;
void witness_folder_release(struct witness_folder *f);
#define AUTO_WITNESS_FOLDER __attribute__((cleanup(witness_folder_release))) struct witness_folder

/* A folder for a witness alone: settings, key, state, logs and, unless it is to speak plain HTTP, a TLS key. */
bool witness_folder_make(const char *path, const struct config *c, const struct watched *logs, struct note_key *ret, struct err *e) MUST_USE;
/* Of a home or of a witness alone. In a home HOME/identity then names the new key. */
bool witness_folder_new_key(struct witness_folder *f, struct note_key *ret, struct err *e) MUST_USE;
bool witness_logs_read(const struct witness_folder *f, struct watched *ret, struct err *e) MUST_USE;
/* Two commands that change the list at once come one after the other: from before it is read until the folder is released. */
bool witness_logs_lock(const struct witness_folder *f, struct err *e) MUST_USE;
bool witness_logs_write(const struct witness_folder *f, const struct watched *logs, struct err *e) MUST_USE;
/* Where the world reaches it: public_endpoint, else what it listens at. */
void witness_folder_url(const struct witness_folder *f, char out[static 600]);
/* Whether it may sign: its state is there and of its key, or it runs and holds it. What is wrong is said in one sentence. */
bool witness_state_check(const struct witness_folder *f, struct err *e) MUST_USE;
/* Size and time of what was last cosigned for this log: of the state, or of the running witness, whose cosignature is
 * verified. *ret_found false: nothing was. An error: that cannot be known, because the state is lost, or the witness holds
 * it and does not answer. */
bool witness_last(const struct witness_folder *f, const struct note_key *self, const char *origin, bool *ret_found, uint64_t *ret_size,
		  int64_t *ret_s, struct err *e) MUST_USE;

#endif
